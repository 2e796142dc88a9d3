"""JWS and JWK as ACME clients send them (RFC 7515, RFC 7517)."""
import base64
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from seed import BASE, b64, number, write


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
