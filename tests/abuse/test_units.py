"""Rows that a Boost.Test case holds."""
import pytest

from harness.row_table import run_unit, units
from rows import UNITS


@pytest.mark.parametrize("room, case", units(UNITS))
def test_unit(room, case, tmp_path):
    run_unit(room, case, tmp_path)
