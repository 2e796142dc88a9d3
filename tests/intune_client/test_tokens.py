"""Entra: what a credential brings, and each way in which it brings nothing (intune.md §2)."""
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from harness import pkcs10
from harness.seeded import Random, rsa_key
from intune import behaviours

GUID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def credential():
    """(certificate, key) as PEM."""
    key = rsa_key(Random("credential"))
    found = x509.load_der_x509_certificate(pkcs10.certificate(key, pkcs10.name([("CN", "Postern")]), Random("c")))
    return found.public_bytes(Encoding.PEM).decode(), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_the_form_is_right(client, csr, tenant):
    assert client.validate(csr).ok
    scopes = {entry.fields["scope"] for entry in tenant.asked("token")}
    assert scopes == {"https://graph.microsoft.com/.default", "https://api.manage.microsoft.com//.default"} and tenant.wrong() == []


REFUSED = {"bad_secret": ({"secret": "not~it"}, 7000215, "the client secret is wrong"),
           "unknown_application": ({"application": GUID}, 700016, "no such application"),
           "unknown_tenant": ({"directory": "nobody.example"}, 90002, "no such directory"),
           "scope_of_a_permission": ({"intune_scope": "https://api.manage.microsoft.com/scep_challenge_provider"}, 1002012, "scope"),
           "scope_of_nothing": ({"intune_scope": "https://elsewhere.example/.default"}, 500011, "does not know the service")}


@pytest.mark.parametrize("name", REFUSED)
def test_what_stays_refused_is_not_asked_again(start, tenant, standin, csr, name):
    changed, number, words = REFUSED[name]
    client = start(**changed)
    for _ in range(4):
        got = client.validate(csr)
        assert (got.ok, got.kind, got.check) == (False, "unavailable", "intune.credentials")
        assert f"AADSTS{number}" in got.detail and words in got.detail
    refused = [entry for entry in standin.asked("token") if entry.code == f"AADSTS{number}"]
    assert len(refused) == 1 and not tenant.asked("validate")
    client.ask("advance", seconds=61)
    client.validate(csr)
    assert len([entry for entry in standin.asked("token") if entry.code == f"AADSTS{number}"]) == 2


def test_an_expired_secret(client, tenant, csr):
    tenant.rotate_secret()
    got = client.validate(csr)
    assert got.check == "intune.credentials" and "AADSTS7000222, the client secret has expired" in got.detail
    event, = client.events("intune_call_failed")
    assert event["check"] == "intune.credentials"


def test_a_wrong_slash_is_refused_by_intune(start, tenant, csr):
    """Entra gives a token for the resource with one slash; only Intune knows better."""
    client = start(intune_scope="https://api.manage.microsoft.com/.default")
    got = client.validate(csr)
    assert got.check == "intune.credentials" and "refuses the token" in got.detail and len(tenant.asked("validate")) == 2
    assert "two slashes" in client.events("intune_call_failed")[0]["advice"]


PASSING = {"503": behaviours.status(503), "500": behaviours.status(500), "429": behaviours.throttled(1), "reset": behaviours.reset(),
           "slow": behaviours.slow(0.3), "temporarily": behaviours.status(400, body='{"error": "temporarily_unavailable", "error_codes": [90033]}')}


@pytest.mark.parametrize("name", PASSING)
def test_entras_trouble_passes(client, tenant, csr, name):
    tenant.script("token", PASSING[name])
    assert client.validate(csr).ok


NO_TOKEN = {"html": behaviours.html(), "empty": behaviours.empty(), "malformed": behaviours.malformed(), "huge": behaviours.huge(),
            "no_token": {"remove": ["access_token"]}, "no_life": {"remove": ["expires_in"]}, "no_type": {"remove": ["token_type"]},
            "other_type": behaviours.fields(token_type="mac"), "number": behaviours.fields(access_token=7),
            "two_lines": behaviours.fields(access_token="a\r\nX-Evil: b"), "past": behaviours.fields(expires_in=-1),
            "no_number": behaviours.fields(expires_in="soon")}


@pytest.mark.parametrize("name", NO_TOKEN)
def test_an_answer_that_is_no_token(client, tenant, csr, name):
    tenant.script("token", NO_TOKEN[name], always=True)
    got = client.validate(csr)
    assert (got.ok, got.check) == (False, "intune.answer") and not tenant.asked("validate")


def test_a_redirection_is_not_followed(client, tenant, csr, standin):
    tenant.script("token", behaviours.redirect(standin.urls()["trap"] + "/x"), always=True)
    assert client.validate(csr).check == "intune.rejected"
    assert not [entry for entry in standin.asked() if entry.site == "trap"]


def test_a_life_as_text_counts(client, tenant, csr):
    tenant.script("token", behaviours.fields(expires_in="3599"), always=True)
    assert client.validate(csr).ok and client.validate(csr).ok and len(tenant.asked("token")) == 2


def test_a_token_of_a_second_is_asked_for_each_time(client, tenant, csr):
    tenant.set_token_lifetime(seconds=1)
    assert client.validate(csr).ok
    first = len(tenant.asked("token"))
    assert client.validate(csr).ok and len(tenant.asked("token")) > first


def test_a_token_is_renewed_before_it_ends(client, tenant, csr):
    assert client.validate(csr).ok and len(tenant.asked("token")) == 2
    client.ask("advance", seconds=2600)
    assert client.validate(csr).ok and len(tenant.asked("token")) == 2, "not yet three quarters"
    client.ask("advance", seconds=200)
    assert client.validate(csr).ok
    # The old one served; the new one is under way.
    for _ in range(200):
        if len(tenant.asked("token")) == 3:
            break
        client.ask("metrics")
    assert len(tenant.asked("token")) == 3
    client.ask("advance", seconds=900)
    assert client.validate(csr).ok and len([e for e in tenant.asked("token") if "manage" in e.fields["scope"]]) == 2


@pytest.mark.parametrize("algorithm, thumbprint", [("PS256", "x5t#S256"), ("RS256", "x5t")])
def test_a_certificate_is_a_credential(start, tenant, csr, credential, algorithm, thumbprint):
    from intune import jws
    certificate, key = credential
    tenant.add_certificate(certificate=certificate)
    client = start(certificate=certificate, key=key, algorithm=algorithm)
    assert client.validate(csr).ok and tenant.wrong() == []
    for entry in tenant.asked("token"):
        header, claims = jws.read(entry.fields["client_assertion"])
        assert header["alg"] == algorithm and thumbprint in header and "client_secret" not in entry.fields
        assert 300 <= claims["exp"] - claims["nbf"] <= 600 and claims["iss"] == claims["sub"] == tenant.tenant()["client_id"]


def test_a_certificate_that_entra_does_not_know(start, csr, credential):
    certificate, key = credential
    got = start(certificate=certificate, key=key).validate(csr)
    assert got.check == "intune.credentials" and "AADSTS700027" in got.detail and "not registered" in got.detail


def test_an_assertion_of_a_wrong_clock(start, tenant, csr, credential):
    certificate, key = credential
    tenant.add_certificate(certificate=certificate)
    client = start(certificate=certificate, key=key)
    client.ask("advance", seconds=3600)
    got = client.validate(csr)
    assert got.check == "intune.credentials" and "AADSTS700024" in got.detail
