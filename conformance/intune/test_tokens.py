"""Entra's door: what it takes, and each thing that it does not."""
import json
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from harness import pkcs10
from harness.seeded import Random, rsa_key
from intune import behaviours
from intune.plain_client import Client, assertion

pytestmark = pytest.mark.together

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def refused(answer, status, error, number):
    assert (answer.status, answer.json["error"], answer.json["error_codes"]) == (status, error, [number]), answer.body
    assert answer.json["error_description"].startswith(f"AADSTS{number}: ")


def test_a_secret_gives_a_token(client, tenant):
    answer = client.ask_token()
    assert answer.status == 200 and answer.json["token_type"] == "Bearer" and answer.json["expires_in"] == 3599
    assert len(answer.json["access_token"].split(".")) == 3
    entry, = tenant.asked("token")
    assert (entry.wrong, entry.status, entry.fields["scope"]) == ([], 200, "https://api.manage.microsoft.com//.default")


def test_a_tenant_may_be_named_by_its_domain(client):
    assert client.ask_token(url=client.token_url().replace(client.tenant["id"], client.tenant["domain"])).status == 200


REFUSALS = {
    "no_grant_type": ({"grant_type": None}, 400, "invalid_request", 900144),
    "no_client_id": ({"client_id": None}, 400, "invalid_request", 900144),
    "no_scope": ({"scope": None}, 400, "invalid_request", 900144),
    "other_grant": ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    "unknown_app": ({"client_id": "11111111-2222-3333-4444-555555555555"}, 400, "unauthorized_client", 700016),
    "wrong_secret": ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
    "no_credential": ({"client_secret": None}, 401, "invalid_client", 7000218),
    "both_credentials": ({"client_secret": "s", "client_assertion": "a", "client_assertion_type": ASSERTION_TYPE}, 401, "invalid_client", 7000218),
    "scope_of_a_permission": ({"scope": "https://api.manage.microsoft.com/scep_challenge_provider"}, 400, "invalid_scope", 1002012),
    "scope_of_nothing": ({"scope": "https://elsewhere.example/.default"}, 400, "invalid_resource", 500011),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_form_is_refused(client, tenant, name):
    changed, *expected = REFUSALS[name]
    refused(client.ask_token(**changed), *expected)
    assert tenant.wrong("token")[0].startswith(f"AADSTS{expected[-1]}")


def test_a_form_that_is_none(client):
    refused(client.ask_token(content_type="application/json"), 400, "invalid_request", 900144)
    refused(client.ask_token(method="PUT"), 400, "invalid_request", 900561)
    refused(client.ask_token(body=client.form() + b"&grant_type=client_credentials"), 400, "invalid_request", 9000410)
    refused(client.ask_token(body=b"client_credentials"), 400, "invalid_request", 900144)


def test_an_unknown_parameter_is_noted(client, tenant):
    assert client.ask_token(resource="https://graph.windows.net/").status == 200
    assert tenant.wrong("token") == ["unknown parameters resource"]


def test_an_unknown_tenant(client):
    refused(client.ask_token(url=client.token_url().replace(client.tenant["id"], "nobody.example")), 400, "invalid_request", 90002)


def test_another_path_is_nothing(client, standin):
    assert client.ask_token(url=client.token_url().replace("/v2.0", "")).status == 404
    assert "no such path" in standin.wrong("token")[-1][1]


def test_a_secret_rotates(client, tenant, standin):
    old = client.tenant["secret"]
    new = tenant.rotate_secret(keep=60)
    assert client.ask_token(client_secret=old).status == client.ask_token(client_secret=new).status == 200
    standin.move_clock(seconds=61)
    refused(client.ask_token(client_secret=old), 401, "invalid_client", 7000222)
    assert client.ask_token(client_secret=new).status == 200
    tenant.forget_secret(secret=old)
    refused(client.ask_token(client_secret=old), 401, "invalid_client", 7000215)


# ---- certificates


@pytest.fixture(scope="module")
def credential():
    key = rsa_key(Random("credential"))
    return key, x509.load_der_x509_certificate(pkcs10.certificate(key, pkcs10.name([("CN", "Postern")]), Random("c")))


@pytest.fixture
def assert_with(client, tenant, credential, standin):
    """Asks for a token with an assertion; the arguments are those of plain_client.assertion."""
    key, certificate = credential
    tenant.add_certificate(certificate=certificate.public_bytes(Encoding.PEM).decode())
    now = standin.move_clock(seconds=0)

    def ask(key=key, certificate=certificate, moment=now, kind=ASSERTION_TYPE, **changed):
        made = assertion(key, certificate, client.tenant["client_id"], changed.pop("audience", client.token_url()), moment, **changed)
        return client.ask_token(client_assertion=made, client_assertion_type=kind)

    return ask


@pytest.mark.parametrize("alg", ["PS256", "RS256"])
def test_a_certificate_gives_a_token(assert_with, tenant, alg):
    assert assert_with(alg=alg).status == 200
    assert tenant.wrong() == []


BAD_ASSERTIONS = {
    "alg_none": (dict(header={"alg": "none"}), 700027), "alg_other_padding": (dict(header={"alg": "RS256"}), 700027),
    "no_thumbprint": (dict(header={"x5t#S256": None}), 700027), "wrong_thumbprint": (dict(header={"x5t#S256": "A" * 43}), 700027),
    "both_thumbprints": (dict(header={"x5t": "A" * 27}), 700027), "typ": (dict(header={"typ": "at+jwt"}), 50027),
    "audience": (dict(audience="https://login.microsoftonline.com/common/oauth2/token"), 700023), "issuer": (dict(iss="other"), 700021),
    "subject": (dict(sub="other"), 700021), "no_jti": (dict(jti=None), 50027), "jti": (dict(jti="1"), 50027), "no_nbf": (dict(nbf=None), 50027),
    "exp_text": (dict(exp="soon"), 50027),
}


@pytest.mark.parametrize("name", BAD_ASSERTIONS)
def test_an_assertion_is_refused(assert_with, name):
    changed, number = BAD_ASSERTIONS[name]
    refused(assert_with(**changed), 401, "invalid_client", number)


def test_an_assertion_has_its_time(assert_with, standin):
    now = standin.move_clock(seconds=0)
    refused(assert_with(moment=now - 601), 401, "invalid_client", 700024)
    refused(assert_with(moment=now + 900), 401, "invalid_client", 700024)
    refused(assert_with(exp=int(now) + 3600), 401, "invalid_client", 700024)
    assert assert_with(moment=now - 200).status == 200


def test_an_assertion_is_signed_by_the_registered_key(assert_with):
    refused(assert_with(key=rsa_key(Random("stranger"))), 401, "invalid_client", 700027)
    refused(assert_with(kind="jwt"), 400, "invalid_request", 900144)


def test_an_application_may_have_a_certificate_alone(standin, credential):
    key, certificate = credential
    made = standin.add_tenant(certificate=certificate.public_bytes(Encoding.PEM).decode())
    client = Client(made, standin.ca)
    assert made["secret"] is None
    proof = assertion(key, certificate, made["client_id"], client.token_url(), standin.move_clock(seconds=0))
    assert client.ask_token(client_assertion=proof, client_assertion_type=ASSERTION_TYPE).status == 200
    refused(client.ask_token(client_secret="None"), 401, "invalid_client", 7000215)


def test_an_assertion_is_used_once(assert_with):
    jti = "11111111-2222-3333-4444-555555555555"
    assert assert_with(jti=jti).status == 200
    refused(assert_with(jti=jti), 401, "invalid_client", 50027)


@pytest.mark.parametrize("text, number", [("", 50027), ("a.b", 50027), ("a.b.c", 50027), ("!.!.!", 50027), ("e30.e30", 50027), ("e30.e30.AA.AA", 50027),
                                          ("W10.e30.AA", 50027), ("e30.W10.AA", 50027), ("e30=.e30.AA", 50027), ("e31.e30.AA", 50027),
                                          ("e30.e30.AA", 700027)])
def test_what_is_no_token_at_all(client, text, number):
    refused(client.ask_token(client_assertion=text, client_assertion_type=ASSERTION_TYPE), 401, "invalid_client", number)


def test_a_signature_has_one_spelling(client, tenant, credential, standin):
    key, certificate = credential
    tenant.add_certificate(certificate=certificate.public_bytes(Encoding.PEM).decode())
    made = assertion(key, certificate, client.tenant["client_id"], client.token_url(), standin.move_clock(seconds=0))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 256 octets leave four bits of the last character over.
    other = made[:-1] + alphabet[alphabet.index(made[-1]) ^ 1]
    refused(client.ask_token(client_assertion=other, client_assertion_type=ASSERTION_TYPE), 401, "invalid_client", 700027)
    assert client.ask_token(client_assertion=made, client_assertion_type=ASSERTION_TYPE).status == 200


# ---- what a token opens


def test_a_token_ends(client, tenant, standin):
    tenant.set_token_lifetime(seconds=60)
    assert client.ask_endpoints().status == 200
    standin.move_clock(seconds=61)
    answer = client.ask_endpoints()
    assert answer.status == 401 and "expired" in tenant.wrong("endpoints")[0]
    client.tokens.clear()
    assert client.ask_endpoints().status == 200


def test_a_token_is_withdrawn(client, tenant):
    assert client.ask_endpoints().status == 200
    tenant.withdraw_tokens()
    assert client.ask_endpoints().status == 401 and tenant.wrong() == ["the token was withdrawn"]


def test_one_slash_gives_a_token_that_intune_refuses(client, tenant):
    client.tokens["intune_scope"] = client.token("https://api.manage.microsoft.com/.default")
    assert "one slash" in tenant.wrong("token")[0]
    answer = client.post("validate", client.validation(b"x"))
    assert answer.status == 401 and "the token is for https://api.manage.microsoft.com, not" in tenant.wrong("validate")[0]


def test_tokens_are_for_one_service(client):
    client.token(), client.token("graph_scope")
    client.tokens = {"graph_scope": client.tokens["intune_scope"], "intune_scope": client.tokens["graph_scope"]}
    assert client.ask_endpoints().status == 401


def test_forged_tokens(client, tenant):
    token = client.token("graph_scope")
    head, body, signature = token.split(".")
    for forged in (f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", "eyJhbGciOiJub25lIn0." + body + "."):
        assert client.ask_endpoints(Authorization=f"Bearer {forged}").status == 401
    for value in (None, "Basic eDp5", [f"Bearer {token}"] * 2):
        assert client.ask_endpoints(Authorization=value).status == 401
    assert client.ask_endpoints(Authorization=f"Bearer {token}").status == 200


def test_fields_of_the_token_answer(client, tenant):
    tenant.script("token", behaviours.fields(expires_in="3599"), behaviours.fields(expires_in=1), behaviours.status(503),
                  behaviours.fields(access_token=None))
    assert client.ask_token().json["expires_in"] == "3599"
    assert client.ask_token().json["expires_in"] == 1
    assert client.ask_token().status == 503
    assert client.ask_token().json["access_token"] is None
    assert client.ask_token().json["expires_in"] == 3599


def test_a_stampede_is_counted(client, tenant, standin):
    tenant.script("token", behaviours.silence(), behaviours.silence(), behaviours.silence())
    threads = [threading.Thread(target=client.ask_token) for _ in range(3)]
    for thread in threads:
        thread.start()
    standin.wait_for("token", asked=3, at_once=3)
    standin.release()
    for thread in threads:
        thread.join()
    assert standin.counters()["token"] == {"asked": 3, "at_once": 3}
    client.ask_token(), client.ask_token("graph_scope")
    assert sum(tenant.tenant()["tokens"].values()) == 2, json.dumps(tenant.tenant()["tokens"])
