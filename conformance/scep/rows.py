"""The rows of the abuse catalogue that are SCEP's (RFC 8894): S with a number, and R13, a hook that answers for somebody else.
The test that is marked with a row says which abuse it is."""

LISTED = [f"S{number:02}" for number in range(1, 17)] + ["R13"]

# Listed, and nothing in this folder tests them: S09 is what Intune refuses, ../intune/test_postern.py.
OPEN = frozenset({"S09"})

# Rows that a case of a Boost.Test executable holds, alone or beside tests here: (rows, room, suite/case).
UNITS = [
    (("S01",), "scep", "scep_message/every_other_message_type_is_refused"),
    (("S02",), "scep", "scep_message/a_stranger_does_not_renew"),
    (("S04",), "scep", "scep_message/a_stranger_asks_for_the_own_key_only"),
    (("S05",), "scep", "scep_message/broken_signatures_are_refused"),
    (("S10",), "scep", "scep_message/weak_algorithms_are_bad_alg_whatever_the_policy"),
    (("S13",), "scep", "scep_oracle/wrong_paddings_keys_and_contents_are_one_refusal"),
    (("S13",), "scep", "scep_oracle/a_captured_envelope_changed_anywhere_tells_nothing"),
    (("S14",), "crypto", "crypto_cms/every_cut_of_a_message_is_refused"),
    (("S14",), "crypto", "crypto_cms/bags_recipients_and_signers_have_bounds"),
    (("S15",), "scep", "scep_query/messages_come_back_whatever_the_client_encodes"),
    (("S15",), "scep", "scep_query/what_is_no_base64_is_refused"),
    (("S16",), "scep", "scep_message/an_old_key_opens_messages_in_its_overlap_only"),
]
