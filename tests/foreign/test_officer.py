"""What an officer finds out about a request, and what may be done with it."""
import json

import pytest

from house import held_order, submitted_once


def unknown_request(house, how="slow"):
    house.ca.behave(issue=how)
    url, _ = house.finalize()
    _, shown = held_order(house, url, "unknown")
    house.ca.behave()
    return url, shown


def resolve(house, shown, *arguments):
    return house.server.verb("request", "resolve", shown["id"], *arguments, "--data", house.server.data)


def test_an_officer_finds_the_certificate(mute, tmp_path):
    house = mute
    url, shown = unknown_request(house, "lost")
    chain = tmp_path / "chain.pem"
    # Another's certificate is checked like any that comes back.
    house.ca.behave(issue="other_key")
    _, other = unknown_request_or_quarantined(house)
    chain.write_text(other["received"])
    refused = resolve(house, shown, "--certificate", chain, "--why", "a guess")
    assert refused.returncode == 1 and "not what was authorised: issued.key" in refused.stderr
    assert house.client.post(url, None).body["status"] == "processing"

    chain.write_text(house.ca.issued(shown["request"]))
    done = resolve(house, shown, "--certificate", chain, "--why", "it stands in the CA's list")
    assert done.returncode == 0, done
    order = house.client.post(url, None).body
    assert order["status"] == "valid"
    assert house.client.chain(order).startswith(house.ca.issued(shown["request"]).split("-----END")[0])
    record, = house.records(str(shown["id"]), "request.resolved")
    assert record["actor"].startswith("local ") and record["detail"]["why"] == "it stands in the CA's list"
    assert record["detail"]["found"] == "issued"
    again = resolve(house, shown, "--not-issued", "--why", "twice")
    assert again.returncode == 1 and "is issued and waits for nobody" in again.stderr
    submitted_once(house, shown)


def unknown_request_or_quarantined(house):
    url, _ = house.finalize()
    return held_order(house, url, "quarantined")


def test_an_officer_finds_that_nothing_was_issued(mute):
    house = mute
    url, shown = unknown_request(house)
    assert resolve(house, shown, "--not-issued", "--why", "the CA's log").returncode == 0
    order = house.client.post(url, None).body
    assert order["status"] == "invalid"
    assert "an officer found that no certificate was issued" in order["error"]["detail"]
    assert [r for r in house.requests() if r["id"] == shown["id"]] == []
    submitted_once(house, shown)


def test_an_officer_lets_the_client_ask_again(mute):
    house = mute
    url, shown = unknown_request(house, "silent")
    assert resolve(house, shown, "--not-issued", "--again", "--why", "the CA's log").returncode == 0
    order = house.client.post(url, None).body
    assert order["status"] == "ready"
    answer, _ = house.client.finalize(order, order["identifiers"][0]["value"])
    assert answer.body["status"] == "valid"
    submitted_once(house, shown)


@pytest.mark.parametrize("arguments, words", [
    (("--why", "x"), "say either certificate, or notIssued"),
    (("--not-issued", "--why", ""), "why: say in 1 to 500 octets"),
    (("--not-issued",), "--why is required"),
    (("--again", "--why", "x"), "--again requires --not-issued"),
])
def test_a_resolution_says_what_and_why(mute, arguments, words):
    _, shown = unknown_request(mute, "silent")
    done = resolve(mute, shown, *arguments)
    assert done.returncode != 0 and words in done.stdout + done.stderr, done


def test_only_an_officer_resolves_and_others_tenants_requests_are_absent(mute, tmp_path):
    house = mute
    _, shown = unknown_request(house, "silent")
    (tmp_path / "other.toml").write_text('[[tenant]]\nname = "other"\n')
    house.server.cli("apply", tmp_path / "other.toml")
    for role, tenant, words in (("auditor", "default", "this needs officer"), ("officer", "other", "there is no request")):
        name = f"{role}-{tenant}"
        token = json.loads(house.server.cli("principal", "create", name, "--role", role, "--tenant", tenant, "--json"))["token"]
        path = tmp_path / name
        path.write_text(token)
        path.chmod(0o600)
        base = house.server.directory().split("/acme/")[0]
        remote = ("--server", base, "--token-file", path, "--ca-file", house.server.root)
        done = house.server.verb("request", "resolve", shown["id"], "--not-issued", "--why", "x", *remote)
        assert done.returncode == 1 and words in done.stderr, done
        listed = house.server.verb("request", "list", "--json", *remote).stdout
        assert (str(shown["request"]) in listed) == (tenant == "default")
