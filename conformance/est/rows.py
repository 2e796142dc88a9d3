"""The rows of the abuse catalogue that are EST's (RFC 7030), and those of HTTP and TLS that say EST."""

LISTED = [f"E{number:02}" for number in range(1, 11)] + ["H10", "H12", "H13"]

OPEN = frozenset()

# Rows that a case of a Boost.Test executable holds beside tests here: (rows, room, suite/case).
UNITS = [
    (("H13",), "http", "http_tls/a_chain_of_twenty_is_refused"),
]

# Rows of the catalogue -> rows of the probe (strict/).
PROBED = {
    "E01": ("simpleenroll_without_credential", "wrong_password_and_unknown_user", "brute_force"),
    "E02": ("without_tls",),
    "E03": ("other_subject", "other_names", "certificate_of_another_endpoint", "revoked", "outside_its_days"),
    "E04": ("enroll_with_an_unknown_certificate", "look_alike", "same_name_of_ca", "below_a_leaf"),
    "E05": ("wrong_binding", "binding_of_another_connection", "binding_with_more", "finished_of_tls_1_3", "required_binding", "required_binding_without_extended_master_secret"),
    "E06": ("labels_that_are_none", "certificate_of_another_endpoint"),
    "E07": ("keys_are_not_made_by_default", "unknown_key_identifier"),
    "E08": ("other_schemes",),
    "E09": ("waits_for_approval",),
    "E10": ("fullcmc", "multipart_body", "lines_in_plenty"),
    "H10": ("forwarded_certificate",),
    "H12": ("labels_that_are_paths",),
    "H13": ("long_chain",),
}
