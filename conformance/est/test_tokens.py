"""One-time bearer tokens: minted for one certificate, worth it once."""
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.est_client import refused, serial
from harness.rest import Rest


@pytest.fixture
def mint(server, passwords):
    def create(*options):
        return json.loads(server.cli("est", "token", "create", "routers", *options, "--json"))

    return create


def test_token_is_for_one_certificate(est, server, mint, name):
    minted = mint("--subject", f"CN={name}", "--san", "dns:t.devices.test")
    request = est.request(f"/CN={name}", sans=["DNS:t.devices.test"])
    answer = est.enroll("routers", request, bearer=minted["token"])
    assert answer.status == 200, answer.text
    assert f"token {minted['id']}" in str(server.explain(serial(answer)))
    again = est.enroll("routers", request, bearer=minted["token"])
    assert again.status == 200 and serial(again) == serial(answer)  # a lost answer
    refused(est.enroll("routers", est.request(f"/CN={name}", sans=["DNS:t.devices.test"]), bearer=minted["token"]), 403, "challenge.single_use")
    listed = [json.loads(line) for line in server.cli("est", "token", "list", "routers", "--json").splitlines()]
    assert {each["id"]: each["state"] for each in listed}[minted["id"]] == "used"
    assert all("token" not in each for each in listed)


@pytest.mark.parametrize("wish, sans, key", [("/CN=another", ("t",), None), ("/CN={}/O=more", ("t",), None), ("/CN={}", (), None), ("/CN={}", ("t", "u"), None)])
def test_token_binds_the_request(est, mint, name, wish, sans, key):
    minted = mint("--subject", f"CN={name}", "--san", "dns:t.devices.test")
    request = est.request(wish.replace("{}", name), sans=[f"DNS:{label}.devices.test" for label in sans])
    refused(est.enroll("routers", request, bearer=minted["token"]), 403, "challenge.binding")


def test_token_binds_the_key_type(est, mint, name):
    minted = mint("--subject", f"CN={name}", "--key", "rsa-2048")
    refused(est.enroll("routers", est.request(f"/CN={name}"), bearer=minted["token"]), 403, "challenge.binding", "rsa-2048")


def test_unknown_and_withdrawn(est, server, mint, name):
    request = est.request(f"/CN={name}")
    answer = est.enroll("routers", request, bearer="0123456789ABCDEF0123456789ABCDEF")
    refused(answer, 401, "credential.known")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="routers"')
    minted = mint("--subject", f"CN={name}")
    server.cli("est", "token", "withdraw", "routers", minted["id"])
    refused(est.enroll("routers", request, bearer=minted["token"]), 403, "challenge.valid", "withdrawn")
    refused(est.enroll("listed", request, bearer=mint("--subject", f"CN={name}")["token"]), 401, "credential.known")


def test_token_is_no_other_credential(est, mint, maker, name):
    minted = mint("--subject", "CN=SN-3001")
    refused(est.enroll("routers", est.request("/CN=SN-3001"), bearer=minted["token"], identity=maker.device("SN-3001")), 403, "credential.one_identity")
    refused(est.ask("routers", "simplereenroll", est.request("/CN=SN-3001"), bearer=minted["token"]), 403, "renewal.record")


def test_of_many_at_once_one_wins(est, mint, name):
    minted = mint("--subject", f"CN={name}")
    requests = [est.request(f"/CN={name}") for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda request: est.enroll("routers", request, bearer=minted["token"]), requests))
    assert [answer.status for answer in answers].count(200) == 1
    assert {answer.status for answer in answers} <= {200, 403}


def test_minted_by_rest(est, server, passwords, name):
    token = json.loads(server.cli("principal", "create", f"mdm-{name}"[:60], "--role", "enroller", "--json"))["token"]
    rest = Rest(server, token)
    minted = rest.ask("POST", "/api/postern/v1/est/routers/tokens", {"subject": f"CN={name}", "ttl": "10m"})
    assert minted.status == 201, minted.body
    assert est.enroll("routers", est.request(f"/CN={name}"), bearer=minted.said["token"]).status == 200
    assert rest.ask("DELETE", f"/api/postern/v1/est/routers/tokens/{minted.said['id']}").status == 409
    assert rest.ask("POST", "/api/postern/v1/est/nowhere/tokens", {"subject": "CN=x"}).said["description"] == "there is no EST endpoint nowhere"
    assert rest.ask("POST", "/api/postern/v1/scep/routers/challenges", {"subject": "CN=x"}).status == 404
    assert rest.ask("POST", "/api/postern/v1/est/routers/devices", {"account": "operator", "devices": [{"serial": "1"}]}).status == 403
