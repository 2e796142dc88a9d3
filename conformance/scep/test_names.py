"""E-mail addresses, URIs and principal names in certificates, and the security identifiers that a challenge never buys."""
from pathlib import Path

import pytest
from cryptography.x509 import ObjectIdentifier
from harness import pkcs10, scep_identity as identity
from harness.scep_device import Device
from harness.scep_reply import FAILURE, SUCCESS
from harness.scep_style import STYLES

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def people(server):
    """Access codes of the accounts of people.toml."""
    return {name: secret["accessCode"] for name, secret in server.apply(HERE / "people.toml").items()}


@pytest.fixture
def person(server, people, name):
    """Makes a device that has discovered its endpoint and asks for those extensions."""

    def make(extensions=(), endpoint="people", kind="windows", more=()):
        return Device(server.scep(endpoint), STYLES[kind], subject=[("CN", name), *more], extensions=extensions).discover()

    return make


def extension(certificate, oid):
    """The DER of an extension's value, or None."""
    found = [each for each in certificate.extensions if each.oid.dotted_string == oid]
    return found[0].value.public_bytes() if found else None


def refused(reply, words):
    assert (reply.status, reply.fail_info) == (FAILURE, "badRequest"), reply.text
    assert words in reply.text, reply.text


def issued(server, name):
    return [row for row in server.all_certificates() if f"CN={name}" in row["subject"]]


@pytest.mark.parametrize("kind", ["apple", "windows", "android"])
def test_a_person_gets_the_names_that_the_account_covers(person, people, server, name, kind):
    wished = identity.names(email=["jane@corp.test"], upn=["Jörg.O'Neill@CORP.test"], uri=["IntuneDeviceId://A,b"])
    reply = person(wished, kind=kind).enroll(people["staff"])
    assert (reply.status, reply.text) == (SUCCESS, None)
    assert extension(reply.certificate, pkcs10.SUBJECT_ALT_NAME) == identity.requested(wished)
    [row] = issued(server, name)
    assert row["names"] == ["email:jane@corp.test", "uri:IntuneDeviceId://A,b", "upn:Jörg.O'Neill@CORP.test"]


def test_what_was_issued_is_explained_by_its_names(person, people, server, name):
    wished = identity.names(email=["Found.By@corp.test"], upn=["Found.By@CORP.test"], uri=["IntuneDeviceId://Found"])
    assert person(wished).enroll(people["staff"]).status == SUCCESS
    [row] = issued(server, name)
    for reference in ("found.by@corp.test", "Found.By@CORP.test", "email:found.by@corp.test", "upn:found.by@corp.test", "uri:IntuneDeviceId://Found"):
        records = server.explain(reference)
        assert {record["action"] for record in records} >= {"enrollment.intent", "enrollment.issued"}, reference
        assert any(record["detail"].get("serial") == row["serial"] for record in records), reference


@pytest.mark.parametrize("wished, words", [
    ({"email": ["jane@other.test"]}, "email:jane@other.test: outside the scope of account staff, which covers *@corp.test, *@home.test"),
    ({"upn": ["jane@sub.corp.test"]}, "upn:jane@sub.corp.test: outside the scope of account staff, which covers *@corp.test"),
    ({"upn": ["DC01$@corp.test"]}, "upn:DC01$@corp.test: outside the scope"),
    ({"upn": ["jane"]}, '"upn:jane" is no principal name like name@corp.example'),
    ({"email": ["Jane <jane@corp.test>"]}, "is no mailbox like name@example.com"),
    ({"uri": ["https://a@b.test/"]}, "has user information before its host"),
    ({"ip": ["192.0.2.1"]}, "the profile certifies no IP addresses"),
], ids=["mailbox", "suffix", "computer", "no suffix", "no mailbox", "user information", "address"])
def test_other_names_are_refused(person, people, server, name, wished, words):
    refused(person(identity.names(**wished)).enroll(people["staff"]), words)
    assert issued(server, name) == []


@pytest.mark.parametrize("reference", ["upn:stranger@sub.corp.test", "stranger@sub.corp.test"])
def test_a_refusal_is_explained_by_the_name(person, people, server, reference):
    refused(person(identity.names(upn=["stranger@sub.corp.test"])).enroll(people["staff"]), "outside the scope")
    records = server.explain(reference)
    assert {record["check"] for record in records} == {"names.scope"}


def test_an_organization_must_allow_principal_names(person, people):
    device = person(identity.names(upn=["guest@home.test"]))
    refused(device.enroll(people["guests"]), "organization guests does not allow principal names (principal_names)")


def test_a_mailbox_of_another_organizations_domain_is_refused(person, people):
    device = person(identity.names(email=["jane@corp.test"]))
    refused(device.enroll(people["guests"]), "email:jane@corp.test: domain corp.test is delegated to another organization")


@pytest.mark.parametrize("more, words", [
    ([("E", "boss@other.test")], "the subject's E is none that account staff may ask for (emails)"),
    ([("serialNumber", "XYZ1")], "the subject's serialNumber is none that account staff may ask for (serial_numbers)"),
], ids=["E", "serialNumber"])
def test_subject_fields_outside_the_account_are_refused(person, people, more, words):
    refused(person(more=more).enroll(people["staff"]), words)


def test_subject_fields_are_those_of_the_template(person, people):
    reply = person(more=[("serialNumber", "FOC1"), ("E", "jane@Home.test"), ("OU", "Domain Admins")]).enroll(people["staff"])
    text = reply.certificate.subject.rfc4514_string({ObjectIdentifier(pkcs10.TYPES["E"]): "E"})
    assert "E=jane@home.test" in text and "2.5.4.5=FOC1" in text and "Admins" not in text


# ---- security identifiers

@pytest.mark.parametrize("disguise", sorted(identity.DISGUISES))
@pytest.mark.parametrize("endpoint, account", [("people", "staff"), ("lenient", "lenient")])
def test_no_challenge_makes_an_administrator(person, people, server, name, endpoint, account, disguise):
    reply = person(identity.DISGUISES[disguise], endpoint).enroll(people[account])
    assert (reply.status, reply.fail_info) == (FAILURE, "badRequest"), reply.text
    assert issued(server, name) == []


def test_the_refusal_says_who_vouches(person, people):
    refused(person(identity.DISGUISES["plain"]).enroll(people["staff"]), "is taken from a CSR alone that Intune validated with its challenge")


@pytest.mark.parametrize("kind", ["CN", "OU"])
def test_no_subject_holds_one(person, people, server, name, kind):
    device = person(more=[(kind, identity.SID_URI + identity.SID)])
    refused(device.enroll(people["staff"]), "a security identifier of Windows has no place in a subject")


def test_the_extension_is_left_out_and_told(person, people, server):
    reply = person([pkcs10.sid_extension(identity.SID)]).enroll(people["staff"])
    assert reply.status == SUCCESS
    assert extension(reply.certificate, pkcs10.SID_EXTENSION) is None
    records = server.explain(f"{reply.certificate.serial_number:032x}")
    told = {entry["check"]: entry["input"] for record in records for entry in record["detail"].get("trace", ())}
    assert told["csr.security_identifier"] == "none; the extension that the CSR asks for is left out"
    assert told["csr.extensions"] == "not followed: Windows security identifier"


def test_the_extension_is_refused_where_the_profile_says_so(person, people):
    device = person([pkcs10.sid_extension(identity.SID)], "strict-sid")
    refused(device.enroll(people["strict-sid"]), "which the profile refuses (sid_extension)")


def test_a_lenient_profile_leaves_names_out(person, people):
    reply = person(identity.names(upn=["boss@corp.test"], email=["boss@corp.test"], ip=["192.0.2.1"]), "lenient").enroll(people["lenient"])
    assert reply.status == SUCCESS
    assert extension(reply.certificate, pkcs10.SUBJECT_ALT_NAME) is None


# ---- renewal

def test_a_renewal_keeps_the_names(person, people):
    wished = identity.names(upn=["jane@corp.test"], email=["Jane@CORP.test"])
    device = person(wished, kind="strongswan")
    first = device.enroll(people["staff"]).certificate
    reply = device.renew()
    assert reply.status == SUCCESS
    assert extension(reply.certificate, pkcs10.SUBJECT_ALT_NAME) == extension(first, pkcs10.SUBJECT_ALT_NAME)


@pytest.mark.parametrize("other", [
    {"extensions": identity.names(upn=["boss@corp.test"])},
    {"extensions": identity.names(upn=["jane@corp.test"]) + [pkcs10.sid_extension(identity.SID)], "allowed": True},
    {"extensions": identity.names(upn=["jane@corp.test"], uri=[identity.SID_URI + identity.SID])},
    {"extensions": identity.names(upn=["jane@corp.test"]), "more": [("E", "boss@corp.test")]},
    {"extensions": identity.names(upn=["jane@corp.test"]), "more": [("serialNumber", "FOC9")]},
], ids=["another UPN", "extension", "identifier", "E", "serialNumber"])
def test_a_renewal_makes_nobody_else(person, people, name, other):
    device = person(identity.names(upn=["jane@corp.test"]), kind="strongswan")
    device.enroll(people["staff"])
    device.extensions = other["extensions"]
    device.subject = pkcs10.name([("CN", name), *other.get("more", ())], device.style.string)
    reply = device.renew()
    if other.get("allowed"):
        assert extension(reply.certificate, pkcs10.SID_EXTENSION) is None
    else:
        refused(reply, "the request asks for other names than the certificate has")
