"""Whose an account and what it made is (RFC 8555 §6, §7; rows J11 and J12): what is another's is like what never was."""
import re

import pytest

from client import csr_der
from harness.jose import Key, b64
from oracle import check_problem
from rows import row

@row("J11")
def test_an_account_of_another_tenant_does_not_exist_here(laboratory, oracle, client):
    north = laboratory.acme("north", key=client.key).register()
    assert north.kid != client.kid
    for who, kid in ((client, north.kid), (north, client.kid)):
        own, who.kid = who.kid, kid
        with oracle.refuses():
            check_problem(who.post("new-order", {}), 400, "accountDoesNotExist")
        who.kid = own
    # A token of the other tenant under this one's prefix is no better.
    own, client.kid = client.kid, client.url("account/" + north.kid.rsplit("/", 1)[1])
    with oracle.refuses():
        check_problem(client.post("new-order", {}), 400, "accountDoesNotExist")
    client.kid = own
    north.close()


@row("J11")
def test_an_own_account_by_another_url_does_not_exist(laboratory, oracle, client):
    own = client.kid
    token = own.rsplit("/", 1)[1]
    for kid in (token, f"https://evil.test/acme/default/account/{token}", f"{laboratory.https}/acme/north/account/{token}",
                f"{laboratory.https}/acme/default/order/{token}", own + "/", own + "?", own.upper(), own.replace("https", "http", 1)):
        with oracle.refuses():
            check_problem(client.post(own, kid=kid), 400, "accountDoesNotExist", "account URL exactly")


@row("J11")
@pytest.mark.parametrize("kid", ["", "1", "account/AAAAAAAAAAAAAAAAAAAAAA", "account/' OR 1=1 --", "account/%"])
def test_a_kid_that_names_nobody_does_not_exist(oracle, client, kid):
    with oracle.refuses():
        check_problem(client.post("new-order", {}, kid=client.url(kid) if "/" in kid else kid), 400, "accountDoesNotExist")


@row("J11")
def test_a_deactivated_account_can_nothing_more(laboratory, oracle, client):
    url, order = client.order(laboratory.fresh_name())
    assert client.post(client.kid, {"status": "deactivated"}).json["status"] == "deactivated"
    for path, payload in ((client.kid, ""), ("new-order", {}), (url, ""), (order["finalize"], {}), ("directory", "")):
        with oracle.refuses(audited=1) as refusal:
            check_problem(client.post(path, payload), 401, "unauthorized", "deactivated")
        assert refusal.records[0]["actor"] == client.kid.rsplit("/", 1)[1]
    # By its key it is as gone, and no second account is made with that key.
    with oracle.refuses(audited=1):
        check_problem(client.post("new-account", {}), 401, "unauthorized", "deactivated")


def masked(answer):
    """All octets of an answer, without what differs from one answer to the next by design."""
    text, found = re.subn(rb"(Replay-Nonce|X-Request-Id|Date): [^\r]*", rb"\1: *", answer.octets)
    assert found == 3, answer
    return text.replace(answer.header("X-Request-Id").encode(), b"*")


@pytest.fixture(scope="module")
def estate(laboratory):
    """What somebody else has: {kind: URL}."""
    owner = laboratory.acme().register()
    name = laboratory.fresh_name()
    order, certificate, _ = owner.certify(name)
    made = owner.read(order)
    open_url, open_order = owner.order(laboratory.fresh_name())
    authorization = open_order["authorizations"][0]
    challenge = owner.read(authorization)["challenges"][0]["url"]
    owner.close()
    return {"order": order, "certificate": certificate, "finalize": made["finalize"], "open order": open_url,
            "open finalize": open_order["finalize"], "authorization": authorization, "challenge": challenge,
            "account": owner.kid, "orders": owner.kid + "/orders"}


KINDS = ["order", "certificate", "finalize", "open order", "open finalize", "authorization", "challenge", "account", "orders"]


@row("J12")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("payload", ["", {}, {"status": "deactivated"}], ids=["read", "write", "deactivate"])
def test_what_is_anothers_is_absent_byte_for_byte(laboratory, oracle, client, estate, kind, payload):
    foreign = estate[kind]
    token = foreign.removesuffix("/orders").removesuffix("/finalize").rsplit("/", 1)[1]
    absent = foreign.replace(token, Key().thumbprint[:22])
    if kind.endswith("finalize") and payload == {}:
        payload = {"csr": b64(csr_der(Key(), ["any.abuse.test"]))}
    with oracle.refuses(audited=1):
        theirs = client.post(foreign, payload)
    with oracle.refuses(audited=1):
        nobodys = client.post(absent, payload)
    if kind in ("order", "open order", "certificate") and payload != "":
        # Refused for its form, which depends on nothing that is stored.
        check_problem(theirs, 400, "malformed")
    else:
        check_problem(theirs, 404, "malformed")
    assert masked(theirs) == masked(nobodys)


@row("J12")
def test_a_cursor_of_another_is_absent(laboratory, oracle, client, estate):
    token = estate["order"].rsplit("/", 1)[1]
    answers = []
    for after in (token, Key().thumbprint[:22]):
        with oracle.refuses(audited=1):
            answers.append(check_problem(client.post(f"{client.kid}/orders?after={after}"), 404, "malformed"))
    assert masked(answers[0]) == masked(answers[1])
