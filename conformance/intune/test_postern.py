"""A real Postern with its real client: what devices get, what Intune hears, and what nobody may read."""
import json
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from harness import scep_message as cms
from harness.row_table import row
from harness.scep_reply import FAILURE, SUCCESS
from harness.scep_style import STYLES
from intune import behaviours
from intune.site import csr_of, logs, nothing_written_down
from intune.validation import CODES

MANAGED = ("apple", "windows", "android")


def refused(reply, text=None, info="badRequest"):
    assert (reply.status, reply.fail_info) == (FAILURE, info), reply.text
    assert reply.certificates == [] and (text is None or reply.text == text), reply.text


# ---- the way that every device goes

@pytest.fixture(params=MANAGED)
def client_kind(request):
    return request.param


def test_a_device_enrolls(site, client_kind):
    device = site.device(STYLES[client_kind])
    csr = device.csr(site.challenge(device))
    reply = device.enroll(csr=csr)
    assert reply.status == SUCCESS, reply.text
    seen = [(call, json.loads(entry.body)) for call in ("validate", "success") for entry in site.asked(call)]
    mine = [(call, told["request" if call == "validate" else "notification"]) for call, told in seen]
    mine = [(call, told) for call, told in mine if told["transactionId"] == device.style.transaction_id(device.key)]
    assert [call for call, _ in mine] == ["validate", "success"], "each once, in this order"
    assert {csr_of(told) for _, told in mine} == {csr}, "octet by octet"
    told, certificate = mine[1][1], reply.certificate
    assert told["certificateThumbprint"] == certificate.fingerprint(hashes.SHA1()).hex().upper()
    assert int(told["certificateSerialNumber"], 16) == certificate.serial_number
    assert told["certificateExpirationDateUtc"][:19] == certificate.not_valid_after.strftime("%Y-%m-%dT%H:%M:%S")
    assert told["issuingCertificateAuthority"] and told["caConfiguration"] == told["certificateAuthority"] != ""
    assert {told["callerInfo"] for _, told in mine} == {mine[0][1]["callerInfo"]} and "Postern" in mine[0][1]["callerInfo"]
    site.nothing_wrong()


def newest_activity(site, call):
    return dict(site.asked(call)[-1].headers)["client-request-id"]


def test_the_decision_is_on_record(site, server):
    device = site.device()
    assert device.enroll(site.challenge(device)).status == SUCCESS
    records = server.explain(site.certificates(device)[0]["serial"])
    by_action = {record["action"]: record["detail"] for record in records}
    assert f"intune Success by azure account default/{site.name}" in json.dumps(by_action["enrollment.intent"])
    assert by_action["intune.notified"]["told"] == "success" and by_action["intune.notified"]["released"] is True
    # Microsoft's support asks for the activities.
    assert newest_activity(site, "validate") in json.dumps(by_action["enrollment.intent"])
    assert newest_activity(site, "success") == by_action["intune.notified"]["activity"]
    site.tenant.script("validate", behaviours.code("ChallengeExpired"))
    other = site.device()
    refused(other.enroll(site.challenge(other)), "ChallengeExpired")
    [refusal] = server.explain(other.style.transaction_id(other.key))
    assert (refusal["outcome"], refusal["check"]) == ("refused", "intune.ChallengeExpired")
    assert newest_activity(site, "validate") in json.dumps(refusal["detail"])


# ---- Intune says no

@row("S09")
@pytest.mark.together
@pytest.mark.parametrize("code", [*CODES, "AnInventedCode", "success", "SUCCESS"])
def test_a_code_refuses(site, code):
    device = site.device()
    site.tenant.script("validate", behaviours.code(code))
    refused(device.enroll(site.challenge(device)), code)
    assert site.certificates(device) == []
    assert (site.transaction(device).success, site.transaction(device).failure) == (None, None), "nothing is told of what was not validated"


REAL = {
    "SubjectNameMismatch": {"subject": [["CN", "phone-of-somebody-else"]]}, "KeyLengthMismatch": {"key_size": 4096},
    "EnhancedKeyUsageMismatch": {"extended_key_usage": ["1.3.6.1.5.5.7.3.1"]}, "KeyUsageMismatch": {"key_usage": ["digitalSignature"]},
    "SubjectAltNameMissing": {"names": ["dns:phone.devices.test"]}, "ChallengeExpired": {"begins_in": -10, "lives": 9}, "RegisteredKeyMismatch": {"keys": ["00" * 32]},
    "ScepProfileNoLongerTargetedToTheClient": {"targeted": False}, "SignatureValidationFailed": {"flaw": "signature"},
    "ChallengeDecryptionError": {"flaw": "decryption"}, "ChallengeDecodingError": {"flaw": "encoding"}, "BadDeviceIdInChallenge": {"known_device": False}}


@row("S09")
@pytest.mark.together
@pytest.mark.parametrize("code", REAL)
def test_what_intune_finds_out_itself(site, code):
    """S08: the challenge of one device, and the wishes of another."""
    device = site.device()
    refused(device.enroll(site.challenge(device, **REAL[code])), code)
    assert site.certificates(device) == []
    site.nothing_wrong()


@row("S09")
def test_a_challenge_of_another_tenant(site, own_site):
    other, device = own_site(), site.device()
    refused(device.enroll(other.challenge(device)), "BadTenantIdInChallenge")


def test_without_a_challenge(site):
    device = site.device()
    refused(device.enroll(), "the request has no challenge")
    refused(device.ask(device.enroll_message("x" * 17000)))
    assert site.certificates(device) == [] and site.transaction(device).code is None


@pytest.mark.parametrize("length, endpoint, words", [(16384, "own", None), (16385, "own", "challenge: expected a challenge of Intune's: 1 to 16384 characters"),
                                                     (256, "devices", "challenge: expected an access code: 1 to 255 characters")])
def test_what_a_profile_takes_for_a_challenge(site, server, tmp_path, length, endpoint, words):
    secret = tmp_path / "challenge"
    secret.touch(0o600)
    secret.write_text("x" * length + "\n")
    done = server.verb("endpoint", "client-config", site.name if endpoint == "own" else endpoint, "--for", "apple", "--challenge-file", secret,
                       "--out", tmp_path / "out", "--data", server.data)
    if words is None:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 1 and words in done.stderr and not (tmp_path / "out").exists(), done.stderr


# ---- Intune is not well

JUNK = {"html": behaviours.html(), "empty": behaviours.empty(), "no_content": behaviours.no_content(), "malformed": behaviours.malformed(),
        "truncated": behaviours.truncated(), "not_an_object": behaviours.not_an_object(), "huge": behaviours.huge(), "no_code": behaviours.no_code(),
        "null_code": behaviours.fields(code=None), "400": behaviours.status(400), "401": behaviours.status(401), "403": behaviours.status(403),
        "404": behaviours.status(404), "408": behaviours.status(408), "409": behaviours.status(409), "410": behaviours.status(410),
        "500": behaviours.status(500), "503": behaviours.status(503), "429": behaviours.throttled(), "429_later": behaviours.throttled(86400),
        "silence": behaviours.silence(), "reset": behaviours.reset(), "cut": behaviours.closed(40), "drip": behaviours.drip(1)}


@row("S09")
@pytest.mark.together
@pytest.mark.parametrize("how", JUNK)
def test_no_certificate_without_a_yes(own_site, how):
    """S09. The device reads FAILURE within the time of its account, whatever Intune does."""
    site = own_site(within="3s")
    site.tenant.script("validate", JUNK[how], always=True)
    device = site.device()
    refused(device.enroll(site.challenge(device)))
    assert site.certificates(device) == []
    told = site.transaction(device)
    assert (told.success, told.failure) == (None, None)
    site.standin.release()


@row("S09")
@pytest.mark.together
@pytest.mark.parametrize("how", {"chunked": behaviours.chunked(), "fields": behaviours.extra_fields(), "null": behaviours.fields(errorDescription=None)}.items(),
                         ids=lambda item: item[0])
def test_a_yes_in_other_words(site, how):
    device = site.device()
    site.tenant.script("validate", how[1])
    assert device.enroll(site.challenge(device)).status == SUCCESS


def test_a_hiccup_costs_nothing(site):
    device = site.device()
    site.tenant.script("validate", behaviours.status(503), behaviours.reset())
    site.tenant.script("success", behaviours.status(503))
    assert device.enroll(site.challenge(device)).status == SUCCESS
    site.nothing_wrong()


# ---- the notification

LOST = {"500": behaviours.status(500), "403": behaviours.status(403), "400": behaviours.status(400), "silence": behaviours.silence(),
        "refused": behaviours.code("SomethingElse"), "lost": behaviours.lost_reply(), "429": behaviours.throttled(3600)}


@row("S09")
@pytest.mark.together
@pytest.mark.parametrize("how", LOST)
def test_what_intune_cannot_be_told_of_is_revoked(own_site, how):
    site = own_site(within="3s")
    site.tenant.script("success", LOST[how], always=True)
    device = site.device()
    challenge = site.challenge(device)
    refused(device.enroll(challenge))
    [row] = site.certificates(device)
    assert row["status"] == "revoked"
    site.standin.release()
    site.standin.clear_scripts()
    refused(device.enroll(challenge), "the certificate of this challenge was revoked; a new challenge is needed")
    assert len(site.certificates(device)) == 1 and site.transaction(device).failure is None
    site.nothing_wrong()


def test_a_notification_whose_answer_is_lost_is_repeated(site):
    device = site.device()
    site.tenant.script("success", behaviours.lost_reply())
    before = len(site.asked("success"))
    assert device.enroll(site.challenge(device)).status == SUCCESS
    first, second = site.asked("success")[before:]
    assert first.body == second.body
    site.nothing_wrong()


def test_deliver_first(own_site):
    site = own_site(more="deliver_first = true", within="3s")
    site.tenant.script("success", behaviours.status(503), behaviours.status(503), behaviours.status(503))
    device = site.device()
    assert device.enroll(site.challenge(device)).status == SUCCESS
    told = site.await_told(device, "success")
    assert int(told["certificateSerialNumber"], 16) == x509.load_der_x509_certificate(device.certificate).serial_number
    assert site.certificates(device)[0]["status"] == "issued"


def test_what_policy_refuses_is_told_as_a_failure(site):
    device = site.device(subject=f"server-{site.name}")
    reply = device.enroll(site.challenge(device))
    refused(reply)
    assert "common_names" in reply.text
    told = site.await_told(device, "failure")
    assert "common_names" in told["errorDescription"] and told["hResult"] < 0
    assert site.transaction(device).success is None and site.certificates(device) == []
    site.nothing_wrong()


# ---- a challenge counts once

def test_the_same_again_is_the_same_certificate(site):
    """Intune would say Success each time."""
    device = site.device()
    challenge = site.challenge(device)
    replies = [device.enroll(challenge) for _ in range(3)]
    assert {reply.status for reply in replies} == {SUCCESS}
    assert len({reply.certificates[0] for reply in replies}) == 1 and len(site.certificates(device)) == 1
    mine = [entry for entry in site.asked("validate") if device.style.transaction_id(device.key) in entry.body]
    assert len(mine) == 1


@row("S09")
def test_another_key_with_a_used_challenge(site, server):
    device, thief = site.device(), None
    challenge = site.challenge(device)
    assert device.enroll(challenge).status == SUCCESS
    thief = site.device(subject=device.profile.subject[0][1])
    before = logs(server).count('"event":"challenge_reused"')
    refused(thief.enroll(challenge), "the challenge was used before, by another key")
    assert logs(server).count('"event":"challenge_reused"') == before + 1
    assert len(site.certificates(device)) == 1


@row("S09")
def test_one_challenge_sixteen_times_at_once(site):
    """S07, of one device that asks again and again before it is answered."""
    device = site.device()
    challenge = site.challenge(device)
    messages = [device.enroll_message(challenge) for _ in range(16)]
    replies = [None] * len(messages)

    def ask(number):
        replies[number] = device.ask(messages[number])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(messages))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({reply.certificates[0] for reply in replies if reply.status == SUCCESS}) == 1
    assert [row["status"] for row in site.certificates(device)] == ["issued"]
    site.nothing_wrong()


def test_a_certificate_renews_nothing_here(site):
    device = site.device(STYLES["strongswan"])
    assert device.enroll(site.challenge(device)).status == SUCCESS
    reply = device.ask(device.renew_message(kind=cms.RENEWAL_REQ))
    assert (reply.status, reply.text) == (FAILURE, "RenewalReq is not offered here; send a PKCSReq")
    refused(device.ask(device.renew_message(kind=cms.PKCS_REQ)), "the request has no challenge")
    assert len(site.certificates(device)) == 1


# ---- Intune's queue

def test_what_intune_wants_revoked(site, server):
    devices = [site.device() for _ in range(3)]
    for device in devices:
        assert device.enroll(site.challenge(device)).status == SUCCESS
    one, two, three = devices
    by = {device: site.transaction(device).success for device in devices}
    first, = site.tenant.queue_revocation(transaction=one.style.transaction_id(one.key), lower=True)
    server.cli("cert", "revoke", site.certificates(two)[0]["serial"], "--reason", "4")
    second, = site.tenant.queue_revocation(transaction=two.style.transaction_id(two.key))
    issuer = by[one]["caConfiguration"]
    unknown, = site.tenant.queue_revocation(serial="0000ABCD", issuer="CN=whatever", configuration=issuer)
    site.tenant.queue_revocation(serial=by[three]["certificateSerialNumber"], issuer="CN=Another CA", configuration="another")
    counts = site.revocations()
    assert {key: counts[key] for key in ("asked", "revoked", "refused", "foreign", "told")} == {
        "asked": 4, "revoked": 1, "refused": 2, "foreign": 1, "told": 3}
    told = {result["requestContext"]: (result["succeeded"], result["errorCode"]) for result in site.tenant.results()}
    assert told == {first: (True, "None"), second: (False, "ConflictError"), unknown: (False, "CertificateNotFoundError")}
    assert [site.certificates(device)[0]["status"] for device in devices] == ["revoked", "revoked", "issued"]
    # Given out once more, it hears the same.
    site.tenant.redeliver(context=first)
    assert site.revocations()["told"] == 1
    assert site.tenant.results()[-1]["succeeded"] is True
    site.nothing_wrong()


def test_the_results_wait_for_intune(own_site):
    site = own_site()
    device = site.device()
    assert device.enroll(site.challenge(device)).status == SUCCESS
    site.tenant.queue_revocation(transaction=device.style.transaction_id(device.key), times=2)
    site.tenant.script("upload", *[behaviours.status(503)] * 3)
    assert site.server.verb("azure", "revocations", site.name, "--data", site.server.data).returncode != 0
    assert site.certificates(device)[0]["status"] == "revoked" and site.tenant.results() == []
    assert site.revocations()["told"] == 2
    assert sorted(result["errorCode"] for result in site.tenant.results()) == ["ConflictError", "None"]


def test_another_tenants_queue_reaches_nobody_elses(site, own_site):
    other, device = own_site(), site.device()
    assert device.enroll(site.challenge(device)).status == SUCCESS
    told = site.transaction(device).success
    other.tenant.queue_revocation(serial=told["certificateSerialNumber"], issuer=told["issuingCertificateAuthority"], configuration=told["caConfiguration"])
    assert other.revocations()["revoked"] == 0
    assert [result["errorCode"] for result in other.tenant.results()] == ["CertificateNotFoundError"]
    assert site.certificates(device)[0]["status"] == "issued"


# ---- the last one, since it looks at what all others left

def test_nobody_wrote_a_secret_down(standin, server, database):
    assert len(standin.confidential()) > 20, "tokens, challenges, client secrets"
    nothing_written_down(standin, server, database)


def test_every_row_of_the_catalogue_has_a_test(request):
    assert request.config.pluginmanager.get_plugin("row-table").missing() == []
