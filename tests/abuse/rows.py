"""Which rows of the abuse catalogue (threats.md §3) this folder answers for, and how they are marked."""
import pytest


def _rows(letter, *numbers):
    return [f"{letter}{n:02}" for n in numbers]


# Every row of the issue.
LISTED = (_rows("H", *range(1, 10), 11, 14) + _rows("J", *range(1, 13)) +
          _rows("V", 1, 2, 3, 5, 6, 11, 12, 13) + _rows("X", *range(1, 13), 14, 15, 17, 18, 19))

# Listed, and nothing here tests them yet. A row that gets a test leaves this list.
OPEN = frozenset(LISTED) - frozenset(_rows("H", *range(1, 10), 11, 14) + _rows("J", *range(1, 13)) + _rows("X", 1, 2, 3, 17))

# Rows that a case of a Boost.Test executable holds, alone or beside tests here: (rows, room, suite/case).
# Each is run by test_units.py and must pass.
UNITS = [
    (("J01",), "acme", "acme_nonces/nonces_older_than_the_window_are_refused_and_newer_ones_stay"),
    (("H02", "H04", "H07"), "http", "http_refusals/the_limits_by_default_are_those_of_the_catalogue"),
    (("H03",), "http", "http_tls/renegotiation_is_refused"),
    (("H04",), "http", "http_refusals/each_size_is_served_at_its_limit_and_refused_one_beyond"),
    (("H05",), "http", "http_refusals/each_ambiguous_or_oversized_request_is_answered_and_the_connection_closed"),
    (("H08",), "http", "http_server/a_host_that_is_not_ours_is_misdirected"),
    (("H13",), "http", "http_tls/a_chain_of_twenty_is_refused"),
    (("H14",), "http", "http_server/of_10000_pipelined_requests_one_is_in_flight"),
]


def row(*ids):
    """Marks a test with the rows that it is for. Others than listed ones (H13) may be marked too."""
    return pytest.mark.row(*ids)
