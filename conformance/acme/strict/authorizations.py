"""Authorizations and pre-authorization (RFC 8555 §7.1.4, §7.4.1, §7.5)."""
from harness.jose import Key, unb64

from .orders import RFC3339
from .probe import NotOffered, kind_of, parsed, row, shown
from .requests import csr_for


@row("1.2", "RFC 8555 §7.1.4", "POST-as-GET of a pending authorization", "identifier, status, expires, challenges; no wildcard where there is none")
def authorization_pending(p):
    client, name = p.account(), p.name()
    _, order = client.order(name)
    said = client.read(order["authorizations"][0])
    p.need(said["identifier"] == {"type": "dns", "value": name} and said["status"] == "pending", f"{said}")
    p.need(RFC3339.fullmatch(str(said.get("expires"))) and "wildcard" not in said, f"expires {said.get('expires')}, wildcard {said.get('wildcard')}")
    p.need(len({each["type"] for each in said["challenges"]}) == len(said["challenges"]) > 0, f"{said['challenges']}")


@row("1.2", "RFC 8555 §7.1.5, §8, §11.3", "the challenges of a pending authorization", "type, url, status pending, and a token of its own with 128 bits at least, in base64url without padding")
def challenges_pending(p):
    client = p.account()
    tokens = []
    for _ in range(2):
        _, order = client.order()
        for each in client.read(order["authorizations"][0])["challenges"]:
            p.need(each["status"] == "pending" and each["url"].startswith("https://"), f"{each}")
            p.need("=" not in each["token"] and len(unb64(each["token"])) >= 16, f"token {each['token']!r}")
            p.need("validated" not in each and "error" not in each, f"{each}")
            tokens.append(each["token"] + each["type"])
    p.need(len(set(tokens)) == len(tokens), "a token twice")


@row("4", "acme.sh", "an authorization as text", "type, url and token of a challenge come before any brace within it")
def challenge_is_flat(p):
    client = p.account()
    _, order = client.order()
    text = p.ok(client.post(order["authorizations"][0])).body.decode()
    for part in text.split('"challenges"')[1].split("{")[1:]:
        flat = part.split("}")[0]
        p.need(all(f'"{name}"' in flat for name in ("type", "url", "token")), f"{part[:80]}")


@row("1.2", "RFC 8555 §7.1.4", "an authorization that became valid", "status valid, expires, and only the challenge that succeeded, with validated")
def authorization_valid(p):
    client = p.account()
    url, order = client.ready()
    said = client.read(order["authorizations"][0])
    p.need(said["status"] == "valid" and RFC3339.fullmatch(str(said.get("expires"))), f"{said}")
    p.need([each["status"] for each in said["challenges"]] == ["valid"], f"challenges {[(each['type'], each['status']) for each in said['challenges']]}")
    p.need(RFC3339.fullmatch(str(said["challenges"][0].get("validated"))), "no validated")


@row("1.2", "RFC 8555 §7.1.4, §7.1.6", "an authorization whose challenge failed, and its order", "invalid, the failed challenge with error; the order invalid with error")
def authorization_invalid(p):
    client = p.account()
    url, order = client.order()
    client.attempt(order)
    said = client.until(order["authorizations"][0], "pending")
    p.need(said["status"] == "invalid", f"status {said['status']}")
    p.need([each["status"] for each in said["challenges"]] == ["invalid"] and "error" in said["challenges"][0], f"{said['challenges']}")
    order = client.until(url, "pending")
    p.need(order["status"] == "invalid" and "error" in order, f"the order is {order['status']}, error {order.get('error')}")


@row("1.2", "RFC 8555 §7.5.2", "deactivation of a pending authorization, and again", "200 deactivated; its order is invalid; its challenge cannot be started", "V17")
def authorization_deactivated(p):
    client = p.account()
    url, order = client.order()
    authorization, challenge = client.challenge(order)
    p.need(parsed(p.ok(client.post(authorization, {"status": "deactivated"})))["status"] == "deactivated", "not deactivated")
    p.need(client.read(url)["status"] == "invalid", f"the order is {client.read(url)['status']}")
    p.world.serve(challenge["token"], client.authorize(challenge))
    client.post(challenge["url"], {})
    p.need(client.read(authorization)["status"] == "deactivated", "it came back")
    p.need(client.post(authorization, {"status": "deactivated"}).status in (200, 400), "again")


@row("1.2", "RFC 8555 §7.5.2, §7.1.6", "deactivation of a valid authorization before finalize", "200; the order is invalid and cannot be finalized", "V17")
def authorization_deactivated_when_valid(p):
    client, name = p.account(), p.name()
    url, order = client.ready(name)
    p.ok(client.post(order["authorizations"][0], {"status": "deactivated"}))
    answer = client.finalize(order, csr_for(Key(), name))
    p.need(answer.status == 403 and kind_of(answer) in ("orderNotReady", "unauthorized"), f"finalize: {shown(answer)}")
    p.need(client.read(url)["status"] == "invalid", f"the order is {client.read(url)['status']}")


@row("1.2", "RFC 8555 §7.5.2", "other statuses and objects posted to an authorization", "400 malformed, nothing changes")
def authorization_other_status(p):
    client = p.account()
    _, order = client.order()
    for payload in ({"status": "valid"}, {"status": "revoked"}, {"status": 1}, "[]"):
        p.problem(client.post(order["authorizations"][0], payload), (400, 403), ("malformed", "unauthorized"))
    p.need(client.read(order["authorizations"][0])["status"] == "pending", "it changed")


@row("1.2", "RFC 8555 §7.1.4", "newOrder again for a name that the account proved; by another account", "valid at once or to be proven again; for the other pending", "V17")
def authorization_of_another_account(p):
    client, other, name = p.account(), p.account(), p.name()
    client.ready(name)
    _, again = client.order(name)
    _, theirs = other.order(name)
    p.need(other.read(theirs["authorizations"][0])["status"] == "pending", "another account's proof was taken")
    return f"for the same account {client.read(again['authorizations'][0])['status']}"


@row("1.2", "acme.md §1.2", "newOrder again for a name that the account proved", "the authorization is reused: the order is ready")
def authorization_reused(p):
    client, name = p.account(), p.name()
    client.ready(name)
    url, order = client.order(name)
    if order["status"] != "ready":
        raise NotOffered("valid authorizations are not reused")
    p.need(client.read(order["authorizations"][0])["status"] == "valid", "ready without a valid authorization")


@row("1.2", "RFC 8555 §7.4.1", "newAuthz, its challenge, then newOrder of that name", "201 with Location; the order is ready")
def pre_authorization(p):
    p.offers("newAuthz")
    client, name = p.account(), p.name()
    answer = p.ok(client.post("newAuthz", {"identifier": {"type": "dns", "value": name}}), 201)
    said = parsed(answer)
    p.need(answer.get("Location").startswith("https://") and said["identifier"]["value"] == name and said["status"] == "pending", f"{said}")
    client.prove({"authorizations": [answer.get("Location")]})
    _, order = client.order(name)
    p.need(order["status"] == "ready" and answer.get("Location") in order["authorizations"], f"the order is {order['status']}")


@row("1.2", "RFC 8555 §7.4.1", "newAuthz of a wildcard, of a bad name, of an unknown type, without an identifier", "400 malformed, rejectedIdentifier or unsupportedIdentifier (403 unauthorized)")
def pre_authorization_refused(p):
    p.offers("newAuthz")
    client, name = p.account(), p.name()
    for payload in ({"identifier": {"type": "dns", "value": f"*.{name}"}}, {"identifier": {"type": "dns", "value": "a..b"}},
                    {"identifier": {"type": "probe", "value": "x"}}, {}, {"identifier": name}):
        answer = client.post("newAuthz", payload)
        p.need(answer.status in (400, 403) and kind_of(answer) in ("malformed", "rejectedIdentifier", "unsupportedIdentifier", "unauthorized"), f"{payload}: {shown(answer)}")


@row("5", "RFC 8555 §7.1", "authorizations, challenges, orders and accounts that are nobody's", "404 malformed")
def resources_of_nobody(p):
    client = p.account()
    url, order = client.order()
    _, challenge = client.challenge(order)
    for each in (url, order["authorizations"][0], challenge["url"], order["finalize"]):
        path = each.split("/", 3)[3]
        spoilt = each.replace(path, path[:-4] + ("AAAA" if not path.endswith("AAAA") else "BBBB"))
        answer = client.post(spoilt)
        p.need(answer.status == 404 and kind_of(answer) == "malformed", f"{spoilt}: {shown(answer)}")
