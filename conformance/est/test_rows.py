"""The catalogue is answered row by row."""
from pathlib import Path

import pytest

from harness.row_table import run_unit, table, test_every_listed_row_has_a_test, test_no_row_that_has_a_test_is_called_open, units  # noqa: F401
from rows import LISTED, PROBED, UNITS
from strict.rows import ROWS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("room, case", units(UNITS))
def test_unit(room, case, tmp_path):
    run_unit(room, case, tmp_path)


def test_every_probed_row_is_one_of_the_probe():
    assert {name for names in PROBED.values() for name in names} <= {one.name for one in ROWS}


def test_every_row_says_what_it_stands_on(table):
    """A check that is there, and a test that is marked with the row."""
    assert list(table.stands_on) == LISTED
    for one, (file, function, test) in table.stands_on.items():
        assert f"{function}(" in (ROOT / file).read_text(encoding="utf-8"), one
        assert any(test in each for each in table.tests[one]), one
