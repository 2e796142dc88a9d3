"""Validation by tls-alpn-01 (RFC 8737)."""
import hashlib
import json
import ssl
import threading

from harness import der, pkcs10
from harness.jose import Key
from harness.seeded import Random

from .client import SECONDS
from .probe import NotOffered, parsed, row
from .requests import alternatives, general_name, ip_name
from .world import shows

ACME_IDENTIFIER, DRAFT_IDENTIFIER = "1.3.6.1.5.5.7.1.31", "1.3.6.1.5.5.7.1.30.1"
TYPES = ("unauthorized", "tls", "connection", "incorrectResponse", "malformed")


def identifier(authorization, critical=True, oid=ACME_IDENTIFIER, digest=None):
    """The acmeIdentifier extension of a key authorization."""
    digest = hashlib.sha256(authorization.encode()).digest() if digest is None else digest
    return pkcs10.extension(oid, der.octets(digest), critical)


def certificate(key, *extensions, **how):
    return pkcs10.certificate(key.private, pkcs10.name([("CN", "tls-alpn-01")]), Random(), extensions=extensions, **how)


def started(p, *names):
    if p.world.tls is None:
        raise NotOffered("nobody here answers tls-alpn-01: --tls-port")
    client = p.account()
    name = names[0] if names else p.name()
    _, order = client.order(name)
    _, challenge = client.challenge(order, "tls-alpn-01")
    return client, name, challenge


def decided(p, client, challenge, behaviour):
    p.world.tls.behaviour = behaviour
    p.ok(client.post(challenge["url"], {}))
    return client.until(challenge["url"], "pending", "processing")


def fails(p, make, *types, what="", **how):
    """`make(name, key authorization, key)` gives the certificates (DER); `how` is for world.shows."""
    client, name, challenge = started(p)
    key = Key()
    made = make(name, client.authorize(challenge), key)
    said = decided(p, client, challenge, made if callable(made) else shows(made, key.private, **how))
    p.need(said["status"] == "invalid", f"{what or 'the challenge'}: {said['status']}")
    return p.error_of(said, *(types or TYPES))


def san(name):
    return pkcs10.alternative_names(dns=[name])


@row("2.1", "RFC 8737 §3", "the right certificate", "valid; the handshake had SNI and ALPN acme-tls/1")
def tls_alpn_01(p):
    client, name, challenge = started(p)
    key, seen = Key(), []
    said = decided(p, client, challenge, shows([certificate(key, san(name), identifier(client.authorize(challenge)))], key.private, seen=seen))
    p.need(said["status"] == "valid", f"{said['status']}: {json.dumps(said.get('error'))[:120]}")
    p.need((name, "acme-tls/1") in seen, f"seen {seen}")


@row("2.1", "RFC 8737 §3", "the right certificate with RSA and with more extensions", "valid: others are allowed")
def tls_alpn_01_with_more(p):
    client, name, challenge = started(p)
    key = p.kept("RSA 2048", lambda: Key("RSA 2048"))
    extensions = [san(name), identifier(client.authorize(challenge)), pkcs10.key_usage("digitalSignature"), pkcs10.extended_key_usage(pkcs10.SERVER_AUTH)]
    said = decided(p, client, challenge, shows([certificate(key, *extensions)], key.private))
    p.need(said["status"] == "valid", f"{said['status']}: {json.dumps(said.get('error'))[:120]}")


@row("2.1", "RFC 8737 §3", "the digest of another key authorization, of 31 octets, empty, as a bare octet string", "invalid", "V09")
def tls_alpn_01_wrong_digest(p):
    for digest in (hashlib.sha256(b"x").digest(), b"x" * 31, b""):
        fails(p, lambda name, auth, key, digest=digest: [certificate(key, san(name), identifier(auth, digest=digest))])
    fails(p, lambda name, auth, key: [certificate(key, san(name), identifier(auth, digest=hashlib.sha256(auth.encode()).digest()[:31]))])
    fails(p, lambda name, auth, key: [certificate(key, san(name), pkcs10.extension(ACME_IDENTIFIER, hashlib.sha256(auth.encode()).digest(), True))])


@row("2.1", "RFC 8737 §3", "the extension not critical, of the draft's OID, twice, left out", "invalid", "V09")
def tls_alpn_01_wrong_extension(p):
    fails(p, lambda name, auth, key: [certificate(key, san(name), identifier(auth, critical=False))])
    fails(p, lambda name, auth, key: [certificate(key, san(name), identifier(auth, oid=DRAFT_IDENTIFIER))])
    fails(p, lambda name, auth, key: [certificate(key, san(name), identifier(auth), identifier(auth, digest=b"x" * 32))])
    fails(p, lambda name, auth, key: [certificate(key, san(name))])


@row("2.1", "RFC 8737 §3", "a SAN with two names, another name, a wildcard, an address beside the name, none, twice", "invalid", "V09")
def tls_alpn_01_wrong_names(p):
    dns = lambda text: general_name(2, text.encode())  # noqa: E731
    for what, make in {"two names": lambda name: [alternatives(dns(name), dns("x." + name))], "another name": lambda name: [alternatives(dns("x." + name))],
                       "wildcard": lambda name: [alternatives(dns("*." + name))], "no SAN": lambda name: [], "SAN twice": lambda name: [san(name), san(name)],
                       "address beside the name": lambda name: [alternatives(dns(name), general_name(7, bytes([127, 0, 0, 1])))],
                       "mail address": lambda name: [alternatives(general_name(1, name.encode()))]}.items():
        fails(p, lambda name, auth, key, make=make: [certificate(key, *make(name), identifier(auth))], what=what)


@row("2.1", "RFC 8737 §3", "a certificate that another key signed, that names another issuer", "invalid: not self-signed", "V09")
def tls_alpn_01_not_self_signed(p):
    other = Key().private
    fails(p, lambda name, auth, key: [certificate(key, san(name), identifier(auth), issuer_key=other, issuer=pkcs10.name([("CN", "tls-alpn-01")]))], what="another key")
    fails(p, lambda name, auth, key: [certificate(key, san(name), identifier(auth), issuer_key=key.private, issuer=pkcs10.name([("CN", "other")]))], what="another issuer")


@row("2.1", "RFC 8737 §3", "a server without ALPN, with http/1.1 alone", "invalid: tls or unauthorized", "V09")
def tls_alpn_01_without_alpn(p):
    for protocols in ((), ("http/1.1",)):
        fails(p, lambda name, auth, key: [certificate(key, san(name), identifier(auth))], protocols=protocols)


@row("2.1", "RFC 8737 §4", "a server of TLS 1.1", "invalid: tls (or connection)", "V09")
def tls_alpn_01_of_tls_1_1(p):
    fails(p, lambda name, auth, key: [certificate(key, san(name), identifier(auth))], version=ssl.TLSVersion.TLSv1_1)


@row("5", "RFC 8737", "plain HTTP on the port; nothing but silence and an end; octets that are no TLS", "invalid: tls or connection", "V10")
def tls_alpn_01_of_no_tls(p):
    fails(p, lambda name, auth, key: lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    fails(p, lambda name, auth, key: lambda connection: connection.recv(1))
    fails(p, lambda name, auth, key: lambda connection: connection.sendall(b"\x16\x03\x03\xff\xff" + b"x" * 70000))


@row("5", "threats.md V10", "a server that takes the connection and says nothing", "invalid: tls or connection, at a deadline", "V10")
def tls_alpn_01_of_silence(p):
    left = threading.Event()
    try:
        fails(p, lambda name, auth, key: lambda connection: left.wait(SECONDS))
    finally:
        left.set()


@row("5", "threats.md V10", "a chain of a MiB", "invalid, or valid by its leaf: nothing breaks", "V10")
def tls_alpn_01_long_chain(p):
    client, name, challenge = started(p)
    key = Key()
    more = certificate(key, pkcs10.extension("1.2.3.4", der.octets(b"x" * 60000)))
    said = decided(p, client, challenge, shows([certificate(key, san(name), identifier(client.authorize(challenge))), *[more] * 17], key.private))
    p.ok(client.post(client.kid))
    return said["status"]


@row("5", "RFC 8737 §3", "the certificate of another order of the account", "invalid: unauthorized", "V17")
def tls_alpn_01_of_another_order(p):
    client, name, challenge = started(p)
    _, other = client.order(p.name())
    _, foreign = client.challenge(other, "tls-alpn-01")
    key = Key()
    said = decided(p, client, challenge, shows([certificate(key, san(name), identifier(client.authorize(foreign)))], key.private))
    p.need(said["status"] == "invalid", f"{said['status']}")


@row("2.1", "RFC 8737 §3", "the challenges of a wildcard", "tls-alpn-01 is not among them")
def tls_alpn_01_not_for_wildcards(p):
    started(p)
    client = p.account()
    answer = client.new_order(f"*.{p.name()}")
    if answer.status != 201:
        raise NotOffered("no wildcards")
    kinds = [each["type"] for each in client.read(parsed(answer)["authorizations"][0])["challenges"]]
    p.need("tls-alpn-01" not in kinds, f"{kinds}")


@row("2.1", "RFC 8738 §6", "the right certificate for the address 127.0.0.1", "valid; SNI is 1.0.0.127.in-addr.arpa")
def tls_alpn_01_for_an_address(p):
    if p.account().new_order(ip_name("127.0.0.1")).status != 201:
        raise NotOffered("no addresses")
    client, _, challenge = started(p, ip_name("127.0.0.1"))
    key, seen = Key(), []
    extensions = [pkcs10.alternative_names(ip=["127.0.0.1"]), identifier(client.authorize(challenge))]
    said = decided(p, client, challenge, shows([certificate(key, *extensions)], key.private, seen=seen))
    p.need(said["status"] == "valid", f"{said['status']}: {json.dumps(said.get('error'))[:120]}")
    p.need(("1.0.0.127.in-addr.arpa", "acme-tls/1") in seen, f"seen {seen}")
