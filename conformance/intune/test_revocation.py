"""The queue of revocations: what it gives, and what it takes back."""
import pytest
from intune import behaviours
from intune.revocation import CODES, LEASE

pytestmark = pytest.mark.together


def asked(most=500, issuer=None, **changed):
    return {"downloadParameters": {"maxRequests": most, "issuerName": issuer, **changed}}


def done(context, **changed):
    return {"requestContext": context, "succeeded": True, "errorCode": "None", "errorMessage": None, **changed}


@pytest.fixture
def download(client):
    def download(*how, **changed):
        answer = client.post("download", asked(*how, **changed))
        assert answer.status == 200, answer.body
        return answer.json["value"]
    return download


@pytest.fixture
def upload(client):
    return lambda *results: client.post("upload", {"results": list(results)})


def test_an_empty_queue(download, tenant):
    assert download() == [] and tenant.wrong() == []


def test_one_is_downloaded_and_done(download, upload, tenant, standin):
    context, = tenant.queue_revocation(serial="AB01", issuer="CN=Issuing", configuration="issuer-1")
    assert download() == [{"requestContext": context, "serialNumber": "AB01", "issuerName": "CN=Issuing", "caConfiguration": "issuer-1"}]
    answer = upload(done(context))
    assert (answer.status, answer.json["value"]) == (200, True)
    standin.move_clock(seconds=LEASE + 1)
    assert download() == [] and tenant.results() == [done(context)] and tenant.wrong() == []


def test_what_intune_was_told_comes_back(client, download, tenant, make_csr, certificate):
    csr = make_csr(tenant.mint_challenge()["challenge"])
    client.post("validate", client.validation(csr))
    with pytest.raises(ValueError, match="nothing was issued"):
        tenant.queue_revocation(transaction="T1")
    client.post("success", client.success(csr, certificate))
    tenant.queue_revocation(transaction="T1", lower=True, times=2)
    found = download()
    assert {item["serialNumber"] for item in found} == {"abcdef0123456789"} and {item["caConfiguration"] for item in found} == {"issuer-1"}
    assert len({item["requestContext"] for item in found}) == 2


def test_five_hundred_at_once_and_no_more(client, download, tenant):
    tenant.queue_revocation(serial="01", issuer="CN=Issuing", times=501)
    assert len(download()) == 500 and len(download()) == 1 and len(download()) == 0
    for most in (0, 501, -1, "5", True, None, 1.5):
        assert client.post("download", asked(most)).status == 400, most


def test_the_filter_looks_at_what_was_cut_off(download, tenant):
    """An empty page does not mean that there is nothing (IRA #133), and the filter is not about the issuer's name."""
    tenant.queue_revocation(serial="01", issuer="CN=Issuing", configuration="other", times=2)
    tenant.queue_revocation(serial="02", issuer="CN=Issuing", configuration="mine")
    assert download(2, "mine") == []
    assert download(500, "CN=Issuing") == []
    assert [item["serialNumber"] for item in download(3, "mine")] == ["02"]
    assert [item["serialNumber"] for item in download()] == ["01", "01"]


def test_an_item_comes_again(download, upload, tenant, standin):
    context, = tenant.queue_revocation(serial="01", issuer="CN=Issuing")
    assert len(download()) == 1 and download() == []
    standin.move_clock(seconds=LEASE + 1)
    assert len(download()) == 1
    upload(done(context))
    tenant.redeliver(context=context)
    assert [item["requestContext"] for item in download()] == [context]
    assert upload(done(context, succeeded=False, errorCode="ConflictError", errorMessage="already revoked")).json["value"] is True
    assert len(tenant.results()) == 2 and tenant.revocations()[0]["delivered"] == 3 and tenant.wrong() == []


@pytest.mark.parametrize("code", sorted(set(CODES) - {"None"}))
@pytest.mark.parametrize("spelled", ["name", "number"])
def test_every_error_is_final_or_not(download, upload, tenant, code, spelled):
    context, = tenant.queue_revocation(serial="01", issuer="CN=Issuing")
    download()
    said = code if spelled == "name" else str(CODES[code])
    assert upload(done(context, succeeded=False, errorCode=said, errorMessage="x")).json["value"] is True
    assert len(download()) == (1 if CODES[code] >= 4100 else 0) and tenant.wrong() == []


RESULTS = {
    "unknown_context": ({"requestContext": "other"}, "requestContext is not one of"),
    "unknown_code": ({"succeeded": False, "errorCode": "Oops"}, "'Oops' is unknown"),
    "code_number": ({"succeeded": False, "errorCode": 4004}, "4004 is unknown"), "text": ({"succeeded": "true"}, "no boolean"),
    "success_with_code": ({"errorCode": "ConflictError"}, "succeeded with an error"),
    "success_with_message": ({"errorMessage": "x"}, "succeeded with an error"),
    "failure_without_code": ({"succeeded": False}, "not succeeded without an error"),
    "more": ({"serialNumber": "01"}, "unknown serialNumber"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_refused(download, upload, tenant, name):
    changed, blame = RESULTS[name]
    context, = tenant.queue_revocation(serial="01", issuer="CN=Issuing")
    download()
    assert upload(done(context, **changed)).status == 400
    assert blame in tenant.wrong("upload")[0] and tenant.results() == []


def test_uploads_that_are_none(client, download, upload, tenant):
    context, = tenant.queue_revocation(serial="01", issuer="CN=Issuing")
    assert upload(done(context)).status == 400, "nobody downloaded it"
    download()
    assert upload().status == 400 and upload(done(context), done(context)).status == 400 and upload("x").status == 400
    assert client.post("upload", {"results": {}}).status == 400 and client.post("upload", {}).status == 400
    assert upload({"requestContext": context}).status == 400
    assert len(tenant.wrong("upload")) == 7
    assert upload({"requestContext": context, "succeeded": True}).json["value"] is True, "code and message may be left out"


def test_downloads_that_are_none(client, tenant):
    for body in ({}, {"downloadParameters": {"maxRequests": 1}}, asked(issuer=7), asked(more=1), asked(api="x"), b"[]"):
        assert client.post("download", body).status == 400, body
    assert client.post("download", asked(), api_version="2018-02-20").status == 400
    assert len(tenant.wrong("download")) == 7


def test_a_queue_is_its_tenants(standin, download, upload, tenant):
    other = standin.of(standin.add_tenant()["id"])
    context, = other.queue_revocation(serial="01", issuer="CN=Issuing")
    assert download() == [] and upload(done(context)).status == 400


def test_an_upload_that_is_not_taken(download, upload, tenant):
    context, = tenant.queue_revocation(serial="01", issuer="CN=Issuing")
    download()
    tenant.script("upload", behaviours.instead(value=False), behaviours.status(503), behaviours.lost_reply())
    assert upload(done(context)).json["value"] is False and tenant.results() == []
    assert upload(done(context)).status == 503 and tenant.results() == []
    with pytest.raises(OSError):
        upload(done(context))
    assert tenant.results() == [done(context)]
    assert upload(done(context)).json["value"] is True, "what was lost may be told again"
