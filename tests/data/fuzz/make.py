#!/usr/bin/python3
"""Writes the seeds: messages as real clients and servers send them, and each kind of broken one.

Inputs that a fuzz run found or merged stay as they are: only files named seed-* are written, and
one that exists is left alone unless --again is given (signatures differ each time).
"""
import base64
import datetime
import hashlib
import ipaddress
import json
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CRYPTO = ROOT / "tests/data/crypto"
BASE = "https://ca.example:8443"


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(value, width=None):
    return b64(value.to_bytes(width or (value.bit_length() + 7) // 8, "big"))


def write(target, name, content):
    folder = HERE / target
    folder.mkdir(exist_ok=True)
    path = folder / f"seed-{name}"
    if not path.exists() or "--again" in sys.argv:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


# ---- JOSE ---------------------------------------------------------------------------------------

class Key:
    """A key with its JWK and a JOSE signature."""

    CURVES = {"ES256": ("P-256", ec.SECP256R1(), 32, hashes.SHA256()), "ES384": ("P-384", ec.SECP384R1(), 48, hashes.SHA384()),
              "ES512": ("P-521", ec.SECP521R1(), 66, hashes.SHA512())}

    def __init__(self, alg):
        self.alg = alg
        if alg == "RS256":
            self.key = rsa.generate_private_key(65537, 2048)
            n = self.key.public_key().public_numbers()
            self.jwk = {"kty": "RSA", "n": number(n.n), "e": number(n.e)}
        elif alg == "EdDSA":
            self.key = ed25519.Ed25519PrivateKey.generate()
            self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(self.key.public_key().public_bytes_raw())} \
                if hasattr(self.key.public_key(), "public_bytes_raw") else \
                {"kty": "OKP", "crv": "Ed25519", "x": b64(raw(self.key.public_key()))}
        else:
            name, curve, width, _ = self.CURVES[alg]
            self.key = ec.generate_private_key(curve)
            n = self.key.public_key().public_numbers()
            self.jwk = {"kty": "EC", "crv": name, "x": number(n.x, width), "y": number(n.y, width)}

    def sign(self, octets):
        if self.alg == "RS256":
            return self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        if self.alg == "EdDSA":
            return self.key.sign(octets)
        _, _, width, digest = self.CURVES[self.alg]
        r, s = decode_dss_signature(self.key.sign(octets, ec.ECDSA(digest)))
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")


def raw(public_key):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


NONCE = "Y2xhc3NpYyBub25jZSAxMg"


def parts(key, payload, **header):
    head = {"alg": key.alg, "nonce": NONCE, "url": BASE + "/acme/default/new-account", **header}
    head = {k: v for k, v in head.items() if v is not None}
    protected, body = b64(json.dumps(head).encode()), b64(payload.encode())
    return {"protected": protected, "payload": body, "signature": b64(key.sign(f"{protected}.{body}".encode()))}


def plain(header, payload, signature=b"signature"):
    """The form of the target jws that needs no base64url."""
    return b"\0".join([json.dumps(header).encode(), payload.encode(), signature])


def jose():
    keys = {alg: Key(alg) for alg in ("ES256", "ES384", "ES512", "RS256", "EdDSA")}
    account = json.dumps({"termsOfServiceAgreed": True, "contact": ["mailto:admin@example.org"]})
    for alg, key in keys.items():
        write("jws", f"new-account-{alg}", json.dumps(parts(key, account, jwk=key.jwk)))
        write("jwk", alg, json.dumps(key.jwk))
    key = keys["ES256"]
    kid = {"kid": BASE + "/acme/default/account/0123456789abcdefghijkl"}
    write("jws", "post-as-get", json.dumps(parts(key, "", **kid)))
    order = json.dumps({"identifiers": [{"type": "dns", "value": "www.example.org"}]})
    write("jws", "new-order", json.dumps(parts(key, order, **kid), indent=4))
    message = parts(key, order, **kid)
    write("jws", "unprotected-header", json.dumps({**message, "header": {"kid": "x"}}))
    write("jws", "signatures", json.dumps({"payload": message["payload"], "signatures": [message]}))
    write("jws", "padded", json.dumps({**message, "payload": message["payload"] + "="}))
    write("jws", "duplicate-member", json.dumps(message)[:-1] + ',"payload":""}')
    write("jws", "both-keys", json.dumps(parts(key, order, jwk=key.jwk, **kid)))
    write("jws", "no-key", json.dumps(parts(key, order)))
    write("jws", "crit", json.dumps(parts(key, order, crit=["b64"], b64=False, **kid)))
    write("jws", "not-json", "hello")
    good = {"alg": "ES256", "nonce": NONCE, "url": BASE + "/x", **kid}
    write("jws", "plain-kid", plain(good, order))
    write("jws", "plain-jwk", plain({"alg": "EdDSA", "jwk": keys["EdDSA"].jwk, "url": "u", "nonce": NONCE}, account))
    write("jws", "plain-none", plain({**good, "alg": "none"}, order))
    write("jws", "plain-mac", plain({**good, "alg": "HS256"}, order))
    write("jws", "plain-jku", plain({**good, "jku": "https://evil.example/keys"}, order))
    write("jws", "plain-nonce-with-padding", plain({**good, "nonce": NONCE + "=="}, order))
    write("jws", "plain-empty-nonce", plain({**good, "nonce": ""}, order))
    write("jws", "plain-null-kid", plain({**good, "kid": None}, order))
    write("jws", "plain-no-signature", plain(good, order, b""))

    for name in ("P-256", "RSA"):
        jwk = keys["ES256" if name == "P-256" else "RS256"].jwk
        alg = "ES256" if name == "P-256" else "RS256"
        write("jwk", f"{name}-with-more", json.dumps({**jwk, "use": "sig", "kid": "1", "alg": alg, "ext": True}, indent=1))
        write("jwk", f"{name}-of-another-alg", json.dumps({**jwk, "alg": "EdDSA"}))
        write("jwk", f"{name}-for-encryption", json.dumps({**jwk, "use": "enc"}))
        write("jwk", f"{name}-private", json.dumps({**jwk, "d": "AQAB"}))
    ec_jwk, rsa_jwk = keys["ES256"].jwk, keys["RS256"].jwk
    write("jwk", "short-coordinate", json.dumps({**ec_jwk, "x": ec_jwk["x"][:-2]}))
    write("jwk", "off-curve", json.dumps({**ec_jwk, "x": ec_jwk["y"]}))
    write("jwk", "wrong-curve", json.dumps({**ec_jwk, "crv": "P-384"}))
    write("jwk", "leading-zero", json.dumps({**rsa_jwk, "n": b64(b"\0" + base64.urlsafe_b64decode(rsa_jwk["n"] + "=="))}))
    write("jwk", "exponent-3", json.dumps({**rsa_jwk, "e": "Aw"}))
    write("jwk", "symmetric", '{"kty":"oct","k":"AAAA"}')
    write("jwk", "x25519", json.dumps({**keys["EdDSA"].jwk, "crv": "X25519"}))
    write("jwk", "no-object", "[]")
    # RFC 7638 §3.1.
    write("jwk", "rfc7638", '{"kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJEC'
          'PebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0'
          'zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awa'
          'pJzKnqDKgw", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}')


# ---- DER ----------------------------------------------------------------------------------------

def tlv(tag, *content):
    body = b"".join(content)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def oid(dotted):
    first, second, *arcs = map(int, dotted.split("."))
    out = b""
    for arc in (40 * first + second, *arcs):
        groups = [arc & 0x7f]
        while arc := arc >> 7:
            groups.insert(0, 0x80 | arc & 0x7f)
        out += bytes(groups)
    return tlv(0x06, out)


def content_of(certificate):
    """The TBSCertificate, with tag and length; lengths of two octets."""
    inner = certificate[4:]
    return inner[:4 + int.from_bytes(inner[2:4], "big")]


def pkix():
    for path in sorted(CRYPTO.glob("*.csr")):
        write("csr", path.stem, path.read_bytes())
    for path in sorted(CRYPTO.glob("*.der")):
        write("certificate", path.stem, path.read_bytes())
        write("der", path.stem, path.read_bytes())
    chain = (CRYPTO / "chain.pem").read_text()
    blocks = [b"".join(line.encode() for line in block.splitlines()[1:]) for block in chain.split("-----END")[:-1]]
    for i, block in enumerate(blocks):
        text = block.split(b"-----BEGIN CERTIFICATE-----")[-1]
        write("certificate", f"chain-{i}", base64.b64decode(text))
    leaf = (CRYPTO / "leaf.der").read_bytes()
    write("certificate", "trailing", leaf + b"\0")
    write("certificate", "cut", leaf[:-1])
    write("certificate", "indefinite", b"\x30\x80" + leaf[4:] + b"\0\0")
    write("certificate", "empty", b"")
    write("certificate", "not-der", b"-----BEGIN CERTIFICATE-----")
    write("certificate", "csr", (CRYPTO / "p256.csr").read_bytes())
    write("certificate", "overlong", b"\x30\x83\0" + leaf[2:])
    write("certificate", "version-4", leaf.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03", 1))

    tbs_of = {path.stem: content_of(path.read_bytes()) for path in sorted(CRYPTO.glob("*.der"))}
    tbs_of.update({f"chain-{i}": content_of(base64.b64decode(block.split(b"-----BEGIN CERTIFICATE-----")[-1])) for i, block in enumerate(blocks)})
    for stem, content in tbs_of.items():
        write("tbs", stem, content)
    tbs = tbs_of["leaf"]
    write("tbs", "cut", tbs[:-1])
    write("tbs", "trailing", tbs + b"\0")
    write("tbs", "empty", b"")
    write("tbs", "whole-certificate", leaf)
    write("tbs", "no-extensions", tlv(0x30, tbs[4:tbs.index(b"\xa3\x82")]) if b"\xa3\x82" in tbs else tbs[:40])
    for what, (old, new) in {"broken-oid": (b"\x06\x03\x55\x1d\x23", b"\x06\x03\x55\x1d\x80"), "doubled": (b"\x06\x03\x55\x1d\x23", b"\x06\x03\x55\x1d\x11"),
                             "negative-serial": (b"\x02\x02\x12\x34", b"\x02\x02\x82\x34"), "no-version": (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05"),
                             "critical-false": (b"\x01\x01\xff", b"\x01\x01\x00"), "no-sequence": (b"\x30", b"\x31")}.items():
        write("tbs", what, tbs.replace(old, new, 1))

    name = tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.6"), tlv(0x13, b"DE"))), tlv(0x31, tlv(0x30, oid("2.5.4.10"), tlv(0x0c, "Müller".encode()))),
               tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(0x1e, "www.example.org".encode("utf-16-be")))))
    names = tlv(0x30, tlv(0x82, b"www.example.org"), tlv(0x87, bytes([192, 0, 2, 1])), tlv(0x87, bytes(15) + b"\1"),
                tlv(0x81, b"a@example.org"), tlv(0x86, b"https://a.example/"), tlv(0x88, oid("1.2.3")[2:]))
    san = tlv(0x30, oid("2.5.29.17"), tlv(0x01, b"\xff"), tlv(0x04, names))
    staple = tlv(0x30, oid("1.3.6.1.5.5.7.1.24"), tlv(0x04, tlv(0x30, tlv(0x02, b"\5"))))
    usage = tlv(0x30, oid("2.5.29.37"), tlv(0x04, tlv(0x30, oid("1.3.6.1.5.5.7.3.1"))))
    extensions = tlv(0x30, san, staple, usage)

    def request(*exts):
        return tlv(0x30, oid("1.2.840.113549.1.9.14"), tlv(0x31, tlv(0x30, *exts)))

    password = tlv(0x30, oid("1.2.840.113549.1.9.7"), tlv(0x31, tlv(0x14, b"secret \xe4")))
    # Signed by the target itself: any first octet but 0x30, then subject and attributes.
    write("csr", "made-all", b"s" + name + request(san, staple, usage) + password)
    write("csr", "made-no-subject", b"s" + tlv(0x30) + request(san))
    write("csr", "made-no-attributes", b"s" + name)
    write("csr", "made-twice", b"s" + name + request(san, san))
    write("csr", "made-two-requests", b"s" + name + request(san) + request(staple))
    write("csr", "made-microsoft", b"s" + name + tlv(0x30, oid("1.3.6.1.4.1.311.2.1.14"), tlv(0x31, tlv(0x30, usage))))
    write("csr", "made-empty-request", b"s" + name + request())
    write("csr", "made-nul", b"s" + tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(0x0c, b"a\0b")))))
    write("csr", "made-multi-valued", b"s" + tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(0x0c, b"a")), tlv(0x30, oid("2.5.4.10"), tlv(0x0c, b"b")))))

    for key, content in {"name": name, "general-names": names, "extensions": extensions, "password": password,
                         "times": tlv(0x30, tlv(0x17, b"261121080000Z"), tlv(0x18, b"20501121080000Z"), tlv(0x18, b"20261121080000Z")),
                         "numbers": tlv(0x30, tlv(0x02, b"\0\x80"), tlv(0x02, b"\x80"), tlv(0x01, b"\xff"), tlv(0x03, b"\0abc"), tlv(0x03, b"\7\x80")),
                         "uuid": oid("2.25.329800735698586629295641978511506172918"), "overlong-oid": tlv(0x06, b"\x2a\x80\x01"),
                         "high-tag": b"\x1f\x81\x01\x00", "indefinite": b"\x30\x80\0\0", "overlong": b"\x04\x81\x01a", "beyond": b"\x04\x05abc",
                         "empty": b"", "nested": tlv(0x30, tlv(0x30, tlv(0x30, tlv(0x31, tlv(0x30)))))}.items():
        write("der", key, content)


# ---- HTTP ---------------------------------------------------------------------------------------

def http():
    heads = {
        "certbot": "GET /acme/default/directory HTTP/1.1\r\nHost: ca.example:8443\r\nUser-Agent: CertbotACMEClient/2.1.0 (certbot; Debian)\r\n"
                   "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
        "lego": "POST /acme/default/new-order HTTP/1.1\r\nHost: ca.example\r\nUser-Agent: xenolf-acme/4.9.1\r\nContent-Length: 512\r\n"
                "Content-Type: application/jose+json\r\nAccept-Encoding: gzip\r\n\r\n",
        "expect": "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        "old": "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "empty-lines": "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "absolute": "GET http://a.example:80/x?y=1 HTTP/1.1\r\nHost: a.example\r\n\r\n", "asterisk": "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "query": "GET /list?a=%20b&c HTTP/1.1\r\nHost: [::1]:8443\r\nX-Octets: \t \xe4 \t\r\n\r\nnext",
        "two-lengths": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "length-and-coding": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "coding-twice": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "folded": "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "bare-feed": "GET / HTTP/1.1\nHost: a\n\n",
        "bare-return": "GET / HTTP/1.1\r\nHost: a\r\nX: a\rContent-Length: 3\r\n\r\n", "space-before-colon": "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "nul": "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", "no-host": "GET / HTTP/1.1\r\n\r\n", "two-hosts": "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
        "plus-length": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "http-2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "long-target": "GET /" + "a" * 200 + " HTTP/1.1\r\nHost: a\r\n\r\n", "many-fields": "GET / HTTP/1.1\r\nHost: a\r\n" + "A: b\r\n" * 20 + "\r\n",
        "tls": "\x16\x03\x01\x02\x00\x01", "long-fields": "GET / HTTP/1.1\r\nHost: a\r\nX: " + "b" * 700 + "\r\n\r\n",
    }
    for name, text in heads.items():
        write("http_head", name, text.encode("latin-1"))

    chunked = {"one": "5\r\nhello\r\n0\r\n\r\n", "extension": "a;x=\"y\" ; z\r\n0123456789\r\n0\r\n\r\n", "trailer": "1\r\na\r\n0\r\nX: y\r\n\r\nGET /",
               "upper": "1A\r\n" + "b" * 26 + "\r\n000\r\n\r\n", "two": "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n", "empty": "0\r\n\r\n", "bare-feed": "5\nhello\n0\n\n",
               "negative": "-1\r\n\r\n", "hex-prefix": "0x5\r\nhello\r\n0\r\n\r\n", "too-long": "fff\r\n", "huge": "ffffffffffffffff\r\na",
               "space": "5 \r\nhello\r\n0\r\n\r\n", "no-end": "5\r\nhelloXX0\r\n\r\n", "cut": "5\r\nhel", "return-in-trailer": "0\r\nX: a\rb\r\n\r\n"}
    for name, text in chunked.items():
        write("http_chunked", name, "\x01" + text)

    plain_answer = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
    answers = {"nginx": "\0" + plain_answer, "head": "\2" + plain_answer, "cut": "\1" + plain_answer.replace("5", "900").replace("hello", "a" * 900),
               "chunked": "\0HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "until-end": "\0HTTP/1.0 200 OK\r\n\r\nhello",
               "interim": "\0HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "feeds": "\0HTTP/1.1 301 Moved\nLocation: http://b.example/\n x\n\n",
               "not-modified": "\0HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "two-lengths": "\0HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
               "coding": "\0HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "no-http": "\0SSH-2.0-OpenSSH_9.2p1\r\n\r\n", "no-colon": "\0HTTP/1.1 200 OK\r\nhello\r\n\r\n",
               "too-long": "\0HTTP/1.1 200 OK\r\n\r\n" + "b" * 300, "broken-chunk": "\0HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
               "endless": "\0" + "HTTP/1.1 103 Early Hints\r\n\r\n" * 12}
    for name, text in answers.items():
        write("http_response", name, text)

    token = "0123456789abcdefghijk-"
    paths = {"root": "\0/", "directory": "\0/acme/default/directory", "order": f"\2/acme/default/order/{token}", "finalize": f"\2/acme/a.b/order/{token}/finalize",
             "crl": "\0/crl/Issuing-1.crl", "number": "\0/n/9223372036854775807", "serial": "\4/n/0aF9", "label": "\0/n/seven/x", "literal": "\2/n/7/x",
             "head": "\1/n/a/y", "head-of-get": "\1/n/a/x", "405": "\3/n/1", "404": "\0/nothing", "dots": "\0/crl/..", "zero": "\0/n/0", "beyond": "\0/n/9223372036854775808",
             "empty-segment": "\0//acme", "no-slash": "\0acme", "upper": "\0/acme/Default/directory"}
    for name, text in paths.items():
        write("http_route", name, text)

    locations = {"same": "http://a.example/x", "https": "HTTPS://B.example:443/.well-known/acme-challenge/token?x=y#z", "path": "/x/./y/../z", "relative": "../other",
                 "query": "?a=b", "host": "//c.example", "fragment": "#z", "dot": "http://a.example./", "address": "http://192.0.2.1/", "self": "\2http://192.0.2.1/x",
                 "v6-self": "\3http://[2001:db8::1]:8080/", "v6-other": "\3http://[::1]/", "user": "http://a@b.example/", "scheme": "ftp://a.example/", "numbers": "http://127.1/",
                 "hex": "http://a.0x7f/", "backslash": "http:\\\\b.example", "space": "http://a.example/a b", "empty": "", "port": "http://a.example:99999/",
                 "two-slashes": "/.//b.example/"}
    for name, text in locations.items():
        write("location", name, text if text[:1] in "\2\3" and text else "\0" + text)


# ---- texts --------------------------------------------------------------------------------------

def texts():
    values = {"order": '{"identifiers":[{"type":"dns","value":"a.example"}],"notAfter":"2026-11-21T08:00:00Z"}', "numbers": "[0,-1,1.5,1e2,-0.0,9223372036854775807,1e-7]",
              "large": "[9223372036854775808,1.7976931348623157e308,4.9e-324]", "strings": r'["\u0000\"\\\/\b\f\n\r\t","\ud83d\ude00","Zürich ' + '\u202e"]',
              "nested": "[" * 16 + "]" * 16, "deep": "[" * 17 + "]" * 17, "empty": "{}", "space": ' {\t"a" :\r\n[ true , false,null ] } ', "twice": '{"a":1,"\\u0061":2}',
              "lone-low": r'"\udc00"', "lone-high": r'"\ud800"', "trailing": "{} x", "comma": "[1,]", "leading-zero": "[01]", "overflow": "1e999", "underflow": "1e-999",
              "control": '"a\nb"', "bom": "\ufeff{}", "nan": "NaN", "comment": "/**/1", "many": json.dumps({f"k{i}": i for i in range(40)})}
    for name, text in values.items():
        write("json", name, text)
    write("json", "not-utf8", b'"\xc0\xaf"')
    write("json", "surrogate-octets", b'"\xed\xa0\x80"')

    config = (ROOT / "config/postern.toml").read_text()
    write("config", "example", config)
    write("config", "example-uncommented", "\n".join(line.removeprefix("#").lstrip() if "=" in line or line.startswith("#[") else "" if line.startswith("#") else line
                                                      for line in config.splitlines()))
    samples = {"listen": '[listen]\nhttps = "[::1]:8443"\nhttp = "localhost:8080"\nmanagement = "127.0.0.1:0"\n', "public": '[public]\nhttps = "https://ca.example.com"\nest = "https://[2001:db8::1]:8444"\n',
               "limits": '[limits]\nconnections = 500\nheader_bytes = "8KiB"\nhead = "5s"\nidle = "2m"\n', "ca": '[ca]\nname = "Example"\nroot_key = "rsa-4096"\nissuing_key = "ec-p256"\nroot_lifetime = "7300d"\ncrl_lifetime = "1h"\n',
               "dns": '[dns]\nservers = ["192.0.2.53", "192.0.2.54@5353"]\ndnssec = false\ntimeout = "2s"\nstub_zones = {"a.test" = "127.0.0.1@53"}\n[dns.hosts]\n"*.b.test" = "192.0.2.1"\n',
               "log": '[log]\nlevel = "debug"\nformat = "text"\nfile = "/var/log/postern.log"\n[store]\nurl = "sqlite:x"\n[secrets]\nmaster_key_file = "/k"\n[validation]\nhttp_01_timeout = "10s"\n',
               "unknown": '[listen]\nhtps = "0.0.0.0:1"\n', "type": '[log]\nlevel = 1\n', "key": '[ca]\nroot_key = "ec-p521"\n', "short": '[ca]\ncrl_lifetime = "59m"\n', "url": '[public]\nhttps = "https://a/b"\n',
               "port": '[listen]\nhttps = "0.0.0.0:65536"\n', "no-brackets": '[listen]\nhttps = "::1:8443"\n', "broken": "[listen\n", "negative": "[limits]\nuri_bytes = -1\n", "no-table": 'listen = "x"\n'}
    for name, text in samples.items():
        write("config", name, text)

    for path in sorted((ROOT / "config").glob("*.toml")):
        if path.name != "postern.toml":
            write("documents", path.stem, path.read_text())
    account = '[[account]]\nname = "web"\nendpoint = "acme"\nmethod = "eab"\nprofiles = ["tls"]\nnames = [".example.org"]\nwildcard = true\n'
    objects = {"tenant": '[[tenant]]\nname = "default"\ndescription = "d"\n', "organization": '[[organization]]\nname = "o"\nlegal_name = "Müller GmbH"\ncountry = "DE"\n[[department]]\nname = "d"\norganization = "o"\n',
               "domain": '[[domain]]\nname = "example.org"\ntenant = "t"\n', "profile": '[[profile]]\nname = "tls"\nlifetime = "90d"\nkeys = ["ec-p256"]\nmust_staple = false\nnames_limit = 100\nenabled = false\n',
               "endpoint": '[[endpoint]]\nname = "acme"\nprotocol = "acme"\nprofiles = ["tls"]\n', "account": account, "generate": account + "secret = {generate = true}\n", "keep": account + 'secret = "keep"\n',
               "given": account + 'secret = {value = "c2VjcmV0", key_id = "k"}\n', "false": account + "secret = {generate = false}\n", "twice": account + account, "no-name": '[[tenant]]\n', "bad-name": '[[tenant]]\nname = "A b"\n',
               "unknown-kind": '[[tenent]]\nname = "a"\n', "unknown-key": '[[tenant]]\nname = "a"\nx = 1\n', "no-list": '[tenant]\nname = "a"\n', "wrong-type": '[[profile]]\nname = "p"\nlifetime = 90\nkeys = "x"\n', "empty": ""}
    for name, text in objects.items():
        write("documents", name, text)

    tomls = {"all": 'a = "x"\nb = 1\nc = [1, 2.5, [true]]\nd = {e = "f", "g h" = {}}\nt = 2026-11-21T08:00:00Z\nu = 2026-11-21\nv = 08:00:00\n[w]\nx = """\nlong"""\n[[y]]\nz = 0xff\n',
             "floats": "a = 1.0\nb = -0.0\nc = 1e300\nd = 6.02e23\n", "strings": 'a = "\\u0000 \\" \\\\ \\U0001F600"\nb = \'literal\'\n"ä" = "\u202e"\n"" = 1\n', "dotted": "a.b.c = 1\na.b.d = 2\n",
             "integers": "a = 9223372036854775807\nb = -9223372036854775808\nc = 0b101\nd = 1_000\n", "empty": "", "inf": "a = inf\n", "nan": "a = [nan]\n", "twice": "a = 1\na = 2\n", "cut": "a = [1,", "bom": "\ufeffa = 1\n",
             "overflow": "a = 9223372036854775808\n", "comment": "# only\n", "not-utf8": b'a = "\xff"\n', "deep": "a = " + "[" * 100 + "]" * 100 + "\n", "deeper": "a = " + "[" * 300 + "]" * 300 + "\n"}
    for name, text in tomls.items():
        write("toml", name, text)

    chain = (CRYPTO / "chain.pem").read_text()
    pieces = {"url": b64(bytes(range(64))), "standard": base64.b64encode(b"hello world").decode(), "hex": "00ffAb", "trailing-bits": "QQ", "trailing-bits-set": "QR", "padded": "QQ==", "one": "Q",
              "duration": "90d", "zero-duration": "0s", "time": "2026-11-21T08:00:00Z", "offset": "2026-11-21T08:00:00.125+02:00", "leap": "2016-12-31T23:59:60Z", "before-year-0": "0000-01-01T00:00:00+23:59",
              "after-year-9999": "9999-12-31T23:59:60Z", "pem": chain[:chain.index("-----END") + 26], "broken-pem": "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n", "percent": "a%20b%2F", "percent-cut": "a%2",
              "white": "QUJD\n", "url-in-standard": "-_-_", "no-end": "-----BEGIN CERTIFICATE-----\nQUJD\n", "in-line": "x -----BEGIN CERTIFICATE-----\nQUJD\n"}
    for name, text in pieces.items():
        write("encoding", name, text)


def dns():
    def records(*rdatas):
        return b"".join(bytes([len(r)]) + r for r in rdatas)

    digest = b64(bytes(32)).encode()
    samples = {"challenge": records(bytes([43]) + digest), "two-strings": records(b"\3abc\4defg", b"\0"), "cut-string": records(b"\5abc"), "empty": b"", "empty-record": b"\0",
               "issue": records(b"\0\5issueca.example; accounturi=https://ca.example/a/1"), "wild": records(b"\x80\x09issuewild;", b"\0\5iodefmailto:a@b.example"), "upper": records(b"\0\5ISSUEx"),
               "tag-too-long": records(b"\0\xffissue"), "no-tag": records(b"\0\0x"), "hyphen": records(b"\0\5is-uex"), "name": b"_acme-challenge.WWW.Example.org.", "long-label": b"a" * 64 + b".example",
               "empty-label": b"a..b", "long-name": b".".join([b"a" * 62] * 5), "one": b"a", "unicode": "münchen.example".encode(), "full": records(bytes([254]) + b"x" * 254)}
    for name, content in samples.items():
        write("dns", name, content)


# ---- what names' owners show --------------------------------------------------------------------

def owners():
    def records(*rdatas, wildcard=False):
        return bytes([wildcard]) + b"".join(bytes([len(r)]) + r for r in rdatas)

    def issue(value, tag=b"issue", flags=0):
        return bytes([flags, len(tag)]) + tag + value

    ours = issue(b"ca.example")
    samples = {"ours": records(ours), "beside-another": records(issue(b"other.example"), ours), "capitals": records(issue(b" CA.Example ; x=1")), "none": records(),
               "iodef": records(issue(b"mailto:a@b.example", b"iodef")), "account": records(issue(b"ca.example; accounturi=https://ca.example/a/1")),
               "method": records(issue(b"ca.example; validationmethods=http-01,dns-01")), "wild": records(issue(b";"), issue(b"ca.example", b"issuewild"), wildcard=True),
               "another": records(issue(b"other.example")), "nobody": records(issue(b";")), "malformed": records(issue(b"%%%")), "critical": records(ours, issue(b"x", b"tbs", 128)),
               "another-account": records(issue(b"ca.example; accounturi=https://ca.example/a/2")), "account-twice": records(issue(b"ca.example;accounturi=a;accounturi=a")),
               "no-method": records(issue(b"ca.example; validationmethods=")), "wild-nobody": records(ours, issue(b";", b"issuewild"), wildcard=True),
               "cut": records(b"\0\5is"), "control": records(issue(b"ca.example\0")), "long": records(issue(b"a" * 240))}
    for name, content in samples.items():
        write("caa", name, content)

    key = ec.generate_private_key(ec.SECP256R1())
    digest = hashlib.sha256(b"token.thumbprint").digest()
    identifier, draft = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31"), x509.ObjectIdentifier("1.3.6.1.5.5.7.1.30.1")

    def shown(names=(x509.DNSName("a.example"),), oid=identifier, value=tlv(4, digest), critical=True, issuer="acme", signer=key, address=False, more=()):
        moment = datetime.datetime(2026, 11, 22)
        made = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "acme")]))
        made = made.issuer_name(x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, issuer)])).public_key(key.public_key()).serial_number(7)
        made = made.not_valid_before(moment).not_valid_after(moment + datetime.timedelta(days=7))
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), False)
        if oid:
            made = made.add_extension(x509.UnrecognizedExtension(oid, value), critical)
        for each in more:
            made = made.add_extension(each, False)
        return bytes([address]) + made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    ip = x509.IPAddress(ipaddress.ip_address("192.0.2.7"))
    right = shown()
    certificates = {"name": right, "address": shown((ip,), address=True), "more": shown(more=[x509.BasicConstraints(False, None)]), "capitals": shown((x509.DNSName("A.Example"),)),
                    "other-name": shown((x509.DNSName("b.example"),)), "two-names": shown((x509.DNSName("a.example"), x509.DNSName("b.example"))), "no-name": shown(()),
                    "address-as-name": shown((x509.DNSName("192.0.2.7"),), address=True), "not-critical": shown(critical=False), "draft": shown(oid=draft), "no-identifier": shown(oid=None),
                    "short": shown(value=tlv(4, digest[:31])), "bare": shown(value=digest), "other-issuer": shown(issuer="ca"), "other-signer": shown(signer=ec.generate_private_key(ec.SECP256R1())),
                    "cut": right[:-1], "empty": b"\0"}
    for name, content in certificates.items():
        write("acme_certificate", name, content)


# ---- EST ----------------------------------------------------------------------------------------

def est():
    examples = {"rfc8951": "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw==",
                "acp": "MGgwZgYJKoZIhvcNAQkOMVkwVzBVBgNVHREBAf8ESzBJoEcGCCsGAQUFBwgKoDsWOXJmYzg5OTQrZmQ3MzlmYzIzYzM0NDAxMTIyMzM0NDU1MDAwMDAwMDArQGFjcC5leGFtcGxlLmNvbQ==",
                "mac-address": "MDIGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgcrBgEBAQEWBggqhkjOPQQDAw==", "rsa-4096": "MCkGCSqGSIb3DQEJBzARBgkqhkiG9w0BAQExBAICEAAGCSqGSIb3DQEBCw==",
                "p384": "MC4GCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiBgNVBAUGCCqGSM49BAMD", "drink": "MEUGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAjBgkqhkiG9w0BCRQGCgmSJomT8ixkAQUGA1UEBQYIKoZIzj0EAwQ=",
                "binding": "MAsGCSqGSIb3DQEJBw==", "empty": "MAA=",
                "template": "MIGpMIGmBgsqhkiG9w0BCRACPTGBljCBkwIBADAsMQcwBQYDVQQDMQ8wDQYDVQQLDAZteURlcHQxEDAOBgNVBAsMB215R3JvdXCgFTATBgcqhkjOPQIBBggqhkjOPQMBB6FJMEcGCyqGSIb3DQEJEAI+MTgwNjAdBgNVHREEFjAUghB3d3cubXlTZXJ2ZXIuY29thwAwDgYDVR0PAQH/BAQDAgOIMAUGA1UdJQ==",
                "subject": "MCMwIQYLKoZIhvcNAQkQAj0xEjAQAgEAMAkxBzAFBgNVBAOhAA==",
                "told": "MF8wFQYHKoZIzj0CATEKBggqhkjOPQMBBwYDVQQFMEEGCyqGSIb3DQEJEAI9MTIwMAIBADASMQcwBQYDVQQDMQcwBQYDVQQFoBUwEwYHKoZIzj0CAQYIKoZIzj0DAQehAA=="}
    for name, text in examples.items():
        write("csr_attributes", name, base64.b64decode(text))
    told = base64.b64decode(examples["told"])
    broken = {"cut": told[:-3], "trailing": told + b"\0", "version": told.replace(b"\2\1\0", b"\2\1\1"), "two-templates": tlv(0x30, base64.b64decode(examples["subject"])[2:] * 2),
              "integer": b"\x30\3\2\1\0", "no-attributes": tlv(0x30, base64.b64decode(examples["subject"])[2:-2])}
    for name, content in broken.items():
        write("csr_attributes", name, content)

    der = (CRYPTO / "ec-p256.csr").read_bytes() if (CRYPTO / "ec-p256.csr").exists() else bytes(range(48, 200))
    line = base64.b64encode(der).decode()
    pem = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der).decode() + "-----END CERTIFICATE REQUEST-----\n"
    bodies = {"one-line": line, "lines": base64.encodebytes(der).decode(), "crlf": base64.encodebytes(der).decode().replace("\n", "\r\n\t "), "pem": pem, "new-pem": pem.replace("BEGIN C", "BEGIN NEW C").replace("END C", "END NEW C"),
              "other-pem": pem.replace("CERTIFICATE REQUEST", "CERTIFICATE"), "two-pems": pem * 2, "cut-pem": pem[:-9], "crossed-pem": pem.replace("END C", "END NEW C"), "no-padding": line + "A", "url": "-_-_", "junk": "hello, world",
              "empty": "", "space": " \r\n", "nul": line + "\0"}
    for name, text in bodies.items():
        write("est_body", name, text)
    write("est_body", "der", b"\x30\x03\x02\x01\x00")


# ---- SCEP ---------------------------------------------------------------------------------------

def scep():
    folder = ROOT / "tests/data/scep"
    for path in sorted(folder.glob("*.der")):
        content = path.read_bytes()
        if b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" in content[:24]:
            write("scep_message", path.stem, content)
    for name in ("printable", "utf8", "ia5", "t61", "bmp", "4000"):
        write("csr", f"challenge-{name}", (folder / f"challenge-{name}.csr").read_bytes())

    # The envelope within, as openssl's asn1parse finds it.
    for name in ("sscep", "sscep-legacy", "apple", "windows", "oaep", "oaep-sha256", "by-key-identifier", "strongswan", "scepclient", "bad-kari", "bad-pwri", "bad-kekri",
                 "bad-gcm", "bad-des", "bad-rc2"):
        done = subprocess.run(["openssl", "cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", folder / f"{name}.der"], capture_output=True, check=False)
        write("cms_enveloped", name, done.stdout)
    key = bytes(range(16))
    filler = b"\x11" * (256 - 3 - 16)
    blocks = {"pkcs1": b"\0\2" + filler + b"\0" + key, "pkcs1-zero": b"\0\2" + filler[:-1] + b"\0\0" + key, "pkcs1-type-1": b"\0\1" + filler + b"\0" + key,
              "block-1": b"a" * 15 + b"\1", "block-8": b"a" * 8 + b"\x08" * 8, "block-16": b"\x10" * 16, "block-0": b"a" * 15 + b"\0", "block-17": b"\x11" * 32,
              "block-uneven": b"a" * 13 + b"\2\3\3"}
    for name, content in blocks.items():
        write("cms_enveloped", name, b"\0" + content)

    message = base64.b64encode(bytes(range(256)) * 2).decode()
    lines = "%0A".join(message[i:i + 64] for i in range(0, len(message), 64))
    queries = {"caps": "/scep/e?operation=GetCACaps", "cert": "/scep/e/pkiclient.exe?operation=GetCACert&message=default", "next": "/scep/e?operation=GetNextCACert",
               "raw": f"/scep/e?operation=PKIOperation&message={message}", "macos": "/scep/e?operation=PKIOperation&message=" + message.replace("=", "%3D"),
               "encoded": "/scep/e?operation=PKIOperation&message=" + message.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
               "lines": "/scep/e?operation=PKIOperation&message=" + lines, "spaces": "/scep/e?operation=PKIOperation&message=" + message.replace("+", "%20"),
               "post": "/scep/e", "two": "/e?operation=GetCACaps&operation=GetCACert", "unknown": "/e?operation=Update", "cut": "/e?operation=%", "url": "/e?operation=PKIOperation&message=AA-_",
               "empty": "/e?operation=PKIOperation&message=", "amp": "/e?&&&=&operation=GetCACaps", "nul": "/e?operation=PKIOperation&message=AAA%00", "two-messages": "/e?message=a&message=b"}
    for name, text in queries.items():
        write("scep_query", name, text)


def general_names():
    """subjectAltName values: one GeneralName or several, right and wrong."""
    upn, spn = bytes.fromhex("060a2b060104018237140203"), bytes.fromhex("06062b0601050202")
    sid = b"tag:microsoft.com,2022-09-14:sid:S-1-5-21-3623811015-3361044348-30300820-1104"

    def principal(value, kind=upn):
        return tlv(0xA0, kind + tlv(0xA0, value))

    each = {"dns": tlv(0x82, b"*.example.com"), "email": tlv(0x81, b"jane@example.com"), "uri": tlv(0x86, b"https://example.com/a%20b"), "ip": tlv(0x87, bytes(4)),
            "ip6": tlv(0x87, bytes(15) + b"\1"), "upn": principal(tlv(0x0C, "j\u00f6rg@corp.example".encode())), "spn": principal(tlv(0x0C, b"HTTP/a"), spn),
            "directory": tlv(0xA4, tlv(0x30, b"")), "registered-id": tlv(0x88, b"\x2a\3"), "sid": tlv(0x86, sid), "sid-capitals": tlv(0x86, sid.upper()),
            "sid-percent": tlv(0x86, sid.replace(b",", b"%2C")), "sid-twice": tlv(0x86, sid.replace(b",", b"%252C")), "sid-more": tlv(0x86, sid + b"-1"),
            "sid-as-upn": principal(tlv(0x0C, sid + b"@corp.example")), "sid-utf16": principal(tlv(0x1E, sid.decode().encode("utf-16-be")), spn),
            "upn-bmp": principal(tlv(0x1E, "a@b".encode("utf-16-be"))), "upn-ia5": principal(tlv(0x16, b"a@b")), "upn-nul": principal(tlv(0x0C, b"a\0@b")),
            "upn-empty": principal(tlv(0x0C, b"")), "upn-overlong": principal(tlv(0x0C, b"\xc0\x80@b")), "upn-two": principal(tlv(0x0C, b"a@b") * 2),
            "upn-bare": tlv(0xA0, upn), "dns-nul": tlv(0x82, b"a\0b"), "uri-empty": tlv(0x86, b""), "email-utf8": tlv(0x81, "j\u00f6@b".encode()),
            "ip-long": tlv(0x87, bytes(8)), "no-name": tlv(0x0C, b"a")}
    for name, content in each.items():
        write("names", name, tlv(0x30, content))
    write("names", "all", tlv(0x30, b"".join(each[n] for n in ("dns", "email", "uri", "ip", "ip6", "upn", "spn", "directory", "registered-id", "sid"))))
    write("names", "none", tlv(0x30, b""))
    write("names", "trailing", tlv(0x30, each["upn"]) + b"\0")
    write("names", "long-length", b"\x30\x81" + tlv(0x30, each["dns"])[1:])


# ---- what a predecessor exports and answers ------------------------------------------------------

def move():
    """Certificates of one small CA in each form of tests/unit/app/certificate_lists_test.cpp, and its OCSP answers."""
    from datetime import datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs7
    from cryptography.x509 import ocsp
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    der, pem = serialization.Encoding.DER, serialization.Encoding.PEM
    begin = datetime(2026, 1, 1)

    def issue(name, issuer=None, key=None, ca=False, usages=()):
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[1].subject if issuer else subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(begin + timedelta(days=365)))
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
        return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())

    ca, other = issue("old CA", ca=True), issue("other CA", ca=True)
    leaves = [issue(f"device {n}", ca)[1] for n in range(3)]
    text = [leaf.public_bytes(der) for leaf in leaves]
    lines = [base64.b64encode(octets).decode() for octets in text]
    dump = "\n".join(f"    {at:04x}  {text[0][at:at + 16].hex(' ')}   ................" for at in range(0, len(text[0]), 16))
    blocks = "".join(leaf.public_bytes(pem).decode() for leaf in leaves)
    lists = {"der": text[0], "der-three": b"".join(text), "der-cut": b"".join(text)[:-5], "p7b-der": pkcs7.serialize_certificates(leaves, der),
             "p7b-pem": pkcs7.serialize_certificates(leaves, pem), "pem": blocks, "pem-text": "subject=device 0\n" + blocks, "pem-cut": blocks[:-40],
             "pem-broken": blocks.replace("MII", "M!I", 1), "csv": "serial,base64Cert\n" + "".join(f"{n},{line}\n" for n, line in enumerate(lines)),
             "csv-semicolon": "id;certificate;by\n" + "".join(f"{n};{line};x\n" for n, line in enumerate(lines)),
             "csv-pem": '"Request ID","Binary Certificate"\n"7","' + blocks.split("-----END")[0] + '-----END CERTIFICATE-----\n"\n',
             "csv-dump": f'"Request ID","Binary Certificate"\r\n"7","{dump}"\r\n', "csv-quote": 'id,certificate\n1,"abc\n2,def\n', "csv-empty": "id,certificate\n1,\n",
             "hex": text[0].hex(), "lines": "\n".join(lines), "lines-bad": lines[0] + "\nhello\n" + lines[1], "utf-16": ("id,certificate\r\n1," + lines[0] + "\r\n").encode("utf-16"),
             "words": "no certificates here", "empty": "", "csv-no-column": "a,b\n1,2\n"}
    for name, content in lists.items():
        write("certificate_list", name, content)

    def answer(by=ca, status=ocsp.OCSPCertStatus.GOOD, nonce=b"\x11" * 16, beside=(), hours=24, about=leaves[0]):
        revoked = begin if status == ocsp.OCSPCertStatus.REVOKED else None
        builder = (ocsp.OCSPResponseBuilder().add_response(cert=about, issuer=ca[1], algorithm=hashes.SHA1(), cert_status=status, this_update=begin,
                                                           next_update=begin + timedelta(hours=hours), revocation_time=revoked, revocation_reason=None)
                   .responder_id(ocsp.OCSPResponderEncoding.HASH, by[1]))
        if beside:
            builder = builder.certificates(list(beside))
        if nonce:
            builder = builder.add_extension(x509.OCSPNonce(nonce), False)
        return builder.sign(by[0], hashes.SHA256()).public_bytes(der)

    responder, device = issue("responder", ca, usages=[ExtendedKeyUsageOID.OCSP_SIGNING]), issue("device", ca)
    stranger = issue("responder", other, usages=[ExtendedKeyUsageOID.OCSP_SIGNING])
    later = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(der)
    answers = {"good": answer(), "revoked": answer(status=ocsp.OCSPCertStatus.REVOKED), "unknown": answer(status=ocsp.OCSPCertStatus.UNKNOWN), "no-nonce": answer(nonce=None),
               "responder": answer(responder, beside=[responder[1]]), "other-nonce": answer(nonce=b"\x12" * 16), "device": answer(device, beside=[device[1]]),
               "stranger": answer(stranger, beside=[stranger[1]]), "alone": answer(responder), "other": answer(about=leaves[1]), "old": answer(hours=0), "later": later,
               "cut": answer()[:-9], "nothing": b""}
    for name, content in answers.items():
        write("ocsp", name, ca[1].public_bytes(der) + text[0] + content)


for make in (jose, pkix, http, texts, dns, owners, est, scep, general_names, move):
    make()
