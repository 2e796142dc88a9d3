"""Security identifiers and principal names of Windows in what Intune validated: what is certified, octet by octet, and what is
refused, as the client reads it and as `postern explain` tells it."""
from dataclasses import replace

import pytest
from harness import pkcs10, scep_identity as identity, scep_message as cms
from harness.scep_reply import FAILURE, SUCCESS
from harness.scep_style import STYLES
from harness.waiting import until

from intune.profile import Profile

SID, OTHER = identity.SID, identity.SID[:-3] + "1104"
URI = identity.SID_URI + SID
# [MS-WCCE] szOID_NTDS_CA_SECURITY_EXT with szOID_NTDS_OBJECTSID, by hand: 43 octets of identifier.
VALUE = bytes.fromhex("303d a03b 060a 2b060104018237190201 a02d 042b") + SID.encode()
EXTENSION = bytes.fromhex("304c 0609 2b0601040182371902 043f") + VALUE  # no BOOLEAN in between: not critical

ORGANIZATION = """
[[organization]]
name = "{name}"
principal_names = {allowed}
"""


@pytest.fixture(scope="module")
def mapping(make_site):
    """A site by strong_mapping and what else its profile says; the same one for the same words."""
    made = {}

    def site(strong_mapping, profile="", more=""):
        words = (strong_mapping, profile, more)
        if words not in made:
            made[words] = make_site(within="20s", profile=f'strong_mapping = "{strong_mapping}"\n{profile}', more=more)
        made[words].standin.reset()
        return made[words]

    return site


@pytest.fixture(scope="module")
def persons(make_site):
    """Sites whose account belongs to an organization that allows principal names, but for those named otherwise."""
    made = {}

    def site(which, profile='upn_names = true\nstrong_mapping = "extension"', more='upns = ["*@corp.test"]'):
        if which not in made:
            name = f"persons-{which}"
            before = "" if which == "alone" else ORGANIZATION.format(name=name, allowed="false" if which == "forbidden" else "true")
            made[which] = make_site(within="20s", profile=profile, more=more + (f'\norganization = "{name}"' if before else ""), before=before)
        made[which].standin.reset()
        return made[which]

    return site


def san(certificate):
    """The DER of the alternative names, or None."""
    return value_of(certificate, pkcs10.SUBJECT_ALT_NAME)


def value_of(certificate, oid):
    found = [each.value.public_bytes() for each in certificate.extensions if each.oid.dotted_string == oid]
    assert len(found) < 2
    return found[0] if found else None


def impostor(site, extensions):
    """A device that asks for these extensions, with a challenge of Intune's that binds no names."""
    device = site.device()
    device.extensions = [*device.extensions, *extensions]
    return device, site.challenge(device, names=None)


def refused(site, device, reply, words, check):
    """Read by the client, explained, told to Intune, which had said Success; and nothing is issued."""
    assert (reply.status, reply.fail_info, reply.certificates) == (FAILURE, "badRequest", []), reply.text
    assert words in reply.text, reply.text
    assert site.certificates(device) == []
    told = site.await_told(device, "failure")
    assert words[:200] in told["errorDescription"] and site.transaction(device).success is None
    until(lambda: any(each["action"] == "intune.notified" for each in site.server.explain(device.style.transaction_id(device.key))), "what Intune was told is not recorded")
    [record] = [each for each in site.server.explain(device.style.transaction_id(device.key)) if each["action"] != "intune.notified"]
    assert (record["action"], record["outcome"], record["check"]) == ("enrollment.refused", "refused", check)
    [entry] = [entry for entry in record["detail"]["trace"] if entry["check"] == check]
    assert words in entry["reason"], entry
    site.nothing_wrong()


def explained(site, certificate):
    """Input of each check, by its name."""
    records = site.server.explain(f"{certificate.serial_number:032x}")
    return {entry["check"]: entry["input"] for record in records for entry in record["detail"].get("trace", ())}


# ---- what is certified

def test_as_a_uri(mapping):
    site = mapping("uri")
    device = site.device(sid=SID)
    reply = device.enroll(site.challenge(device))
    assert reply.status == SUCCESS, reply.text
    assert san(reply.certificate) == identity.requested(identity.names(uri=[URI]))
    assert value_of(reply.certificate, pkcs10.SID_EXTENSION) is None
    assert explained(site, reply.certificate)["csr.security_identifier"] == f"{SID}, by Intune"
    [row] = site.certificates(device)
    assert row["names"] == [f"uri:{URI}"]
    site.nothing_wrong()


def test_as_an_extension(mapping):
    site = mapping("extension")
    device = site.device(sid=SID)
    reply = device.enroll(site.challenge(device))
    assert reply.status == SUCCESS, reply.text
    assert value_of(reply.certificate, pkcs10.SID_EXTENSION) == VALUE
    assert reply.certificate.tbs_certificate_bytes.count(EXTENSION) == 1
    assert san(reply.certificate) is None and identity.SID_URI.encode() not in reply.certificates[0], "in its place"
    site.nothing_wrong()


def test_other_names_stay_beside_the_extension(mapping):
    site = mapping("extension", profile="uri_names = true", more='uris = ["IntuneDeviceId://*"]')
    device = site.device()
    wished = identity.names(uri=["IntuneDeviceId://A,b", URI])
    device.extensions = [*device.extensions, *wished]
    reply = device.enroll(site.challenge(device, names=[f"uri:{URI}", "uri:IntuneDeviceId://A,b"]))
    assert reply.status == SUCCESS, reply.text
    assert san(reply.certificate) == identity.requested(identity.names(uri=["IntuneDeviceId://A,b"]))
    assert value_of(reply.certificate, pkcs10.SID_EXTENSION) == VALUE


# ---- the extension that the CSR brings

@pytest.mark.parametrize("strong_mapping", ["none", "uri", "extension"])
def test_the_extension_of_a_csr_is_never_followed(mapping, strong_mapping):
    """Intune says Success to whatever it holds."""
    site = mapping(strong_mapping)
    device, challenge = impostor(site, [pkcs10.sid_extension(SID)])
    reply = device.enroll(challenge)
    assert reply.status == SUCCESS, reply.text
    assert value_of(reply.certificate, pkcs10.SID_EXTENSION) is None and SID.encode() not in reply.certificates[0]
    assert explained(site, reply.certificate)["csr.security_identifier"] == "none; the extension that the CSR asks for is left out"


@pytest.mark.parametrize("strong_mapping", ["uri", "extension"])
def test_it_does_not_win_over_the_uri(mapping, strong_mapping):
    site = mapping(strong_mapping)
    device, challenge = impostor(site, [pkcs10.sid_extension(OTHER), *identity.names(uri=[URI])])
    reply = device.enroll(challenge)
    assert reply.status == SUCCESS, reply.text
    assert OTHER.encode() not in reply.certificates[0] and reply.certificates[0].count(SID.encode()) == 1
    assert value_of(reply.certificate, pkcs10.SID_EXTENSION) == (VALUE if strong_mapping == "extension" else None)


def test_it_is_refused_where_the_profile_says_so(mapping):
    site = mapping("extension", profile='sid_extension = "refuse"')
    device, challenge = impostor(site, [pkcs10.sid_extension(SID), *identity.names(uri=[URI])])
    refused(site, device, device.enroll(challenge), "the CSR asks for the extension 1.3.6.1.4.1.311.25.2, which the profile refuses (sid_extension)",
            "csr.security_identifier")


# ---- what is refused

LOOKS = "the CSR names what looks like a security identifier of Windows and is none", "csr.security_identifier"
TWO = "the CSR names two security identifiers of Windows; a certificate has one", "csr.security_identifier"
# What decides where the profile leaves out what it does not certify; and where it certifies whatever is named.
LENIENT = {**dict.fromkeys(set(identity.DISGUISES) - {"plain", "principal_utf16"}, LOOKS), "two": TWO, "twice": TWO,
           "as_host": ("is not a DNS name", "names.form"), "as_mailbox": ("is a person's mail address", "intune.kind")}
WIDE = {**LENIENT, "as_principal": ("is no principal name like name@corp.example", "names.form"), "percent_letters": ("is no absolute URI in ASCII", "names.form"),
        "space_behind": ("has a character that a URI writes as %", "names.form"), "utf16": ("no profile certifies names of that type", "csr.alternative_names")}


def wide(persons):
    return persons("wide", 'strong_mapping = "uri"\nemail_names = true\nuri_names = true\nupn_names = true', 'emails = ["*"]\nuris = ["*"]\nupns = ["*"]')


@pytest.mark.together
@pytest.mark.parametrize("disguise", sorted(LENIENT))
def test_a_disguise_is_refused_and_never_left_out(mapping, disguise):
    """Though Intune said Success."""
    site = mapping("extension", profile='other_names = "drop"')
    device, challenge = impostor(site, identity.DISGUISES[disguise])
    refused(site, device, device.enroll(challenge), *LENIENT[disguise])


@pytest.mark.together
@pytest.mark.parametrize("disguise", sorted(LENIENT))
def test_a_disguise_is_no_name_among_others(persons, disguise):
    site = wide(persons)
    device, challenge = impostor(site, identity.DISGUISES[disguise])
    refused(site, device, device.enroll(challenge), *WIDE[disguise])


def test_what_cannot_be_read_does_not_reach_intune(mapping):
    site = mapping("extension")
    device, challenge = impostor(site, identity.DISGUISES["principal_utf16"])
    reply = device.enroll(challenge)
    assert (reply.status, reply.fail_info, reply.text) == (FAILURE, "badRequest", "the CSR is refused: a principal name in subjectAltName is not one UTF8String")
    assert site.certificates(device) == [] and site.transaction(device).code is None


MALFORMED = {"empty": "", "no_number": "S-1-5-21-", "three": "S-1-5-21-1-2-3", "five": "S-1-5-21-1-2-3-4-5", "zeros": "S-1-5-21-01-2-3-500",
             "too_great": "S-1-5-21-4294967296-2-3-500", "negative": "S-1-5-21--1-2-3-500", "local_system": "S-1-5-18", "hexadecimal": "S-1-5-21-0x1-2-3-500"}


@pytest.mark.together
@pytest.mark.parametrize("how", MALFORMED)
def test_a_malformed_identifier_is_refused(persons, how):
    site = wide(persons)
    device, challenge = impostor(site, identity.names(uri=[identity.SID_URI + MALFORMED[how]]))
    refused(site, device, device.enroll(challenge), *LOOKS)


def test_somebody_elses_identifier_is_refused_by_intune(mapping):
    """The challenge binds the names: whoever asks for others is another."""
    site = mapping("extension")
    device = site.device(sid=OTHER)
    reply = device.enroll(site.challenge(device, names=[f"uri:{URI}"]))
    assert (reply.status, reply.text) == (FAILURE, "SubjectAltNameMismatch") and site.certificates(device) == []
    [record] = site.server.explain(device.style.transaction_id(device.key))
    assert record["check"] == "intune.SubjectAltNameMismatch"


UNMAPPED = "the CSR names a security identifier of Windows, and the profile maps none (strong_mapping)", "csr.security_identifier"


@pytest.mark.parametrize("profile, why", [("", ("the profile certifies no URIs", "csr.alternative_names")), ('other_names = "drop"', UNMAPPED),
                                          ("uri_names = true", UNMAPPED)], ids=["refuse", "drop", "uris"])
def test_without_strong_mapping_it_is_refused(mapping, profile, why):
    """Never left out, and never certified as a URI among others: whoever reads it takes the holder for that account."""
    site = mapping("none", profile=profile, more='uris = ["*"]' if "uri" in profile else "")
    device = site.device(sid=SID)
    refused(site, device, device.enroll(site.challenge(device)), *why)


def test_a_certificate_that_holds_one_renews_nothing(mapping):
    site = mapping("extension", more="renewal_by_certificate = true")
    device = site.device(replace(STYLES["android"], renewal="renewal"), sid=SID)
    first = device.enroll(site.challenge(device))
    assert first.status == SUCCESS, first.text
    words = "the certificate holds a security identifier of Windows, for which Intune must vouch each time; enroll with a challenge of Intune"
    for extensions in (device.extensions, Profile(device.profile.subject).extensions()):
        device.extensions = extensions
        reply = device.ask(device.renew_message(device.new_key(), kind=cms.RENEWAL_REQ))
        assert (reply.status, reply.fail_info, reply.text) == (FAILURE, "badRequest", words)
    assert len(site.certificates(device)) == 1
    beside = device.renew(device.new_key(), site.challenge(device))
    assert (beside.status, beside.text) == (FAILURE, words), "a challenge beside the certificate counts for nothing"


# ---- principal names

def test_a_principal_name_beside_its_identifier(persons):
    site = persons("allowed")
    device = site.device(upn=["jane@corp.test"], sid=SID)
    reply = device.enroll(site.challenge(device))
    assert reply.status == SUCCESS, reply.text
    assert san(reply.certificate) == identity.requested(identity.names(upn=["jane@corp.test"]))
    assert value_of(reply.certificate, pkcs10.SID_EXTENSION) == VALUE
    assert site.certificates(device)[0]["names"] == ["upn:jane@corp.test"]


@pytest.mark.parametrize("which, words", [
    ("forbidden", "organization persons-forbidden does not allow principal names (principal_names)"),
    ("alone", "belongs to no organization, and an organization must allow principal names (principal_names)"),
])
def test_an_organization_must_allow_principal_names(persons, which, words):
    site = persons(which)
    device = site.device(upn=["jane@corp.test"])
    refused(site, device, device.enroll(site.challenge(device)), words, "names.principal")


@pytest.mark.parametrize("upn", ["jane@other.test", "DC01$@corp.test"])
def test_a_principal_name_outside_the_account(persons, upn):
    site = persons("allowed")
    device = site.device(upn=[upn])
    refused(site, device, device.enroll(site.challenge(device)), f"upn:{upn}: outside the scope of account {site.name}", "names.scope")


def test_a_profile_must_certify_principal_names(mapping):
    site = mapping("extension")
    device = site.device(upn=["jane@corp.test"])
    refused(site, device, device.enroll(site.challenge(device)), "the profile certifies no principal names", "csr.alternative_names")
