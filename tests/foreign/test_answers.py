"""What comes back: what is kept for an officer, what nobody knows, and that nothing is handed over twice."""
import re

import pytest
from cryptography import x509

from house import await_gone, held_order, submitted_once


QUARANTINED = {
    "half": ("issued.encoding", "no END line"),
    "broken_certificate": ("issued.encoding", "certificate 1 of the chain"),
    "other_key": ("issued.key", "another public key"),
    "name_more": ("issued.names", "more.n"),
    "name_missing": ("issued.names", "authorised was"),
    "subject_more": ("issued.subject", "Somebody Else Ltd"),
    "expired_chain": ("issued.chain", "certificate has expired"),
    "wrong_issuer": ("issued.chain", "does not end at a declared trust anchor"),
    "wrong_signature": ("issued.chain", "certificate signature failure"),
    "issuer_critical": ("issued.chain", "unhandled critical extension: 1.3.6.1.4.1.99999.1"),
    "issuer_narrow": ("issued.chain", "issues nothing for the extended key usage 1.3.6.1.5.5.7.3.1"),
    "critical_vendor": ("issued.extensions", "extension 1.3.6.1.4.1.311.21.7 is critical"),
    "ca_true": ("issued.ca", "one of a CA"),
    "usage_more": ("issued.usage", "sign certificates"),
    "usage_missing": ("issued.usage", "the key usage is missing"),
    "encipherment_more": ("issued.usage", "has more than was authorised"),
    "purpose_more": ("issued.usage", "1.3.6.1.5.5.7.3.3"),
    "identity_more": ("issued.extensions", "1.3.6.1.4.1.311.25.2"),
    "not_yet_valid": ("issued.validity", "not valid yet"),
    "over": ("issued.validity", "is over"),
    "too_long": ("issued.validity", "lasts longer"),
    "too_early": ("issued.validity", "begins earlier"),
}


@pytest.mark.parametrize("how", QUARANTINED)
def test_what_was_not_authorised_is_kept_for_an_officer(house, how):
    check, words = QUARANTINED[how]
    alarms = house.server.events("enrollment_quarantined")
    house.ca.behave(issue=how)
    url, answer = house.finalize("a", "b")
    assert answer.status == 200
    order, shown = held_order(house, url, "quarantined")
    assert "certificate" not in order
    assert (shown["problem"]["check"], words in shown["problem"]["detail"]) == (check, True), shown["problem"]
    assert "BEGIN CERTIFICATE" in shown["received"]
    record, = house.records(shown["request"], "enrollment.quarantined")
    assert (record["outcome"], record["check"]) == ("failed", check)
    assert house.server.events("enrollment_quarantined") == alarms + 1
    assert house.server.certificates(shown["names"][0]) == []
    submitted_once(house, shown)


def test_a_serial_is_taken_once(house):
    house.ca.behave(issue="same_serial")
    _, first = house.finalize()
    assert first.body["status"] == "valid"
    url, _ = house.finalize()
    _, shown = held_order(house, url, "quarantined")
    assert shown["problem"]["check"] == "issued.serial" and "5ec0de" in shown["problem"]["detail"]



def test_the_chain_goes_on_above_a_declared_issuer(house):
    house.describe(timeout="2s", anchors=["lower", "root"])
    house.ca.behave(issue="deep")
    _, answer = house.finalize()
    house.describe(timeout="2s")
    assert answer.body["status"] == "valid"
    pem = re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----\n", house.client.chain(answer.body), re.DOTALL)
    issuers = [x509.load_pem_x509_certificate(each.encode()) for each in pem[1:]]
    assert [each.subject.rfc4514_string() for each in issuers] == ["CN=lower", "CN=issuing"]


UNKNOWN = {
    "slow": "not done within its time",
    "stubborn": "not done within its time",
    "silent": "printed nothing",
    "killed": "killed by signal 9",
    "status_3": "exit status 3; it said: no paper \\u001b[31m in the printer",
    "no_json": "no JSON",
    "wrong_types": "chain",
    "no_such_status": '"perhaps" is no answer to issue',
    "giant": "more than its limit",
    "nul": "no JSON",
    "trailing": "no JSON",
}


@pytest.mark.parametrize("how", UNKNOWN)
def test_an_answer_that_is_none_waits_for_an_officer(mute, how):
    house = mute
    alarms = house.server.events("enrollment_unknown")
    house.ca.behave(issue=how)
    url, answer = house.finalize()
    assert answer.status == 200
    order, shown = held_order(house, url, "unknown")
    assert "nobody knows whether the CA issued" in order["error"]["detail"]
    assert UNKNOWN[how] in shown["problem"]["detail"], shown["problem"]
    record, = house.records(shown["request"], "enrollment.unknown")
    assert (record["outcome"], record["check"]) == ("failed", "backend.answer")
    assert house.server.events("enrollment_unknown") == alarms + 1
    submitted_once(house, shown)


def test_a_command_and_its_children_end_with_its_time(mute):
    mute.ca.behave(issue="stubborn")
    url, _ = mute.finalize()
    held_order(mute, url, "unknown")
    await_gone((mute.ca.home / "pid").read_text().split())


def test_nobody_is_left_behind_by_a_command_that_answers(house):
    house.ca.behave(issue="leaves_child")
    _, answer = house.finalize()
    assert answer.body["status"] == "valid"
    await_gone((house.ca.home / "pid").read_text().split())


def test_pending_without_a_way_to_ask_waits_for_an_officer(mute):
    mute.ca.behave(issue="pending")
    url, _ = mute.finalize()
    _, shown = held_order(mute, url, "unknown")
    assert "declares neither poll nor lookup" in shown["problem"]["detail"]
