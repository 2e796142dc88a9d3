"""The catalogue is answered row by row."""
from harness.row_table import table, test_every_listed_row_has_a_test, test_no_row_that_has_a_test_is_called_open  # noqa: F401
