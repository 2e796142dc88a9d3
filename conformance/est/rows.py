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

# Which check each row stands on, and the test that fails when it is switched off: row -> (file, function, test).
STANDS_ON = {
    "E01": ("src/est/requester.cpp", "by_password", "test_identity.py::test_wrong_credentials"),
    "E02": ("src/app/serve.cpp", "add_routes", "test_clients.py::test_curl_finds_no_est_over_http"),
    "E03": ("src/est/settle.cpp", "judge_renewal", "test_probe.py::test_probe[other_names]"),
    "E04": ("src/est/manufacturer.cpp", "find_vouched", "test_identity.py::test_bad_certificate_is_not_rescued_by_a_password"),
    "E05": ("src/est/proof.cpp", "check_binding", "test_probe.py::test_probe[wrong_binding]"),
    "E06": ("src/est/routes.cpp", "find_endpoint", "test_probe.py::test_probe[labels_that_are_none]"),
    "E07": ("src/est/serverkeygen.cpp", "check_profile", "test_serverkeygen.py::test_never_for_tls_servers"),
    "E08": ("src/est/status.cpp", "refusal", "test_probe.py::test_probe[other_schemes]"),
    "E09": ("src/ra/enrollment_steps.cpp", "attempt_key", "test_approval.py::test_approval_another_key_is_judged_by_itself"),
    "E10": ("src/est/routes.cpp", "fullcmc", "test_probe.py::test_probe[fullcmc]"),
    "H10": ("src/est/proxies.cpp", "behind", "test_probe.py::test_probe[forwarded_certificate]"),
    "H12": ("src/core/http/router.cpp", "accepts", "test_refusals.py::test_label_that_is_a_path_names_nothing"),
    "H13": ("src/core/http/tls_context.cpp", "accept_any_certificate", "test_rows.py::test_unit[http:http_tls/a_chain_of_twenty_is_refused]"),
}
