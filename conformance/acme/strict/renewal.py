"""Renewal information and `replaces` (RFC 9773)."""
import datetime

from cryptography import x509

from harness.jose import Key, b64, unb64

from .orders import RFC3339
from .probe import NotOffered, kind_of, parsed, row, shown
from .requests import csr_for


def certificate_id(leaf):
    """RFC 9773 §4.1: keyIdentifier and serial, the latter as DER has its content."""
    key_id = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    serial = leaf.serial_number
    return f"{b64(key_id)}.{b64(serial.to_bytes(serial.bit_length() // 8 + 1, 'big'))}"


def window(p, client, leaf):
    answer = p.ok(client.ask("GET", f"{p.offers('renewalInfo', client.endpoint)}/{certificate_id(leaf)}"))
    found = parsed(answer).get("suggestedWindow") or {}
    p.need(all(RFC3339.fullmatch(str(found.get(end))) for end in ("start", "end")), f"suggestedWindow {found}")
    return answer, *(datetime.datetime.fromisoformat(found[end].replace("Z", "+00:00")).astimezone(datetime.timezone.utc).replace(tzinfo=None) for end in ("start", "end"))


@row("3", "RFC 9773 §4", "GET of renewalInfo of a new certificate, without a signature", "200: end after start, within its life and to come; Retry-After in whole seconds")
def renewal_information(p):
    p.offers("renewalInfo")
    client = p.account()
    _, chain, _ = client.certify()
    answer, start, end = window(p, client, chain[0])
    p.need(answer.media_type == "application/json" and answer.get("Retry-After").isdigit(), f"{answer.get('Content-Type')}, Retry-After {answer.get('Retry-After')!r}")
    p.need(start < end, f"{start} … {end}")
    p.need(chain[0].not_valid_before <= start and end <= chain[0].not_valid_after and end > datetime.datetime.utcnow(), f"{start} … {end}")


@row("3", "RFC 9773 §4", "renewalInfo of a certificate of each profile", "a window within the certificate's life, however short that is")
def renewal_information_of_each_profile(p):
    p.offers("renewalInfo")
    client = p.account()
    for profile in p.meta().get("profiles") or [None]:
        _, chain, _ = client.certify(**({"profile": profile} if profile else {}))
        _, start, end = window(p, client, chain[0])
        p.need(chain[0].not_valid_before <= start < end <= chain[0].not_valid_after, f"{profile}: {start} … {end}")


@row("3", "RFC 9773 §4.1; certbot, instant-acme", "the URL of renewalInfo", "has no slash at its end")
def renewal_information_url(p):
    p.need(not p.offers("renewalInfo").endswith("/"), p.offers("renewalInfo"))


@row("3", "RFC 9773 §4.2", "renewalInfo of a revoked certificate", "the window is over")
def renewal_information_of_a_revoked_one(p):
    p.offers("renewalInfo")
    client = p.account()
    _, chain, _ = client.certify()
    p.ok(client.revoke(chain[0], 4))
    _, start, end = window(p, client, chain[0])
    p.need(end <= datetime.datetime.utcnow(), f"{start} … {end}")


@row("3", "RFC 9773 §4.1", "renewalInfo of ids without a dot, with two, padded, no base64url, empty", "400 malformed (404 for an empty one)", "J24")
def renewal_information_of_bad_form(p):
    base = p.offers("renewalInfo")
    client = p.account()
    _, chain, _ = client.certify()
    good = certificate_id(chain[0])
    for each in (good.replace(".", ""), good + ".AA", good + "=", "%%." + good.split(".")[1], ".", good.split(".")[0] + "."):
        answer = client.ask("GET", f"{base}/{each}")
        p.need(answer.status == 400 and kind_of(answer) == "malformed", f"{each}: {shown(answer)}")


@row("3", "RFC 9773 §4.1", "renewalInfo of a serial that is nobody's, of another issuer's key id, without the serial's leading zero", "404 malformed", "J24")
def renewal_information_of_nobody(p):
    base = p.offers("renewalInfo")
    client = p.account()
    _, chain, _ = client.certify()
    key_id, serial = certificate_id(chain[0]).split(".")
    for each in (f"{key_id}.{b64(bytes([1] * 16))}", f"{b64(bytes(20))}.{serial}"):
        answer = client.ask("GET", f"{base}/{each}")
        p.need(answer.status == 404 and kind_of(answer) == "malformed", f"{each}: {shown(answer)}")
    p.need(unb64(serial)[0] < 0x80, "a serial below zero")


def predecessor(p, *names, client=None):
    """(account, names, certificate id) of a certificate."""
    p.offers("renewalInfo")
    client = client or p.account()
    names = names or (p.name(),)
    _, chain, _ = client.certify(*names)
    return client, names, certificate_id(chain[0])


@row("3", "RFC 9773 §5", "newOrder with replaces, then finalize", "201 with replaces in the order, and a certificate")
def replaces(p):
    client, names, old = predecessor(p)
    answer = p.ok(client.new_order(*names, replaces=old), 201)
    p.need(parsed(answer).get("replaces") == old, f"replaces {parsed(answer).get('replaces')!r}")
    order = parsed(answer)
    client.prove(order)
    p.ok(client.finalize(client.until(answer.get("Location"), "pending"), csr_for(Key(), *names)))
    client.fetched(answer.get("Location"))


@row("3", "RFC 9773 §5", "newOrder with replaces twice", "409 alreadyReplaced", "J24")
def replaces_twice(p):
    client, names, old = predecessor(p)
    p.ok(client.new_order(*names, replaces=old), 201)
    p.problem(client.new_order(*names, replaces=old), 409, "alreadyReplaced")


@row("3", "RFC 9773 §5", "replaces after the order that had it became invalid", "201: the claim was released", "J24")
def replaces_after_a_failure(p):
    client, names, old = predecessor(p)
    answer = p.ok(client.new_order(*names, replaces=old), 201)
    p.ok(client.post(parsed(answer)["authorizations"][0], {"status": "deactivated"}))
    if client.read(answer.get("Location"))["status"] != "invalid":
        raise NotOffered("an order does not fail by deactivation")
    p.ok(client.new_order(*names, replaces=old), 201)


@row("3", "RFC 9773 §5", "replaces of another account's certificate", "403 unauthorized (or 400, 404 malformed)", "J24")
def replaces_of_another_account(p):
    _, names, old = predecessor(p)
    p.problem(p.account().new_order(*names, replaces=old), (400, 403, 404), ("unauthorized", "malformed"))


@row("3", "RFC 9773 §5", "replaces of a certificate that has none of the order's names", "400 malformed (or 403 unauthorized)", "J24")
def replaces_without_a_shared_name(p):
    client, _, old = predecessor(p)
    p.problem(client.new_order(p.name(), replaces=old), (400, 403), ("malformed", "unauthorized"))


@row("3", "RFC 9773 §5", "replaces that is no id, a number, of nobody", "400 malformed (404 of nobody)", "J24")
def replaces_of_bad_form(p):
    client, names, old = predecessor(p)
    for each in ("x", "", 1, old + "=", old.replace(".", "")):
        answer = client.new_order(*names, replaces=each)
        p.need(answer.status == 400 and kind_of(answer) == "malformed", f"{each!r}: {shown(answer)}")
    p.problem(client.new_order(*names, replaces=f"{old.split('.')[0]}.{b64(bytes([1] * 16))}"), (400, 403, 404), ("malformed", "unauthorized"))
