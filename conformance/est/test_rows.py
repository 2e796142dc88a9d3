"""The catalogue is answered row by row."""
from pathlib import Path

import pytest

from harness.row_table import run_unit, units
from rows import OPEN, PROBED, UNITS
from strict.rows import ROWS

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("room, case", units(UNITS))
def test_unit(room, case, tmp_path):
    run_unit(room, case, tmp_path)


@pytest.fixture
def table(request):
    """When the whole folder was collected."""
    named = [Path(argument.split("::")[0]).resolve() for argument in request.config.args]
    if HERE not in named or request.config.option.keyword:
        pytest.skip("only a part of the folder was asked for")
    return request.config.pluginmanager.get_plugin("row-table")


def test_every_listed_row_has_a_test(table):
    assert table.missing() == []


def test_no_row_that_has_a_test_is_called_open(table):
    assert [one for one in sorted(OPEN) if table.tests.get(one)] == []


def test_every_probed_row_is_one_of_the_probe():
    assert {name for names in PROBED.values() for name in names} <= {one.name for one in ROWS}
