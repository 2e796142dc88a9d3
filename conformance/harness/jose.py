"""Signed messages as a stranger makes them: each part can be what the caller wants (RFC 7515, RFC 8555 §6.2)."""
import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

DROP = object()
"""As the value of a member: it is left out."""

_CURVES = {"P-256": (ec.SECP256R1, 32, "ES256", hashes.SHA256), "P-384": (ec.SECP384R1, 48, "ES384", hashes.SHA384),
           "P-521": (ec.SECP521R1, 66, "ES512", hashes.SHA512)}


def b64(octets):
    return base64.urlsafe_b64encode(octets.encode() if isinstance(octets, str) else octets).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value, width=None):
    """Base64urlUInt (RFC 7518 §2)."""
    return b64(value.to_bytes(width or max(1, (value.bit_length() + 7) // 8), "big"))


def dumps(value):
    """Text and octets are taken as they are, anything else becomes JSON."""
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


class Key:
    """A key pair by name: P-256, P-384, P-521, Ed25519, or RSA with its bits ("RSA 2048")."""

    def __init__(self, kind="P-256"):
        self.kind = kind
        if kind in _CURVES:
            curve, self.width, self.alg, self._hash = _CURVES[kind]
            self.private = ec.generate_private_key(curve())
        elif kind == "Ed25519":
            self.alg = "EdDSA"
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.alg = "RS256"
            self.private = rsa.generate_private_key(65537, int(kind.split()[1]))

    @property
    def jwk(self):
        public = self.private.public_key()
        if self.kind in _CURVES:
            numbers = public.public_numbers()
            return {"kty": "EC", "crv": self.kind, "x": number(numbers.x, self.width), "y": number(numbers.y, self.width)}
        if self.kind == "Ed25519":
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))}
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}

    @property
    def thumbprint(self):
        return b64(hashlib.sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).digest())

    def sign_der(self, octets):
        """An ECDSA signature as X.509 writes it."""
        return self.private.sign(octets, ec.ECDSA(self._hash()))

    def sign(self, octets):
        """As JOSE writes it (RFC 7518 §3.4: r and s of fixed width)."""
        if self.kind in _CURVES:
            r, s = decode_dss_signature(self.sign_der(octets))
            return r.to_bytes(self.width, "big") + s.to_bytes(self.width, "big")
        if self.kind == "Ed25519":
            return self.private.sign(octets)
        return self.private.sign(octets, padding.PKCS1v15(), hashes.SHA256())


def mac(key, hash_name="sha256"):
    """A signer that makes an HMAC."""
    return lambda octets: hmac.new(key, octets, hash_name).digest()


def flattened(header, payload, sign, /, **members):
    """A JWS. `header` and `payload` may be objects, text or octets; `sign` makes the signature of its
    input; `members` replace or add members of the message (DROP takes one out)."""
    protected, body = b64(dumps(header)), b64(dumps(payload))
    message = {"protected": protected, "payload": body,
               "signature": b64(sign(f"{protected}.{body}".encode()))}
    message.update(members)
    return json.dumps({k: v for k, v in message.items() if v is not DROP}).encode()


def binding(kid, mac_key, url, key, sign=None, **header):
    """An externalAccountBinding (RFC 8555 §7.3.4). `mac_key` is base64url, as the administrator gives it."""
    members = {"alg": "HS256", "kid": kid, "url": url, **header}
    payload = members.pop("payload", key.jwk)
    members = {k: v for k, v in members.items() if v is not DROP}
    return json.loads(flattened(members, payload, sign or mac(unb64(mac_key))))
