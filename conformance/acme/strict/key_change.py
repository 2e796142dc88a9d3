"""Key rollover (RFC 8555 §7.3.5)."""
from harness import jose
from harness.jose import DROP, Key

from .probe import kind_of, parsed, row, shown


def inner(p, client, new, sign=None, members=None, payload=None, **header):
    """The inner JWS as an object."""
    url = p.offers("keyChange", client.endpoint)
    protected = {"alg": new.alg, "jwk": new.jwk, "url": url, **header}
    said = {"account": client.kid, "oldKey": client.key.jwk, **(payload or {})}
    made = jose.flattened({k: v for k, v in protected.items() if v is not DROP}, {k: v for k, v in said.items() if v is not DROP}, sign or new.sign, **(members or {}))
    return made.decode()


def change(p, client, new, **how):
    return client.post("keyChange", inner(p, client, new, **how))


def refused(p, what, client, answer, statuses=(400, 401, 403), types=("malformed", "unauthorized")):
    p.need(answer.status in statuses and kind_of(answer) in types, f"{what}: {shown(answer)}")
    p.need(client.post(client.kid).status == 200, f"{what}: the old key is no longer the account's")


@row("1.2", "RFC 8555 §7.3.5", "a good keyChange", "200; the new key signs, the old one does not; kid, orders and authorizations stay", "J16")
def key_change(p):
    client, new = p.account(), Key()
    p.offers("keyChange")
    url, order = client.order()
    old = client.key
    p.ok(change(p, client, new))
    answer = client.post(client.kid)
    p.need(answer.status in (400, 401, 403), f"the old key: {shown(answer)}")
    client.key = new
    p.need(client.read(client.kid)["status"] == "valid" and client.read(url)["status"] == "pending", "the account's orders are gone")
    client.prove(order)
    p.need(client.until(url, "pending")["status"] == "ready", "the order is not ready with the new key's authorization")
    found = p.client(key=new).post("newAccount", {"onlyReturnExisting": True})
    p.need(found.status == 200 and found.get("Location") == client.kid, f"newAccount by the new key: {shown(found)}")
    gone = p.client(key=old).post("newAccount", {"onlyReturnExisting": True})
    p.problem(gone, (400, 401, 403), ("accountDoesNotExist", "unauthorized"))


@row("1.2", "RFC 8555 §7.3.5", "from P-256 to RSA, P-384 and back", "200 each time")
def key_change_of_kind(p):
    client = p.account()
    p.offers("keyChange")
    for kind in ("RSA 2048", "P-384", "P-256"):
        new = Key(kind)
        answer = change(p, client, new)
        p.need(answer.status == 200, f"{kind}: {shown(answer)}")
        client.key = new


@row("1.2", "RFC 8555 §7.3.5", "a keyChange to a key that has an account", "409 with Location of that account; nothing changes", "J16")
def key_change_to_a_key_in_use(p):
    client, holder = p.account(), p.account()
    answer = change(p, client, holder.key)
    p.need(answer.status == 409, shown(answer))
    p.need(answer.get("Location") == holder.kid, f"Location {answer.get('Location')!r}")
    p.ok(client.post(client.kid))
    p.ok(holder.post(holder.kid))


@row("1.2", "RFC 8555 §7.3.5", "a keyChange to the same key", "400 malformed (or 409)", "J16")
def key_change_to_the_same_key(p):
    client = p.account()
    refused(p, "same key", client, change(p, client, client.key), (400, 409))


@row("1.2", "RFC 8555 §7.3.5", "another url inside, none, the account's", "400 malformed (or 401, 403)", "J16")
def key_change_inner_url(p):
    client = p.account()
    for url in ("https://evil.example/key-change", DROP, client.kid):
        refused(p, "no url" if url is DROP else url, client, change(p, client, Key(), url=url))


@row("1.2", "RFC 8555 §7.3.5", "another account inside, none, another oldKey, none, the new key as oldKey", "400 malformed (or 401, 403)", "J16")
def key_change_inner_payload(p):
    client, other, new = p.account(), p.account(), Key()
    for what, payload in {"account": {"account": other.kid}, "no account": {"account": DROP}, "oldKey": {"oldKey": other.key.jwk}, "no oldKey": {"oldKey": DROP},
                          "new as old": {"oldKey": new.jwk}, "oldKey text": {"oldKey": "x"}}.items():
        refused(p, what, client, change(p, client, new, payload=payload))


@row("1.2", "RFC 8555 §7.3.5", "the inner JWS signed by the old key, by a third, with kid for jwk, with a nonce, with alg none or HS256", "400 malformed, unauthorized or badSignatureAlgorithm", "J16")
def key_change_inner_signature(p):
    client, new = p.account(), Key()
    kinds = ("malformed", "unauthorized", "badSignatureAlgorithm", "badPublicKey")
    for what, how in {"old key": {"sign": client.key.sign}, "third key": {"sign": Key().sign}, "kid": {"jwk": DROP, "kid": client.kid}, "nonce": {"nonce": client.nonce()},
                      "none": {"alg": "none", "sign": lambda octets: b""}, "HS256": {"alg": "HS256"}, "unprotected": {"members": {"header": {}}}}.items():
        refused(p, what, client, change(p, client, new, **how), types=kinds)


@row("1.2", "RFC 8555 §7.3.5", "an inner payload that is text, empty, JSON without a signature", "400 malformed", "J16")
def key_change_without_inner(p):
    client = p.account()
    p.offers("keyChange")
    for payload in ({}, '"x"', "", {"account": client.kid, "oldKey": client.key.jwk}):
        refused(p, str(payload), client, client.post("keyChange", payload), (400,), ("malformed",))


@row("1.2", "RFC 8555 §11.1", "a keyChange to RSA of 1024 bits and to a point off the curve", "400 badPublicKey", "J07")
def key_change_to_a_weak_key(p):
    client, small = p.account(), Key("RSA 1024")
    refused(p, "RSA 1024", client, change(p, client, small), (400,), ("badPublicKey",))
    new = Key()
    refused(p, "off the curve", client, change(p, client, new, jwk={**new.jwk, "x": new.jwk["y"]}), (400,), ("badPublicKey",))


@row("1.2", "RFC 8555 §7.3.5", "a keyChange to the key of an account that was deactivated", "409, or 401, 403 unauthorized: it stays burnt", "J16")
def key_change_to_a_burnt_key(p):
    client, gone = p.account(), p.account()
    p.offers("keyChange")
    p.ok(gone.post(gone.kid, {"status": "deactivated"}))
    answer = change(p, client, gone.key)
    p.need(answer.status in (401, 403, 409), shown(answer))


@row("1.2", "RFC 8555 §7.3.5", "two accounts that change to one key", "one wins, the other gets 409", "J16")
def key_change_twice_to_one_key(p):
    one, two, new = p.account(), p.account(), Key()
    p.ok(change(p, one, new))
    answer = change(p, two, new)
    p.need(answer.status == 409 and answer.get("Location") == one.kid, shown(answer))
    p.need(parsed(two.post(two.kid))["status"] == "valid", "the second lost its key")
