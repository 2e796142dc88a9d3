"""The proxy, and Microsoft's own names behind it."""
import urllib.parse

import pytest
from intune import behaviours
from intune.plain_client import Client

pytestmark = pytest.mark.together


@pytest.fixture
def through(standin, tenant):
    """A client that goes through the proxy."""
    port = urllib.parse.urlsplit(standin.urls()["proxy"]).port
    return lambda credentials=None: Client(tenant.tenant(), standin.ca, ("127.0.0.1", port, credentials))


def whole(client, tenant, make_csr):
    return client.post("validate", client.validation(make_csr(tenant.mint_challenge()["challenge"]))).json["code"]


def test_all_calls_go_through(through, tenant, make_csr, standin):
    assert whole(through(), tenant, make_csr) == "Success"
    assert all(entry.proxied for entry in tenant.asked()) and standin.wrong() == []
    assert [entry.status for entry in standin.asked("proxy")] == [200] * len(tenant.asked())


def test_who_comes_directly_is_seen(client, tenant, make_csr):
    assert whole(client, tenant, make_csr) == "Success"
    assert not any(entry.proxied for entry in tenant.asked())


def test_credentials_are_asked_for(through, tenant, make_csr, standin):
    standin.set_proxy(credentials="ann:s3cret: ä")
    with pytest.raises(OSError, match="407"):
        through().token()
    assert standin.wrong("proxy") == [], "to come without is how one learns of it"
    with pytest.raises(OSError, match="407"):
        through("ann:wrong").token()
    assert standin.wrong("proxy") == [("proxy", "wrong credentials")]
    assert whole(through("ann:s3cret: ä"), tenant, make_csr) == "Success"


def test_microsofts_names_lead_here_alone(through, tenant, make_csr, standin):
    standin.use_real_names()
    configured = tenant.tenant()
    assert configured["authority"] == "https://login.microsoftonline.com/" and configured["graph"] == "https://graph.microsoft.com/"
    client = through()
    assert client.discover()["sceprequestvalidationfeservice"].startswith("https://fef.standin.manage.microsoft.com/RACerts/")
    assert whole(client, tenant, make_csr) == "Success" and standin.wrong() == []
    assert {entry.target for entry in standin.asked("proxy")} == {"login.microsoftonline.com:443", "graph.microsoft.com:443",
                                                                  "fef.standin.manage.microsoft.com:443"}


def test_other_clouds_are_other_names(through, tenant, make_csr, standin):
    client = through()
    for entra, graph in (("login.microsoftonline.us", "graph.microsoft.us"),
                         ("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn")):
        client.tenant.update(authority=f"https://{entra}/", graph=f"https://{graph}/")
        client.tokens.clear()
        assert whole(client, tenant, make_csr) == "Success"


def test_nobody_else_is_reached(through, standin):
    client = through()
    for url in ("https://example.com/", "https://login.microsoftonline.com:8443/", "https://localhost:1/", "https://127.0.0.2:443/"):
        with pytest.raises(OSError, match="502"):
            client.send("GET", url)
    assert len(standin.wrong("proxy")) == 4


def test_it_is_no_proxy_for_plain_http(through, standin):
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", urllib.parse.urlsplit(standin.urls()["proxy"]).port, timeout=10)
    connection.request("GET", "http://localhost/")
    assert connection.getresponse().status == 405
    connection.close()
    assert standin.wrong("proxy") == [("proxy", "GET through a proxy for CONNECT")]


def test_a_token_is_not_for_the_proxy(through, standin):
    client = through()
    connection = client.connect(client.token_url())
    connection._tunnel_headers["Authorization"] = "Bearer x"
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()
    assert standin.wrong("proxy") == [("proxy", "a bearer token for the proxy")]


def test_it_fails_as_told(through, standin):
    standin.script("proxy", behaviours.status(503), behaviours.reset(), behaviours.silence(), behaviours.slow(0.1))
    client = through()
    with pytest.raises(OSError, match="503"):
        client.token()
    with pytest.raises(OSError):
        client.token()
    client.timeout = 0.2
    with pytest.raises(TimeoutError):
        client.token()
    standin.wait_for("proxy", asked=3)
    client.timeout = 10
    assert client.token()
