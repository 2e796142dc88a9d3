"""What has ended (RFC 8555 §7.1.3, §7.1.6): a server whose clock goes forward by eight days, once for all rows."""
from types import SimpleNamespace

from harness.jose import Key

from .probe import kind_of, parsed, row, shown
from .requests import csr_for

EIGHT_DAYS = 8 * 86400


def aged(p):
    """What was made eight days ago."""
    advance, endpoint = p.hook("advance"), p.other("late")

    def make():
        client = p.account(endpoint)
        made = SimpleNamespace(key=client.key, kid=client.kid, name=p.name(), ready_name=p.name())
        made.pending_url, made.pending = client.order(made.name)
        _, made.challenge = client.challenge(made.pending)
        p.world.serve(made.challenge["token"], client.authorize(made.challenge))
        made.ready_url, made.ready = client.ready(made.ready_name)
        profiles = p.meta(endpoint).get("profiles") or {}
        short = {"profile": "probed-short"} if "probed-short" in profiles else {}
        _, made.chain, _ = client.certify(**short)
        advance(EIGHT_DAYS)
        return made

    made = p.kept("aged", make)
    client = p.client(endpoint, key=made.key)
    client.kid = made.kid
    return client, made


@row("5", "RFC 8555 §7.1.6", "a pending order that expired", "invalid with error; 403 orderNotReady", "V17")
def late_pending_order(p):
    client, made = aged(p)
    order = client.read(made.pending_url)
    p.need(order["status"] == "invalid" and order.get("error"), f"{order['status']}, error {order.get('error')}")
    p.problem(client.finalize(made.pending, csr_for(Key(), made.name)), 403, "orderNotReady")


@row("5", "RFC 8555 §7.1.6", "a ready order that expired: finalize", "403 orderNotReady or unauthorized; invalid", "V17")
def late_ready_order(p):
    client, made = aged(p)
    answer = client.finalize(made.ready, csr_for(Key(), made.ready_name))
    p.need(answer.status == 403 and kind_of(answer) in ("orderNotReady", "unauthorized"), shown(answer))
    p.need(client.read(made.ready_url)["status"] == "invalid", f"the order is {client.read(made.ready_url)['status']}")


@row("5", "RFC 8555 §7.1.6", "the challenge of an authorization that expired", "400 malformed or 403 unauthorized (or 200 unchanged); nobody is asked", "V17")
def late_challenge(p):
    client, made = aged(p)
    answer = client.post(made.challenge["url"], {})
    p.need(answer.status in (200, 400, 403) and kind_of(answer) in (None, "malformed", "unauthorized"), shown(answer))
    p.need(not p.world.requests_for(made.challenge["token"]), "the web server was asked")
    p.need(client.read(made.challenge["url"])["status"] != "valid", "it is valid")


@row("5", "RFC 8555 §7.1.6", "authorizations that expired, pending and valid", "expired (or invalid)", "V17")
def late_authorizations(p):
    client, made = aged(p)
    for url in (made.pending["authorizations"][0], made.ready["authorizations"][0]):
        status = client.read(url)["status"]
        p.need(status in ("expired", "invalid"), f"{status}")


@row("5", "RFC 8555 §7.1.4", "newOrder of a name whose proof expired", "pending: it is to be proven again", "V17")
def late_proof_is_not_reused(p):
    client, made = aged(p)
    _, order = client.order(made.ready_name)
    p.need(order["status"] == "pending" and client.read(order["authorizations"][0])["status"] == "pending", f"{order['status']}")


@row("5", "RFC 8555 §7.1.2.1", "the orders list after orders expired", "they are not listed")
def late_orders_list(p):
    client, made = aged(p)
    listed = client.read(client.read(client.kid)["orders"])["orders"]
    p.need(made.pending_url not in listed and made.ready_url not in listed, "listed")


@row("5", "RFC 8555 §7.6", "revokeCert of a certificate that expired", "200, or refused with a type of the registry: no fault of the server")
def late_revocation(p):
    client, made = aged(p)
    answer = client.revoke(made.chain[0])
    p.need(answer.status in (200, 400, 403, 404), shown(answer))
    return shown(answer)


@row("5", "RFC 8555 §7.3", "the account after eight days", "valid, and its certificate can be downloaded")
def late_account(p):
    client, made = aged(p)
    p.need(parsed(p.ok(client.post(client.kid)))["status"] == "valid", "not valid")
