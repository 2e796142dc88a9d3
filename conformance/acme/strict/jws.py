"""What a message may be (RFC 8555 §6.2 to §6.4, RFC 7515)."""
import json
import socket
from contextlib import closing

from cryptography.hazmat.primitives import serialization

from harness import jose
from harness.jose import DROP, Key, b64

from .probe import Deviation, parsed, row, shown

ES256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
AGREED = {"termsOfServiceAgreed": True}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def no_algorithm(p, answer):
    said = p.problem(answer, 400, "badSignatureAlgorithm")
    p.need(isinstance(said.get("algorithms"), list) and "ES256" in said["algorithms"], f"algorithms {said.get('algorithms')}")


def refused(p, what, answer, statuses=400, types="malformed"):
    """A refusal whose row asks several: `what` is named when it is another."""
    try:
        p.problem(answer, statuses, types)
    except Deviation as other:
        raise Deviation(f"{what}: {other}") from None


@row("1.1", "RFC 8555 §6.2", "alg none, None, NONE and empty, with and without a signature", "400 badSignatureAlgorithm with `algorithms`", "J03")
def alg_none(p):
    for client, url in ((p.account(), None), (p.client(), "newAccount")):
        for alg in ("none", "None", "NONE", ""):
            for sign in (None, lambda octets: b""):
                no_algorithm(p, client.post(url or client.kid, AGREED, alg=alg, sign=sign))


@row("1.1", "RFC 8555 §6.2", "alg HS256 with the public key (PEM, DER, JWK) as its MAC key", "400 badSignatureAlgorithm with `algorithms`", "J03")
def alg_mac_of_the_public_key(p):
    client = p.account(kind="RSA 2048")
    public = client.key.private.public_key()
    forms = [public.public_bytes(each, serialization.PublicFormat.SubjectPublicKeyInfo) for each in (serialization.Encoding.PEM, serialization.Encoding.DER)]
    for form in (*forms, json.dumps(client.key.jwk).encode(), b""):
        no_algorithm(p, client.post(client.kid, alg="HS256", sign=jose.mac(form)))


@row("1.1", "RFC 8555 §6.2", "alg RS1, ES256K, HS512, es256", "400 badSignatureAlgorithm with `algorithms`", "J03")
def alg_unknown(p):
    client = p.account()
    for alg in ("RS1", "ES256K", "HS512", "es256"):
        no_algorithm(p, client.post(client.kid, alg=alg))


@row("1.1", "RFC 8555 §6.2, RFC 7518 §3.4", "P-256 with ES384, RS256 and EdDSA, RSA with ES256", "400 badSignatureAlgorithm with `algorithms`", "J03")
def alg_of_another_key(p):
    for kind, others in (("P-256", ("ES384", "ES512", "RS256", "EdDSA")), ("RSA 2048", ("ES256",))):
        client = p.account(kind=kind)
        for alg in others:
            no_algorithm(p, client.post(client.kid, alg=alg))


@row("1.1", "RFC 7517 §4.4", "a JWK whose alg is another than it is used with", "400 badPublicKey, malformed or badSignatureAlgorithm", "J03")
def jwk_with_another_alg(p):
    client = p.client()
    p.problem(client.post("newAccount", AGREED, jwk={**client.key.jwk, "alg": "ES384"}), 400,
              ("badPublicKey", "malformed", "badSignatureAlgorithm"))


def raw(r, s):
    return lambda octets: r.to_bytes(32, "big") + s.to_bytes(32, "big")


def moved(key):
    """The right s with the group's order added, where it still fits."""
    def sign(octets):
        good = key.sign(octets)
        return good[:32] + ((int.from_bytes(good[32:], "big") + ES256_ORDER) % 2**256).to_bytes(32, "big")
    return sign


@row("1.1", "RFC 7518 §3.4", "ECDSA with r=0, s=0, r=n, s=n, all ones, s+n", "400 malformed or unauthorized", "J04")
def ecdsa_out_of_range(p):
    client, n = p.account(), ES256_ORDER
    signers = {"0, 0": raw(0, 0), "0, 1": raw(0, 1), "1, 0": raw(1, 0), "n, 1": raw(n, 1), "1, n": raw(1, n), "all ones": raw(2**256 - 1, 2**256 - 1),
               "s + n": moved(client.key)}
    for what, sign in signers.items():
        refused(p, what, client.post(client.kid, sign=sign), (400, 401, 403), ("malformed", "unauthorized"))


@row("1.1", "RFC 7518 §3.4", "ECDSA in DER, an octet too long, a zero before each number, half of it", "400 malformed or unauthorized", "J04")
def ecdsa_of_another_form(p):
    client = p.account()
    good = client.key.sign
    signers = {"DER": client.key.sign_der, "65 octets": lambda o: good(o) + b"\0", "66 octets": lambda o: b"\0" + good(o)[:32] + b"\0" + good(o)[32:],
               "32 octets": lambda o: good(o)[:32]}
    for what, sign in signers.items():
        refused(p, what, client.post(client.kid, sign=sign), (400, 401, 403), ("malformed", "unauthorized"))


@row("4", "acme.md §4 (Apple)", "ECDSA of 63 octets: r, or s, lost a leading zero", "200: padded and verified", "J04")
def ecdsa_without_a_leading_zero(p):
    client = p.account()
    for at in (0, 32):
        while True:
            header = client.header(client.kid)
            signature = client.key.sign(f"{b64(jose.dumps(header))}.".encode())
            if signature[at] == 0:
                break
            client.keep(header["nonce"])
        short = signature[:at] + signature[at + 1:]
        answer = client.send(client.kid, client.message(client.kid, "", header=header, sign=lambda octets, short=short: short))
        p.need(answer.status == 200, f"{'r' if at == 0 else 's'}: {shown(answer)}")


@row("5", "RFC 8555 §6.2", "a signature that is empty, another key's, of another message", "400 malformed or unauthorized", "J04")
def wrong_signature(p):
    client = p.account()
    for what, sign in {"empty": lambda o: b"", "another key's": Key().sign, "another message's": lambda o: client.key.sign(o + b".")}.items():
        refused(p, what, client.post(client.kid, sign=sign), (400, 401, 403), ("malformed", "unauthorized"))


@row("5", "RFC 8555 §6.2", "newAccount signed by another key than its jwk", "400 malformed or unauthorized, and no account", "J04")
def swapped_key(p):
    client = p.client()
    refused(p, "newAccount", client.post("newAccount", AGREED, sign=Key().sign), (400, 401, 403), ("malformed", "unauthorized"))
    p.problem(client.post("newAccount", {"onlyReturnExisting": True}), 400, "accountDoesNotExist")


@row("1.1", "RFC 8555 §6.2", "jwk and kid together; neither", "400 malformed", "J05")
def jwk_and_kid(p):
    client, stranger = p.account(), p.client()
    refused(p, "both", client.post(client.kid, jwk=client.key.jwk))
    refused(p, "neither", client.post(client.kid, kid=DROP))
    refused(p, "both, newAccount", stranger.post("newAccount", AGREED, kid=client.kid))
    refused(p, "neither, newAccount", stranger.post("newAccount", AGREED, jwk=DROP))


@row("1.1", "RFC 8555 §6.2", "newAccount by kid; newOrder, account, order and authorization by jwk", "400 malformed", "J05")
def wrong_kind_of_key(p):
    client = p.account()
    url, order = client.order()
    refused(p, "newAccount", client.post("newAccount", {}, jwk=DROP, kid=client.kid))
    for each in ("newOrder", client.kid, url, order["authorizations"][0], order["finalize"]):
        refused(p, each, client.post(each, {}, kid=DROP, jwk=client.key.jwk))


@row("1.1", "RFC 8555 §6.2", "an unprotected header, empty too", "400 malformed", "J06")
def unprotected_header(p):
    client = p.account()
    for header in ({"kid": "x"}, {}):
        refused(p, str(header), client.post(client.kid, members={"header": header}))


@row("1.1", "RFC 8555 §6.2", "general JSON with one and two signatures, compact form, a list of messages, text behind it, UTF-16", "400 malformed", "J06")
def other_serializations(p):
    client = p.account()
    parts = json.loads(client.message(client.kid))
    one = {"protected": parts["protected"], "signature": parts["signature"]}
    compact = f"{parts['protected']}.{parts['payload']}.{parts['signature']}".encode()
    for what, message in {"two signatures": {"payload": "", "signatures": [one, one]}, "one in a list": {"payload": "", "signatures": [one]},
                          "flattened and general": {**parts, "signatures": [one]}, "compact": compact, "quoted": b'"' + compact + b'"', "list": [parts],
                          "nothing": b"", "null": b"null", "text behind": json.dumps(parts).encode() + b"x", "byte order mark": b"\xef\xbb\xbf" + json.dumps(parts).encode(),
                          "UTF-16": json.dumps(parts).encode("utf-16")}.items():
        refused(p, what, client.send(client.kid, jose.dumps(message)))


@row("1.1", "RFC 7515 §4, §7.2", "unknown members of the message and of the protected header, typ", "200: they are ignored")
def unknown_members_are_ignored(p):
    client = p.account()
    p.ok(client.post(client.kid, members={"unknown": {"a": 1}}))
    p.ok(client.post(client.kid, unknown=[1], typ="JOSE+JSON"))


@row("1.1", "RFC 7797, RFC 7515 §4.1.11", "b64 false, an unknown crit, an empty crit", "400 malformed", "J06")
def crit_and_b64(p):
    for client, url in ((p.account(), None), (p.client(), "newAccount")):
        for what, members in {"b64": {"b64": False, "crit": ["b64"]}, "crit": {"crit": ["exp"], "exp": 1}, "empty crit": {"crit": []}}.items():
            refused(p, what, client.post(url or client.kid, AGREED, **members))


@row("1.1", "RFC 7515 §4.1", "jku and x5u that name this machine, x5c", "400 malformed, and nobody comes", "J06")
def keys_from_elsewhere(p):
    with closing(socket.create_server(("127.0.0.1", 0))) as trap:
        trap.setblocking(False)
        where = f"http://127.0.0.1:{trap.getsockname()[1]}/keys"
        for client, url in ((p.account(), None), (p.client(), "newAccount")):
            for member in ("jku", "x5u"):
                refused(p, member, client.post(url or client.kid, AGREED, **{member: where}))
        try:
            trap.accept()
        except BlockingIOError:
            return
        p.need(False, "the URL was asked")


@row("1.1", "RFC 7515 §7.2.2", "a message without protected, payload (detached) or signature; null, a number, an object for them", "400 malformed", "J06")
def members_left_out(p):
    client = p.account()
    for member in ("protected", "payload", "signature"):
        for value in (DROP, None, 1, {}):
            refused(p, f"{member} {'left out' if value is DROP else value}", client.post(client.kid, members={member: value}))


@row("1.1", "RFC 7515 §4", "a member twice: of the message, of the protected header, of the payload", "400 malformed", "J10")
def duplicate_members(p):
    client = p.account()
    message = client.message(client.kid).decode()
    refused(p, "message", client.send(client.kid, (message[:-1] + ', "payload": ""}').encode()))
    header = json.dumps(client.header(client.kid))
    refused(p, "header", client.post(client.kid, header=header[:-1] + ', "alg": "ES256"}'))
    refused(p, "payload", client.post(client.kid, '{"contact": [], "contact": []}'))


@row("1.1", "RFC 8259", "payloads 1e999, a lone surrogate, 1 000 levels, octets that are no UTF-8, two values, an array", "400 malformed", "J10")
def hostile_json(p):
    client = p.account()
    for what, payload in {"1e999": '{"x": 1e999}', "surrogate": '{"x": "\\ud800"}', "levels": '{"a":' + "[" * 1000 + "]" * 1000 + "}", "UTF-8": b'{"x": "\xff"}',
                          "two": "{} {}", "array": "[]", "text": '"x"', "not JSON": "{", "mark": b"\xef\xbb\xbf{}"}.items():
        refused(p, what, client.post(client.kid, payload))


@row("1.1", "RFC 8259", "a protected header with 1 000 levels, that is an array, that is no JSON", "400 malformed", "J10")
def hostile_header(p):
    client = p.account()
    right = client.header(client.kid)
    for what, header in {"levels": json.dumps(right)[:-1] + ', "a":' + "[" * 1000 + "]" * 1000 + "}", "array": "[]", "no JSON": "{"}.items():
        refused(p, what, client.send(client.kid, client.message(client.kid, "", header=header)))


@row("1.1", "RFC 8555 §6.1, RFC 7515 §2", "base64url with padding, a space, a line break, NUL, of the other alphabet, with stray bits: protected, payload, signature",
     "400 malformed", "J09")
def base64url_is_strict(p):
    client = p.account()
    spoilt = {"padding": lambda t: t + "=" * (-len(t) % 4 or 4), "space": lambda t: t[:2] + " " + t[2:], "line break": lambda t: t[:2] + "\n" + t[2:],
              "space at the end": lambda t: t + " ", "other alphabet": lambda t: "+/" + t[2:], "NUL": lambda t: t + "\0"}
    for part in ("protected", "payload", "signature"):
        for what, spoil in {**spoilt, "stray bits": lambda t: t[:-1] + ALPHABET[ALPHABET.index(t[-1]) + 1]}.items():
            message = json.loads(client.message(client.kid, '{"contact":[]}'))
            if what == "stray bits" and (len(message[part]) % 4 == 0 or message[part][-1] == "_"):
                continue
            refused(p, f"{part}: {what}", client.send(client.kid, jose.dumps({**message, part: spoil(message[part])})))


@row("1.1", "RFC 8555 §6.4", "url with another host, port, scheme, query, path, case, and of another resource", "401 unauthorized, and the nonce stays good", "J08")
def url_of_another(p):
    client = p.account()
    right = client.kid
    host = right.split("/")[2]
    for what, url in {"host": right.replace(host, "evil.example"), "scheme": right.replace("https:", "http:", 1), "query": right + "?a=b", "slash": right + "/",
                      "fragment": right + "#x", "case": right.replace("https:", "HTTPS:", 1), "path only": "/" + right.split("/", 3)[3],
                      "resource": p.directory()["newOrder"], "empty": ""}.items():
        nonce = client.nonce()
        refused(p, what, client.post(right, url=url, nonce=nonce), 401, "unauthorized")
        p.ok(client.post(right, nonce=nonce))


@row("1.1", "RFC 8555 §6.4", "a query in the request that was not signed", "401 unauthorized (or 404)", "J08")
def query_not_signed(p):
    client = p.account()
    target = "/" + client.kid.split("/", 3)[3] + "?a=b"
    p.problem(client.send(client.kid, client.message(client.kid), target=target), (401, 404), ("unauthorized", "malformed"))


@row("1.1", "RFC 8555 §6.4", "no url; a number, null and a list for it", "400 malformed (or 401 unauthorized)", "J08")
def url_left_out(p):
    client = p.account()
    for url in (DROP, 1, None, ["x"]):
        refused(p, "left out" if url is DROP else str(url), client.post(client.kid, url=url), (400, 401), ("malformed", "unauthorized"))


@row("1.1", "RFC 8555 §6.4", "url and request with another Host header", "the message is not taken for that host: 400, 401, 404 or 421", "J08")
def another_host_header(p):
    client = p.account()
    with client.endpoint.connect() as wire:
        url = client.kid.replace(client.kid.split("/")[2], "evil.example")
        path = "/" + client.kid.split("/", 3)[3]
        answer = wire.ask("POST", path, client.message(client.kid, url=url), [("Content-Type", "application/jose+json")], host="evil.example")
    p.need(answer.status in (400, 401, 403, 404, 421), shown(answer))


@row("5", "RFC 8555 §6.2", "RS256, ES256, ES384, ES512 and EdDSA account keys", "201 and a signed request for each (ES256 MUST, EdDSA SHOULD)")
def account_keys(p):
    for kind in ("P-256", "RSA 2048", "P-384", "Ed25519", "P-521", "RSA 4096"):
        client = p.client(kind=kind)
        answer = client.register()
        p.need(answer.status == 201, f"{kind}: {shown(answer)}")
        p.need(parsed(p.ok(client.post(client.kid)))["status"] == "valid", f"{kind}: not valid")
