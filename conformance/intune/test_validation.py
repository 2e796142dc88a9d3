"""validateRequest and the notifications: each code from a real check, each field wrong in its way."""
import base64
import copy

import pytest
from harness import der, pkcs10
from harness.seeded import Random, ec_key, rsa_key
from intune import behaviours
from intune.plain_client import Client
from intune.profile import Profile
from intune.validation import CODES, SCRIPTED_ONLY

pytestmark = pytest.mark.together

PROFILE = Profile([("CN", "phone")], upn=["ann@corp.test"], dns=["phone.corp.test"], sid="S-1-5-21-1-2-3-1104")
USAGE, PURPOSE, NAMES = EXTENSIONS = PROFILE.extensions()


@pytest.fixture
def ask(client):
    """The code and the description that a CSR gets."""

    def ask(csr, transaction="T1"):
        answer = client.post("validate", client.validation(csr, transaction))
        assert answer.status == 200, answer.body
        return answer.json["code"]

    return ask


@pytest.fixture
def minted(tenant):
    """Text of a challenge for PROFILE, but for what is said otherwise."""
    return lambda **changed: tenant.mint_challenge(**{**PROFILE.binding(), **changed})["challenge"]


def test_what_the_profile_says_succeeds(ask, minted, make_csr, tenant):
    csr = make_csr(minted(), extensions=EXTENSIONS)
    assert ask(csr) == "Success"
    entry, = tenant.asked("validate")
    assert (entry.wrong, entry.code, entry.status) == ([], "Success", 200)
    assert entry.fields["request"]["certificateRequest"] == base64.b64encode(csr).decode()


def test_a_replayed_challenge_succeeds_again(ask, minted, make_csr):
    challenge = minted()
    assert ask(make_csr(challenge, extensions=EXTENSIONS)) == "Success"
    assert ask(make_csr(challenge, extensions=EXTENSIONS)) == "Success"
    other = make_csr(challenge, key=rsa_key(Random("other")), extensions=EXTENSIONS)
    assert ask(other, "T2") == "Success", "nor does another key matter: refusing is the client's affair"


def test_a_sid_extension_is_not_looked_at(ask, minted, make_csr):
    assert ask(make_csr(minted(), extensions=[*EXTENSIONS, pkcs10.sid_extension("S-1-5-21-1-2-3-500")])) == "Success"


@pytest.mark.parametrize("tag", [der.PRINTABLE, der.UTF8, der.T61, der.BMP, der.IA5])
def test_every_string_type_of_challenges(ask, minted, make_csr, tag):
    assert ask(make_csr(challenges=[pkcs10.challenge(minted(), tag)], extensions=EXTENSIONS)) == "Success"


def test_a_challenge_is_a_few_kilobytes(minted, tenant):
    assert 2500 < len(minted()) < 3500
    assert 15000 < len(minted(size=16000)) < 17000
    assert len(minted(size=0)) < 2000




# name -> (what the challenge says, what the CSR has, the code)
REFUSED = {
    "no_challenge": ({}, {"challenges": []}, "ChallengePasswordMissing"),
    "not_base64": ({"flaw": "encoding"}, {}, "ChallengeDecodingError"),
    "no_frame": ({"flaw": "deserialization"}, {}, "ChallengeDeserializationError"),
    "no_content": ({"flaw": "inner"}, {}, "ChallengeDeserializationError"),
    "signature": ({"flaw": "signature"}, {}, "SignatureValidationFailed"),
    "decryption": ({"flaw": "decryption"}, {}, "ChallengeDecryptionError"),
    "timestamp": ({"flaw": "timestamp"}, {}, "ChallengeInvalidTimestamp"),
    "not_yet": ({"begins_in": 60}, {}, "ChallengeInvalidTimestamp"),
    "ends_before_it_begins": ({"lives": -1, "begins_in": -60}, {}, "ChallengeInvalidTimestamp"),
    "subject_missing": ({}, {"subject": ()}, "SubjectNameMissing"),
    "subject_other": ({}, {"subject": (("CN", "other"),)}, "SubjectNameMismatch"),
    "subject_more": ({}, {"subject": (("CN", "phone"), ("O", "more"))}, "SubjectNameMismatch"),
    "names_missing": ({}, {"extensions": [USAGE, PURPOSE]}, "SubjectAltNameMissing"),
    "names_other": ({}, {"extensions": [USAGE, PURPOSE, pkcs10.alternative_names(dns=["phone.corp.test"])]}, "SubjectAltNameMismatch"),
    "names_unwanted": ({"names": []}, {}, "SubjectAltNameMismatch"),
    "usage_missing": ({}, {"extensions": [PURPOSE, NAMES]}, "KeyUsageMismatch"),
    "usage_other": ({}, {"extensions": [pkcs10.key_usage("digitalSignature"), PURPOSE, NAMES]}, "KeyUsageMismatch"),
    "usage_more": ({"key_usage": ["digitalSignature"]}, {}, "KeyUsageMismatch"),
    "key_size": ({"key_size": 4096}, {}, "KeyLengthMismatch"),
    "purpose_missing": ({}, {"extensions": [USAGE, NAMES]}, "EnhancedKeyUsageMissing"),
    "purpose_other": ({}, {"extensions": [USAGE, NAMES, pkcs10.extended_key_usage(pkcs10.SERVER_AUTH)]}, "EnhancedKeyUsageMismatch"),
    "purpose_more": ({}, {"extensions": [USAGE, NAMES, pkcs10.extended_key_usage(pkcs10.CLIENT_AUTH, pkcs10.SERVER_AUTH)]},
                     "EnhancedKeyUsageMismatch"),
    "no_keys_registered": ({"keys": []}, {}, "AadKeyIdentifierListMissing"),
    "key_not_registered": ({"keys": ["00" * 32]}, {}, "RegisteredKeyMismatch"),
    "request_unknown": ({"known": False}, {}, "BadCertificateRequestIdInChallenge"),
    "device_unknown": ({"known_device": False}, {}, "BadDeviceIdInChallenge"),
    "user_unknown": ({"known_user": False}, {}, "BadUserIdInChallenge"),
    "not_targeted": ({"targeted": False}, {}, "ScepProfileNoLongerTargetedToTheClient"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_each_check_has_its_code(ask, minted, make_csr, tenant, name):
    bound, asked, code = REFUSED[name]
    assert ask(make_csr(**{"challenge": minted(**bound), "extensions": EXTENSIONS, **asked})) == code
    assert tenant.wrong() == [] and tenant.transactions()["T1"]["code"] == code


def test_every_code_is_seen(tenant, standin):
    real = {code for _, _, code in REFUSED.values()} | {"ChallengeExpired", "BadTenantIdInChallenge", "CertificateRequestDecodingFailed"}
    assert real | set(SCRIPTED_ONLY) == set(CODES)


@pytest.mark.parametrize("code", [*CODES, "success", "SUCCESS", "Success ", "", "NoSuchCode"])
def test_every_code_can_be_scripted(ask, tenant, make_csr, code):
    tenant.script("validate", behaviours.code(code))
    assert ask(b"anything") == code
    assert [(entry.code, entry.wrong) for entry in tenant.asked("validate")] == [(code, [])]


def test_a_challenge_ends_with_its_second(ask, minted, make_csr, standin):
    csr = make_csr(minted(lives=2000), extensions=EXTENSIONS)
    standin.move_clock(seconds=1000)
    assert ask(csr) == "Success"
    standin.move_clock(seconds=1001)
    assert ask(csr) == "ChallengeExpired"


def test_a_challenge_begins(ask, minted, make_csr, standin):
    csr = make_csr(minted(begins_in=1000), extensions=EXTENSIONS)
    assert ask(csr) == "ChallengeInvalidTimestamp"
    standin.move_clock(seconds=1001)
    assert ask(csr) == "Success"


def test_a_profile_is_withdrawn(ask, tenant, make_csr):
    made = tenant.mint_challenge()
    assert ask(make_csr(made["challenge"])) == "Success"
    tenant.untarget(request=made["request"])
    assert ask(make_csr(made["challenge"])) == "ScepProfileNoLongerTargetedToTheClient"


def test_the_application_of_another_tenant(standin, tenant, make_csr):
    other = standin.of(standin.add_tenant()["id"])
    client = Client(other.tenant(), standin.ca)
    answer = client.post("validate", client.validation(make_csr(tenant.mint_challenge()["challenge"])))
    assert (answer.status, answer.json["code"]) == (200, "BadTenantIdInChallenge")


@pytest.mark.parametrize("make", [lambda csr: csr[:-1], lambda csr: csr + b"\0", lambda csr: b"", lambda csr: b"\x30\x03\x02\x01\0",
                                  lambda csr: csr[:-1] + bytes([csr[-1] ^ 1])], ids=["cut", "more", "empty", "other", "signature"])
def test_a_csr_that_is_none(client, minted, make_csr, tenant, make):
    answer = client.post("validate", client.validation(make(make_csr(minted(), extensions=EXTENSIONS))))
    if answer.status == 200:
        assert answer.json["code"] == "CertificateRequestDecodingFailed"
    assert len(tenant.wrong("validate")) == 1


@pytest.mark.parametrize("change", [lambda text: "-----BEGIN CERTIFICATE REQUEST-----\n" + text, lambda text: text[:64] + "\n" + text[64:],
                                    lambda text: text.replace("+", "-").replace("/", "_"), lambda text: text + "é"],
                         ids=["pem", "lines", "url_safe", "not_ascii"])
def test_a_csr_is_base64_of_one_line(client, make_csr, tenant, change):
    text = base64.b64encode(make_csr("c" * 300, subject=(("CN", "þþþ???>>>"),))).decode()
    assert change(text) != text
    answer = client.post("validate", client.validation(b"", certificateRequest=change(text)))
    assert answer.json["code"] == "CertificateRequestDecodingFailed" and "no base64 of one line" in tenant.wrong()[0]


def test_ec_keys_have_their_length(ask, tenant, make_csr):
    challenge = tenant.mint_challenge(key_size=256)["challenge"]
    assert ask(make_csr(challenge, key=ec_key(Random("ec")))) == "Success"


# ---- what every call must be like

HEADERS = {
    "no_version": ({"api_version": None}, "header api-version is [], not"),
    "other_version": ({"api_version": "2017-02-20"}, "header api-version"),
    "two_versions": ({"api_version": ["2018-02-20"] * 2}, "header api-version"),
    "no_activity": ({"client_request_id": None}, "not one GUID"),
    "no_agent": ({"User_Agent": None}, "no User-Agent"), "no_type": ({"Content_Type": None}, "Content-Type"),
    "other_type": ({"Content_Type": "text/plain"}, "Content-Type"),
    "other_charset": ({"Content_Type": "application/json; charset=latin1"}, "Content-Type"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers(client, tenant, make_csr, name):
    changed, blame = HEADERS[name]
    answer = client.post("validate", client.validation(make_csr(tenant.mint_challenge()["challenge"])), **changed)
    assert answer.status == 400 and blame in tenant.wrong("validate")[0]


def test_the_charset_may_be_said(client, tenant, make_csr):
    body = client.validation(make_csr(tenant.mint_challenge()["challenge"]))
    assert client.post("validate", body, Content_Type="application/json; charset=utf-8").json["code"] == "Success" and tenant.wrong() == []


def test_the_version_is_no_part_of_the_query(client, tenant):
    url = client.discover()["sceprequestvalidationfeservice"] + "/ScepActions/validateRequest?api-version=2018-02-20"
    assert client.post("validate", {}, url).status == 405 and len(tenant.wrong()) == 1
    assert client.post("validate", {}, url.partition("?")[0], method="GET").status == 405


def test_the_permission_is_wanted(client, tenant):
    tenant.set_roles(intune=[])
    assert client.post("validate", client.validation(b"x")).status == 403
    assert "the application lacks scep_challenge_provider" in tenant.wrong()[0]


BODIES = {
    "no_json": (b"{", "no JSON"),
    "not_utf8": (b'{"request": "\xff"}', "no JSON"),
    "a_list": ([], "no object"),
    "no_request": ({}, "lacks request"),
    "more": ({"request": {}, "x": 1}, "unknown x"), "a_text": ({"request": "x"}, "request is no object"),
    "twice": (b'{"request":{"transactionId":"a","transactionId":"T1","certificateRequest":"eA==","callerInfo":"x"}}', "twice: transactionId"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(client, tenant, name):
    body, blame = BODIES[name]
    assert client.post("validate", body).status == 400
    assert blame in tenant.wrong("validate")[0]


@pytest.mark.parametrize("key", ["transactionId", "certificateRequest", "callerInfo"])
@pytest.mark.parametrize("value", [None, "", " ", 7])
def test_fields_of_the_request(client, tenant, key, value):
    assert client.post("validate", client.validation(b"x", **{key: value})).status == 400
    assert tenant.wrong("validate") == [f"{key} is no text, or an empty one"]
    assert client.post("validate", client.validation(b"x", unknown=1)).status == 400
    assert "unknown" in tenant.wrong("validate")[-1]


# ---- notifications


@pytest.fixture
def validated(client, tenant, make_csr):
    """The CSR of a transaction T1 that Intune said Success to."""
    csr = make_csr(tenant.mint_challenge()["challenge"])
    assert client.post("validate", client.validation(csr)).json["code"] == "Success"
    return csr


def test_a_success_is_recorded_and_may_be_told_again(client, tenant, validated, certificate):
    told = client.success(validated, certificate)
    for _ in range(2):
        answer = client.post("success", told)
        assert (answer.status, answer.json["code"]) == (200, "Success")
    assert tenant.transactions()["T1"]["success"] == told["notification"] and tenant.wrong() == []


def test_a_failure_is_recorded_and_may_be_told_again(client, tenant, validated):
    told = client.failure(validated)
    for _ in range(2):
        assert client.post("failure", told).json["code"] == "Success"
    assert tenant.transactions()["T1"]["failure"] == told["notification"] and tenant.wrong() == []


SUCCESS_FIELDS = {
    "thumbprint_lower": ({"certificateThumbprint": "ab" * 20}, "certificateThumbprint"),
    "thumbprint_colons": ({"certificateThumbprint": "AB:CD"}, "certificateThumbprint"),
    "thumbprint_sha256": ({"certificateThumbprint": "AB" * 32}, "certificateThumbprint"),
    "serial_lower": ({"certificateSerialNumber": "abcdef"}, "certificateSerialNumber"),
    "serial_0x": ({"certificateSerialNumber": "0xAB"}, "certificateSerialNumber"),
    "serial_number": ({"certificateSerialNumber": 17}, "certificateSerialNumber"),
    "expiry_local": ({"certificateExpirationDateUtc": "2099-01-01T00:00:00"}, "certificateExpirationDateUtc"),
    "expiry_no_fraction": ({"certificateExpirationDateUtc": "2099-01-01T00:00:00Z"}, "certificateExpirationDateUtc"),
    "expiry_no_date": ({"certificateExpirationDateUtc": "2099-13-01T00:00:00.000Z"}, "certificateExpirationDateUtc"),
    "expiry_over": ({"certificateExpirationDateUtc": "2001-01-01T00:00:00.000Z"}, "is over"),
    "issuer_empty": ({"issuingCertificateAuthority": ""}, "issuingCertificateAuthority"),
    "no_configuration": ({"caConfiguration": ...}, "lacks caConfiguration"),
    "configuration_null": ({"caConfiguration": None}, "caConfiguration"),
    "authority_empty": ({"certificateAuthority": ""}, "certificateAuthority"),
    "no_authority": ({"certificateAuthority": ...}, "lacks certificateAuthority"), "more": ({"chain": "x"}, "unknown chain"),
    "other_csr": ({"certificateRequest": "AAAA"}, "is not the one that was validated"),
    "other_transaction": ({"transactionId": "T2"}, "never validated"),
    "other_caller": ({"callerInfo": "somebody"}, "not that of the validation"),
}


@pytest.mark.parametrize("name", SUCCESS_FIELDS)
def test_a_success_is_refused(client, tenant, validated, certificate, name):
    changed, blame = SUCCESS_FIELDS[name]
    assert client.post("success", client.success(validated, certificate, **changed)).status == 400
    assert blame in tenant.wrong("success")[0] and tenant.transactions()["T1"]["success"] is None


FAILURE_FIELDS = {
    "result_text": ({"hResult": "0x80004005"}, "hResult"),
    "result_unsigned": ({"hResult": 0x8000FFFF}, "hResult"),
    "result_zero": ({"hResult": 0}, "hResult"),
    "result_true": ({"hResult": True}, "hResult"), "result_fraction": ({"hResult": 1.5}, "hResult"),
    "description_empty": ({"errorDescription": ""}, "errorDescription"),
    "description_long": ({"errorDescription": "x" * 256}, "256 characters"),
    "no_description": ({"errorDescription": ...}, "lacks errorDescription"),
    "other_csr": ({"certificateRequest": "AAAA"}, "is not the one that was validated"),
}


@pytest.mark.parametrize("name", FAILURE_FIELDS)
def test_a_failure_is_refused(client, tenant, validated, name):
    changed, blame = FAILURE_FIELDS[name]
    assert client.post("failure", client.failure(validated, **changed)).status == 400
    assert blame in tenant.wrong("failure")[0] and tenant.transactions()["T1"]["failure"] is None


def test_a_description_may_have_255_characters(client, tenant, validated):
    assert client.post("failure", client.failure(validated, errorDescription="x" * 255)).json["code"] == "Success"


def test_nobody_is_told_of_what_was_refused(client, tenant, make_csr, certificate):
    csr = make_csr(tenant.mint_challenge(known=False)["challenge"])
    client.post("validate", client.validation(csr))
    for call, told in (("failure", client.failure(csr)), ("success", client.success(csr, certificate))):
        assert client.post(call, told).status == 400
        assert tenant.wrong(call) == ["a notification after BadCertificateRequestIdInChallenge"]


def test_nor_of_what_nobody_answered(client, tenant, make_csr):
    csr = make_csr(tenant.mint_challenge()["challenge"])
    for hidden in (behaviours.fields(code=None), behaviours.no_code(), behaviours.lost_reply(), behaviours.truncated(), behaviours.code("success"),
                   behaviours.fields(code="Invented"), behaviours.huge(), behaviours.gzip(), behaviours.html(), behaviours.status(503)):
        tenant.script("validate", hidden)
        try:
            client.post("validate", client.validation(csr))
        except OSError:
            pass
        assert client.post("failure", client.failure(csr)).status == 400
    assert client.post("validate", client.validation(csr)).json["code"] == "Success"
    assert client.post("failure", client.failure(csr)).status == 200


def test_one_outcome_for_one_request(client, tenant, validated, certificate):
    told = client.success(validated, certificate)
    client.post("success", told)
    assert client.post("failure", client.failure(validated)).status == 400 and tenant.wrong("failure") == ["a failure after a success"]
    other = copy.deepcopy(told)
    other["notification"]["certificateSerialNumber"] = "01"
    assert client.post("success", other).status == 400 and tenant.wrong("success") == ["another success for the same request"]


def test_no_success_after_a_failure(client, tenant, validated, certificate):
    client.post("failure", client.failure(validated))
    assert client.post("success", client.success(validated, certificate)).status == 400
    assert client.post("failure", client.failure(validated, hResult=-1)).status == 400
    assert (tenant.wrong("success"), tenant.wrong("failure")) == (["a success after a failure"], ["another failure for the same request"])


def test_a_transaction_repeats_with_another_request(client, tenant, validated, certificate, make_csr):
    client.post("success", client.success(validated, certificate))
    again = make_csr(tenant.mint_challenge()["challenge"])
    assert client.post("validate", client.validation(again)).json["code"] == "Success"
    assert client.post("success", client.success(again, certificate)).status == 200 and tenant.wrong() == []


def test_a_reply_is_lost_after_it_was_recorded(client, tenant, validated, certificate):
    tenant.script("success", behaviours.lost_reply())
    told = client.success(validated, certificate)
    with pytest.raises(OSError):
        client.post("success", told)
    assert tenant.transactions()["T1"]["success"] == told["notification"]
    assert client.post("success", told).json["code"] == "Success" and tenant.wrong() == []
