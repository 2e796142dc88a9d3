"""Compact JWS (RFC 7515) with RSA: what Entra issues, and what clients prove themselves with."""
import base64
import binascii
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

_PADDINGS = {"RS256": padding.PKCS1v15(), "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)}


class BadToken(ValueError):
    """Why it is none."""


def encode(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text):
    """Strict: no padding, no other alphabet, no stray bits."""
    try:
        octets = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise BadToken("not base64url") from wrong
    if encode(octets) != text:
        raise BadToken("not the base64url of its octets")
    return octets


def sign(key, header, claims):
    data = ".".join(encode(json.dumps(each, separators=(",", ":")).encode()) for each in (header, claims))
    return f"{data}.{encode(key.sign(data.encode(), _PADDINGS[header['alg']], hashes.SHA256()))}"


def read(token):
    """(header, claims), not verified."""
    parts = token.split(".")
    if len(parts) != 3:
        raise BadToken(f"{len(parts)} parts")
    try:
        header, claims = (json.loads(decode(part)) for part in parts[:2])
    except (UnicodeDecodeError, json.JSONDecodeError) as wrong:
        raise BadToken("no JSON inside") from wrong
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise BadToken("no objects inside")
    return header, claims


def verify(token, public_key, algorithms):
    """The claims, if the key signed them with one of the algorithms."""
    header, claims = read(token)
    if header.get("alg") not in algorithms:
        raise BadToken(f"alg {header.get('alg')}")
    data, _, signature = token.rpartition(".")
    try:
        public_key.verify(decode(signature), data.encode(), _PADDINGS[header["alg"]], hashes.SHA256())
    except InvalidSignature as wrong:
        raise BadToken("signature") from wrong
    return claims
