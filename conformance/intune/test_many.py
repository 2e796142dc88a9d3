"""Many tenants, many requests, and the module started by hand."""
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from intune.client import IntuneStandIn
from intune.plain_client import Client

pytestmark = pytest.mark.together


def test_two_hundred_tenants_are_apart(standin, tenant, make_csr):
    made = [standin.add_tenant(intune_resource="https://api.manage.microsoft.us/") for _ in range(200)]
    assert len({each["id"] for each in made} | {each["client_id"] for each in made}) == 400
    first, last = (Client(each, standin.ca) for each in (made[0], made[-1]))
    assert first.tenant["intune_scope"] == "https://api.manage.microsoft.us//.default"
    challenge = standin.of(made[-1]["id"]).mint_challenge()["challenge"]
    assert last.post("validate", last.validation(make_csr(challenge))).json["code"] == "Success"
    assert first.post("validate", first.validation(make_csr(challenge))).json["code"] == "BadTenantIdInChallenge"
    # A location is its tenant's too.
    own = last.discover()["sceprequestvalidationfeservice"] + "/ScepActions/validateRequest"
    assert first.post("validate", first.validation(make_csr(challenge)), own).status == 404


def test_it_is_quick_enough_to_be_no_brake(client, tenant, make_csr):
    """What 100 validations a second cost the stand-in is printed, and nothing depends on it."""
    body = client.validation(make_csr(tenant.mint_challenge()["challenge"]))
    url = client.discover()["sceprequestvalidationfeservice"] + "/ScepActions/validateRequest"
    client.token()
    codes = []

    def many():
        codes.extend(client.post("validate", body, url).json["code"] for _ in range(25))

    begin = time.monotonic()
    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{100 / (time.monotonic() - begin):.0f} validations a second, each on a connection of its own")
    assert codes == ["Success"] * 100 and tenant.wrong() == []


def test_it_starts_by_hand_and_ends_with_its_input(tmp_path):
    command = [sys.executable, "-m", "intune", "--folder", str(tmp_path / "new"), "--host", "127.0.0.1"]
    with subprocess.Popen(command, cwd=Path(__file__).resolve().parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        said = json.loads(process.stdout.readline())
        client = Client(said["tenant"], said["urls"]["ca"])
        assert client.tenant["authority"].startswith("https://127.0.0.1:") and client.discover()
        process.stdin.close()
        assert process.wait(30) == 0
    assert (tmp_path / "new/good.pem").stat().st_mode & 0o077 == 0


def test_the_journal_has_all_that_came(client, tenant, standin):
    client.discover()
    token, endpoints = tenant.asked()
    assert (token.call, token.site, token.method, token.version) == ("token", "entra", "POST", "HTTP/1.1")
    assert token.fields["client_secret"] == client.tenant["secret"] and ["user-agent", "Postern conformance 1"] in token.headers
    assert endpoints.call == "endpoints" and dict(endpoints.headers)["authorization"].startswith("Bearer ")
    assert standin.journal(after=endpoints.number) == []
    standin.clear_journal()
    assert standin.journal() == [] and standin.counters() == {}


def test_what_no_log_may_contain_is_known(client, tenant, standin, make_csr):
    challenge = tenant.mint_challenge()["challenge"]
    client.post("validate", client.validation(make_csr(challenge)))
    assert {challenge, client.tenant["secret"], *client.tokens.values()} < set(standin.confidential())


def test_a_fault_of_its_own_is_told(make_csr):
    own = IntuneStandIn().start()
    own.script("token", {"body": 7})
    with pytest.raises(OSError):
        Client(own.tenant(), own.ca).token()
    with pytest.raises(AssertionError, match="ended with status 1"):
        own.stop()
