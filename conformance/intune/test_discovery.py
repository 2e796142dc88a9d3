"""Graph's list of endpoints, right, wrong, and moved."""
import ssl
import uuid

import pytest
from intune import behaviours
from intune.tenants import REVOCATION, VALIDATION

pytestmark = pytest.mark.together

FOREIGN = "https://fef.evil.example/RACerts/StatelessScepRequestValidationService/1"


def test_the_services_are_found(client, tenant):
    found = client.discover()
    assert {VALIDATION.lower(), REVOCATION.lower()} < set(found)
    assert found[VALIDATION.lower()] == tenant.tenant()["locations"][VALIDATION]
    assert tenant.wrong() == []
    entry, = tenant.asked("endpoints")
    assert (entry.method, entry.tenant, entry.status) == ("GET", tenant.id, 200)


def test_the_other_spelling(client, tenant):
    url = client.endpoints_url().replace("/appId=0000000a-0000-0000-c000-000000000000", "(appId='0000000a-0000-0000-c000-000000000000')")
    assert client.ask_endpoints(url).status == 200 and tenant.wrong() == []


def test_paths_and_methods(client, tenant):
    url = client.endpoints_url()
    for wrong in (url.replace("v1.0", "beta"), url.replace("0000000a", "0000000b"), url + "/", url.replace("/endpoints", "")):
        assert client.ask_endpoints(wrong).status == 404, wrong
    assert client.ask_endpoints(method="POST").status == 404
    assert len(tenant.wrong()) == 5
    assert client.ask_endpoints(url + "?$top=1").status == 400
    assert tenant.wrong()[-1] == "an unknown query: $top=1"
    client.send("GET", url, b"{}", client.headers("graph_scope"))
    assert tenant.wrong()[-1] == "a body in a GET"


@pytest.mark.parametrize("changed, blame", [
    ({"client_request_id": None}, "client-request-id is [], not one GUID"),
    ({"client_request_id": "17"}, "client-request-id is ['17'], not one GUID"),
    ({"client_request_id": [str(uuid.uuid4()), str(uuid.uuid4())]}, "not one GUID"), ({"User_Agent": None}, "no User-Agent"),
    ({"Host": "other.example"}, "not one Host")], ids=["no_id", "no_guid", "two_ids", "no_agent", "two_hosts"])
def test_headers_are_blamed(client, tenant, changed, blame):
    client.ask_endpoints(**changed)
    wrong, = tenant.wrong("endpoints")
    assert blame in wrong


def test_an_activity_id_is_used_once(client, tenant):
    activity = str(uuid.uuid4())
    client.ask_endpoints(client_request_id=activity)
    assert tenant.wrong() == []
    client.ask_endpoints(client_request_id=activity.upper())
    assert tenant.wrong() == ["client-request-id was used before"]


def test_the_permission_is_wanted(client, tenant):
    tenant.set_roles(graph=[])
    answer = client.ask_endpoints()
    assert (answer.status, answer.json["error"]["code"]) == (403, "Authorization_RequestDenied")
    assert tenant.wrong() == ["the application lacks Application.Read.All"]
    tenant.set_roles(graph=["Application.Read.All"])
    client.tokens.clear()
    assert client.ask_endpoints().status == 200


def listed(client):
    return [(each["providerName"], each["uri"]) for each in client.ask_endpoints().json["value"]]


def test_faults_of_the_list(client, tenant):
    right = tenant.tenant()["locations"][VALIDATION]
    tenant.discovery(absent=[VALIDATION])
    assert VALIDATION not in dict(listed(client)) and REVOCATION in dict(listed(client))
    tenant.discovery(duplicates={VALIDATION: FOREIGN})
    assert [uri for name, uri in listed(client) if name == VALIDATION] == [right, FOREIGN]
    tenant.discovery(first={VALIDATION: FOREIGN})
    assert [uri for name, uri in listed(client) if name == VALIDATION] == [FOREIGN]
    tenant.discovery(case="upper")
    assert VALIDATION.upper() in dict(listed(client)) and VALIDATION not in dict(listed(client))
    tenant.discovery(slash=True)
    assert dict(listed(client))[VALIDATION] == right + "/"
    tenant.discovery(http=True)
    assert dict(listed(client))[VALIDATION] == right.replace("https", "http")
    tenant.discovery()
    assert dict(listed(client))[VALIDATION] == right


def test_pages(client, tenant):
    whole = client.discover()
    tenant.discovery(page=1)
    assert client.discover() == whole
    assert len(tenant.asked("endpoints")) == 1 + len(whole) and tenant.wrong() == []
    tenant.discovery(page=1, next_link="loop")
    with pytest.raises(AssertionError, match="pages without end"):
        client.discover()


def test_whoever_follows_a_link_abroad_is_caught(client, tenant, standin):
    tenant.discovery(page=1, next_link="foreign")
    link = client.ask_endpoints().json["@odata.nextLink"]
    assert client.ask_endpoints(link).status == 200
    caught = ["a request to a foreign host", "with a bearer token"]
    assert [what for _, what in standin.wrong("trap")] == caught
    tenant.discovery(first={VALIDATION: standin.urls()["trap"] + "/RACerts/StatelessScepRequestValidationService/1"})
    assert client.post("validate", {}).json["code"] == "Success", "which proves nothing, and is caught"
    assert [what for _, what in standin.wrong("trap")] == caught * 2


def test_a_list_that_is_scripted(client, tenant):
    tenant.script("endpoints", behaviours.status(403), behaviours.throttled(7), behaviours.html())
    assert client.ask_endpoints().status == 403
    answer = client.ask_endpoints()
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert client.ask_endpoints().headers["Content-Type"] == "text/html"
    assert tenant.wrong() == []


# ---- moves


@pytest.mark.parametrize("status", [404, 410, 503])
def test_a_service_moves_and_its_old_place_says_so(client, tenant, make_csr, status):
    old = client.discover()[VALIDATION.lower()] + "/ScepActions/validateRequest"
    new = tenant.move_endpoint(service=VALIDATION, old=status)
    body = client.validation(make_csr(tenant.mint_challenge()["challenge"]))
    assert client.post("validate", body, old).status == status
    assert client.discover()[VALIDATION.lower()] == new
    assert client.post("validate", body).json["code"] == "Success"
    assert tenant.wrong() == []


@pytest.mark.parametrize("old, error", [("refused", ConnectionRefusedError), ("stranger", ssl.SSLCertVerificationError),
                                        ("misnamed", ssl.SSLCertVerificationError)])
def test_intune_moves_to_another_port(client, tenant, make_csr, old, error):
    before = client.discover()[VALIDATION.lower()] + "/ScepActions/validateRequest"
    tenant.move_endpoint(service=VALIDATION, old=old)
    body = client.validation(make_csr(tenant.mint_challenge()["challenge"]))
    with pytest.raises(error):
        client.post("validate", body, before)
    assert client.post("validate", body).json["code"] == "Success"
    assert REVOCATION.lower() in client.discover()


def test_only_what_was_discovered_exists(client, tenant):
    uri = client.discover()[VALIDATION.lower()]
    for wrong in (uri + "//ScepActions/validateRequest", uri + "/ScepActions/validateRequest/", uri[:-1] + "0/ScepActions/validateRequest",
                  uri + "/ScepActions/other", uri.replace("RACerts", "racerts") + "/ScepActions/validateRequest"):
        if wrong.split("/ScepActions")[0] != uri or "//S" in wrong or "other" in wrong or wrong.endswith("/"):
            assert client.post("validate", {}, wrong).status == 404, wrong
    other = client.discover()[REVOCATION.lower()]
    assert client.post("validate", {}, other + "/ScepActions/validateRequest").status == 404
