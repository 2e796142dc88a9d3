"""The way out: proxies, names of other clouds, and the test of an account."""
import pytest
from intune import behaviours
from intune.tenants import VALIDATION


@pytest.fixture
def through(start, standin):
    """A client that goes by the proxy."""
    return lambda **changed: start(proxy=standin.urls()["proxy"], **changed)


def test_everything_goes_by_the_proxy(through, tenant, csr, standin):
    assert through().validate(csr).ok
    assert all(entry.proxied for entry in tenant.asked()) and standin.wrong() == []


def test_the_environments_proxy_is_not_used(start, tenant, csr, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert start().validate(csr).ok and not any(entry.proxied for entry in tenant.asked())


def test_the_proxys_password(through, tenant, csr, standin):
    standin.set_proxy(credentials="ann:s3cret: ä")
    for changed in ({}, {"proxy_user": "ann", "proxy_password": "wrong"}):
        got = through(**changed).validate(csr)
        assert (got.ok, got.check) == (False, "intune.unreachable") and "user and password" in got.detail and "(407)" in got.detail
    standin.clear_journal()
    client = through(proxy_user="ann", proxy_password="s3cret: ä")
    assert client.validate(csr).ok and standin.wrong() == []
    assert not any("proxy-authorization" in dict(entry.headers) for entry in tenant.asked()), "the proxy's alone"
    assert "s3cret" not in client.log.read_text()


@pytest.mark.parametrize("behaviour, words", [(behaviours.status(503), "status 503"), (behaviours.reset(), "the proxy"), (behaviours.silence(), "in time")])
def test_a_proxy_that_fails(through, standin, csr, behaviour, words):
    standin.script("proxy", behaviour, always=True)
    got = through().validate(csr, deadline_ms=1500)
    assert (got.ok, got.check) == (False, "intune.unreachable") and words in got.detail


def test_no_proxy_there(start, csr):
    got = start(proxy="http://127.0.0.1:1").validate(csr)
    assert (got.ok, got.check) == (False, "intune.unreachable") and "nobody takes the connection" in got.detail


def test_microsofts_own_names(through, tenant, csr, standin):
    standin.use_real_names()
    client = through(services=[".manage.microsoft.com"], login="https://login.microsoftonline.com/", graph="https://graph.microsoft.com/")
    assert client.validate(csr).ok and standin.wrong() == []
    assert {entry.target for entry in standin.asked("proxy")} == {"login.microsoftonline.com:443", "graph.microsoft.com:443",
                                                                  "fef.standin.manage.microsoft.com:443"}


# ---- the test of an account


def steps(client):
    return {step["name"]: step for step in client.ask("test").steps}


def test_a_well_account(client, tenant):
    found = steps(client)
    assert list(found) == ["token for Microsoft Graph", "list of services", "validation service", "revocation service", "token for Intune",
                           "permission for Intune"]
    assert all(step["passed"] for step in found.values()) and tenant.wrong() == []
    assert found["validation service"]["result"] == tenant.tenant()["locations"][VALIDATION]
    assert not tenant.asked("validate"), "nothing is changed"


def test_nothing_comes_from_a_cache(client, tenant):
    assert all(step["passed"] for step in steps(client).values())
    tenant.rotate_secret()
    found = steps(client)
    assert "AADSTS7000222" in found["token for Microsoft Graph"]["result"] and "create a new client secret" in found["token for Microsoft Graph"]["advice"]
    assert found["list of services"]["skipped"] and found["token for Intune"]["skipped"]


MISTAKES = {"graph_role": ({"graph": []}, "list of services", "intune.permission", "Application.Read.All"),
            "intune_role": ({"intune": []}, "permission for Intune", "intune.permission", "scep_challenge_provider")}


@pytest.mark.parametrize("name", MISTAKES)
def test_consent_missing(client, tenant, name):
    roles, step, check, words = MISTAKES[name]
    tenant.set_roles(**roles)
    found = steps(client)[step]
    assert not found["passed"] and found["check"] == check and words in found["advice"] and "Grant admin consent" in found["advice"]


def test_no_licence(client, tenant):
    tenant.discovery(absent=[VALIDATION])
    found = steps(client)
    assert found["validation service"]["check"] == "intune.service" and "licence" in found["validation service"]["advice"]
    assert found["revocation service"]["passed"]
