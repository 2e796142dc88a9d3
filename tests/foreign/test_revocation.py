"""Revocations that only the CA can publish."""
import json
import time


def certificate(house):
    url, answer = house.finalize()
    assert answer.body["status"] == "valid"
    pem = house.client.chain(answer.body)
    return pem, house.server.certificates(answer.body["identifiers"][0]["value"])[0]["serial"]


def status(house, serial):
    return json.loads(house.server.cli("cert", "show", serial, "--json"))["status"]


def test_a_revocation_is_asked_of_the_ca(house):
    pem, serial = certificate(house)
    assert house.client.revoke(pem).status == 200
    assert status(house, serial) == "revoked"
    assert [o for o, _ in house.ca.journal()][-1] == "revoke"
    again = house.client.revoke(pem)
    assert (again.status, again.body["type"].rsplit(":", 1)[1]) == (400, "alreadyRevoked")


def test_a_ca_that_refuses_a_revocation_leaves_the_certificate(house):
    pem, serial = certificate(house)
    house.ca.behave(revoke="refused")
    answer = house.client.revoke(pem)
    assert answer.status == 403 and "not on a Sunday" in answer.body["detail"]
    assert status(house, serial) == "issued"


def test_an_unconfirmed_revocation_is_asked_for_until_it_is_answered(house):
    pem, serial = certificate(house)
    house.ca.behave(revoke="silent")
    answer = house.client.revoke(pem)
    assert answer.status == 503 and "has not confirmed the revocation" in answer.body["detail"]
    assert int(answer.headers["Retry-After"]) == 60
    shown = json.loads(house.server.cli("cert", "show", serial, "--json"))
    assert (shown["status"], shown["wantedReason"]) == ("issued", 4)
    assert shown["wantedBy"].startswith("acme_account ") and "printed nothing" in shown["unconfirmed"]
    house.ca.behave()
    end = time.monotonic() + 60
    while status(house, serial) != "revoked":
        assert time.monotonic() < end, house.server.log_tail()
        time.sleep(0.2)
    assert "revocationWanted" not in json.loads(house.server.cli("cert", "show", serial, "--json"))


def test_a_ca_that_takes_no_revocations_says_so(mute):
    pem, serial = certificate(mute)
    answer = mute.client.revoke(pem)
    assert answer.status == 403
    assert "takes no revocations from here" in answer.body["detail"] and serial in answer.body["detail"]
    assert status(mute, serial) == "revoked"
    assert mute.server.events("revocation_unpublished") >= 1
