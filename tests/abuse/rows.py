"""Which rows of the abuse catalogue this folder answers for, and how they are marked.

A row is one kind of abuse, a letter for where it comes in and a number: H the transport (RFC 9112, RFC 8446), J what
a JWS and its account claim (RFC 7515, RFC 7638, RFC 8555 section 6), V what a name makes the server look up, dial or
certify (RFC 8555 sections 8 and 10, RFC 5890, RFC 6890), X what a request and a certificate say (RFC 2986, RFC 5280,
the CA/Browser Forum's Baseline Requirements). The test that is marked with a row says which abuse it is."""
from harness.row_table import row  # noqa: F401  (for the tests)


def _rows(letter, *numbers):
    return [f"{letter}{n:02}" for n in numbers]


# Every row of the issue.
LISTED = (_rows("H", *range(1, 10), 11, 14) + _rows("J", *range(1, 13)) +
          _rows("V", 1, 2, 3, 5, 6, 11, 12, 13) + _rows("X", *range(1, 13), 14, 15, 17, 18, 19))

# Listed, and nothing here tests them yet. A row that gets a test leaves this list.
OPEN = frozenset()

# Rows that a case of a Boost.Test executable holds, alone or beside tests here: (rows, room, suite/case).
# Each is run by test_units.py and must pass.
UNITS = [
    (("J01",), "acme", "acme_nonces/nonces_older_than_the_window_are_refused_and_newer_ones_stay"),
    (("V01",), "validation", "validation_address_guard/special_purpose_addresses_are_forbidden_to_their_last_one"),
    (("V01",), "validation", "validation_http_01/private_addresses_are_never_contacted"),
    (("V02",), "validation", "validation_http_01/redirects_to_forbidden_places_are_refused_before_any_packet"),
    (("V01", "V02"), "validation", "validation_http_01/a_private_target_that_is_permitted_is_not_echoed"),
    (("V03",), "validation", "validation_http_01/the_checked_address_is_dialled_whatever_dns_says_next"),
    (("V05",), "validation", "validation_http_01/nobody_configured_other_bounds"),
    (("V05",), "validation", "validation_http_01/circles_and_long_chains_end"),
    (("V13",), "ra", "ra_policy/every_check_refuses_with_its_name_and_its_reason"),
    (("V13",), "ra", "ra_policy/internal_names_and_suffixes_are_for_scopes_that_list_them"),
    (("X06", "X11"), "ra", "ra_policy/a_profile_may_give_what_is_refused_elsewhere"),
    (("X11",), "crypto", "crypto_csr/ten_thousand_rdns_are_refused"),
    (("X12",), "ra", "ra_names/a_scope_covers_what_it_says_and_nothing_beside_it"),
    (("X12",), "ra", "ra_names/addresses_are_covered_one_by_one"),
    (("X14",), "ca", "ca_serials/a_million_serials_are_16_octets_each_its_own_and_even"),
    (("X19",), "crypto", "crypto_certificate/broken_certificates_say_which_field"),
    (("X19",), "crypto", "crypto_der/der_goes_all_the_way_down"),
    (("H02", "H04", "H07"), "http", "http_refusals/the_limits_by_default_are_those_of_the_catalogue"),
    (("H03",), "http", "http_tls/renegotiation_is_refused"),
    (("H04",), "http", "http_refusals/each_size_is_served_at_its_limit_and_refused_one_beyond"),
    (("H05",), "http", "http_refusals/each_ambiguous_or_oversized_request_is_answered_and_the_connection_closed"),
    (("H08",), "http", "http_server/a_host_that_is_not_ours_is_misdirected"),
    (("H13",), "http", "http_tls/a_chain_of_twenty_is_refused"),
    (("H14",), "http", "http_server/of_10000_pipelined_requests_one_is_in_flight"),
]
