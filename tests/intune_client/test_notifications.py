"""What Intune is told, and its queue of revocations (intune.md §4 and §6)."""
import pytest
from intune import behaviours
from intune.revocation import CODES, LEASE


def test_success_is_told_in_every_field(client, tenant, csr, certificate):
    assert client.validate(csr).ok and client.success(csr, certificate).ok and tenant.wrong() == []
    told = tenant.transactions()["T1"]["success"]
    assert told["certificateSerialNumber"] == "ABCDEF0123456789" and told["caConfiguration"] == told["certificateAuthority"] == "issuer-1"
    assert told["issuingCertificateAuthority"] == "CN=Issuing" and told["callerInfo"] == "Postern/test"
    assert told["certificateExpirationDateUtc"] == certificate.not_valid_after.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_failure_is_told(client, tenant, csr):
    assert client.validate(csr).ok and client.failure(csr).ok and tenant.wrong() == []
    told = tenant.transactions()["T1"]["failure"]
    assert (told["hResult"], told["errorDescription"]) == (-2147418113, "the CA refused")


@pytest.mark.parametrize("description, told", [("", "the certificate could not be issued"), (" \n", "the certificate could not be issued"),
                                               ("x" * 300, "x" * 255), ("ü" * 200, "ü" * 127)])
def test_a_description_fits(client, tenant, csr, description, told):
    assert client.validate(csr).ok and client.failure(csr, description=description, hresult=0).ok and tenant.wrong() == []
    assert tenant.transactions()["T1"]["failure"]["errorDescription"] == told
    assert tenant.transactions()["T1"]["failure"]["hResult"] == -2147418113


AGAIN = {"503": behaviours.status(503), "429": behaviours.throttled(1), "401": behaviours.status(401), "404": behaviours.status(404),
         "reset": behaviours.reset(), "lost": behaviours.lost_reply()}


@pytest.mark.parametrize("call", ["success", "failure"])
@pytest.mark.parametrize("name", AGAIN)
def test_a_notification_is_told_again_in_the_same_words(client, tenant, csr, certificate, call, name):
    assert client.validate(csr).ok
    tenant.script(call, AGAIN[name])
    got = client.success(csr, certificate) if call == "success" else client.failure(csr)
    assert got.ok and tenant.wrong() == []
    entries = tenant.asked(call)
    assert len(entries) >= 2 and len({entry.body for entry in entries}) == 1
    assert tenant.transactions()["T1"][call] is not None


NO = {"code": (behaviours.code("ChallengeExpired"), "intune.ChallengeExpired"), "no_code": (behaviours.no_code(), "intune.answer"),
      "html": (behaviours.html(), "intune.answer"), "huge": (behaviours.huge(), "intune.answer"), "400": (behaviours.status(400), "intune.rejected"),
      "403": (behaviours.status(403), "intune.permission"), "503": (behaviours.status(503), "intune.unreachable")}


@pytest.mark.parametrize("call", ["success", "failure"])
@pytest.mark.parametrize("name", NO)
def test_a_notification_that_is_not_taken(client, tenant, csr, certificate, call, name):
    behaviour, check = NO[name]
    assert client.validate(csr).ok
    tenant.script(call, behaviour, always=True)
    got = client.success(csr, certificate) if call == "success" else client.failure(csr)
    assert (got.ok, got.check) == (False, check)


def test_a_notification_of_nothing_is_refused(client, csr, certificate):
    assert client.success(csr, certificate).check == "intune.rejected"


# ---- revocations


def download(client, most=500):
    got = client.ask("download", most=most)
    assert got.ok, got
    return got.value


def done(context, code=0, message=""):
    return {"context": context, "code": code, "message": message}


def test_an_empty_queue(client, tenant):
    assert download(client) == [] and tenant.wrong() == []


def test_what_intune_wants_revoked_comes_back(client, tenant, csr, certificate, standin):
    client.validate(csr)
    client.success(csr, certificate)
    context, = tenant.queue_revocation(transaction="T1", lower=True)
    item, = download(client)
    assert item == {"context": context, "serial": "abcdef0123456789", "issuer": "CN=Issuing", "issuer_id": "issuer-1"}
    assert client.ask("upload", results=[done(context)]).ok and tenant.wrong() == []
    assert tenant.results() == [{"requestContext": context, "succeeded": True, "errorCode": "None", "errorMessage": None}]
    standin.move_clock(seconds=LEASE + 1)
    tenant.withdraw_tokens()
    assert download(client) == []


def test_five_hundred_and_the_rest(client, tenant):
    tenant.queue_revocation(serial="01", issuer="CN=Issuing", configuration="other", times=501)
    assert [len(download(client, most)) for most in (500, 9999, 0)] == [500, 1, 0] and tenant.wrong() == []


@pytest.mark.parametrize("number, name", enumerate(CODES))
def test_every_result_has_intunes_name(client, tenant, number, name):
    context, = tenant.queue_revocation(serial="01", issuer="CN=Issuing")
    download(client)
    assert client.ask("upload", results=[done(context, number, "because")]).ok and tenant.wrong() == []
    told, = tenant.results()
    assert (told["errorCode"], told["succeeded"]) == (name, number == 0) and told["errorMessage"] == (None if number == 0 else "because")


@pytest.mark.parametrize("name, behaviour, check", [
    ("false", behaviours.fields(value=False), "intune.rejected"), ("text", behaviours.fields(value="true"), "intune.answer"),
    ("nothing", {"remove": ["value"]}, "intune.answer"), ("html", behaviours.html(), "intune.answer"),
    ("503", behaviours.status(503), "intune.unreachable"), ("403", behaviours.status(403), "intune.permission"),
    ("400", behaviours.status(400), "intune.rejected")])
def test_results_that_are_not_taken(client, tenant, name, behaviour, check):
    context, = tenant.queue_revocation(serial="01", issuer="CN=Issuing")
    download(client)
    tenant.script("upload", behaviour, always=True)
    assert client.ask("upload", results=[done(context)]).check == check


@pytest.mark.parametrize("behaviour, check", [(behaviours.fields(value=True), "intune.answer"), (behaviours.no_content(), "intune.answer"),
                                              (behaviours.huge(), "intune.answer"), (behaviours.status(500), "intune.unreachable")])
def test_a_queue_that_is_none(client, tenant, behaviour, check):
    tenant.script("download", behaviour, always=True)
    assert client.ask("download", most=5).check == check


def test_an_item_that_cannot_be_read_does_not_hold_up_the_others(client, tenant):
    tenant.script("download", behaviours.fields(value=[{"requestContext": "a"}, 7, {"serialNumber": "01"}, {"requestContext": "b", "serialNumber": "02"}]))
    assert download(client) == [{"context": "b", "serial": "02", "issuer": "", "issuer_id": ""}]
