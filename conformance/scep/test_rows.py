"""The catalogue is answered row by row."""
import pytest

from harness.row_table import run_unit, table, test_every_listed_row_has_a_test, test_no_row_that_has_a_test_is_called_open, units  # noqa: F401
from rows import UNITS


@pytest.mark.parametrize("room, case", units(UNITS))
def test_unit(room, case, tmp_path):
    run_unit(room, case, tmp_path)
