"""The catalogue is answered row by row."""
from pathlib import Path

import pytest

from rows import LISTED, OPEN

HERE = Path(__file__).resolve().parent


@pytest.fixture
def tests(request):
    """{row: tests}, when the whole folder was collected."""
    named = [Path(argument.split("::")[0]).resolve() for argument in request.config.args]
    if named != [HERE] or any("::" in argument for argument in request.config.args):
        pytest.skip("only a part of the folder was asked for")
    return request.config.pluginmanager.get_plugin("row-table").tests


def test_every_listed_row_has_a_test(tests):
    assert [one for one in LISTED if one not in OPEN and not tests.get(one)] == []


def test_no_row_that_has_a_test_is_called_open(tests):
    assert [one for one in sorted(OPEN) if tests.get(one)] == []
