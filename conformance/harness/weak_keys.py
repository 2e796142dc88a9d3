"""Keys that no library makes or signs with, from tests/data/keys: RSA by plain arithmetic, CSRs octet by octet."""
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from . import jose

DATA = Path(__file__).resolve().parents[2] / "tests/data"
KEYS = DATA / "keys"

SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")


def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def csr_of(spki, names, sign=lambda octets: b"\0" * 64):
    """A CSR with these octets as its key. Unless `sign` is given its signature is none: whoever looks at it
    first will say so."""
    san = der(0x30, *(der(0x82, name.encode()) for name in names))
    extension = der(0x30, bytes.fromhex("0603551d11"), der(4, san))
    request = der(0x30, bytes.fromhex("06092a864886f70d01090e"), der(0x31, der(0x30, extension)))
    info = der(0x30, der(2, b"\0"), der(0x30), spki, der(0xa0, request))
    return der(0x30, info, SHA256_WITH_RSA, der(3, b"\0", sign(info)))


class WeakRsa:
    """A key of tests/data/keys; signs as RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.1)."""

    kind, alg = "RSA", "RS256"

    def __init__(self, name):
        numbers = json.loads((KEYS / f"{name}.json").read_text())
        self.n, self.e = int(numbers["n"]), int(numbers["e"])
        self.d = int(numbers["d"]) if numbers["d"] else None
        self.spki = (KEYS / f"{name}.spki").read_bytes()

    @property
    def jwk(self):
        return {"kty": "RSA", "n": jose.number(self.n), "e": jose.number(self.e)}

    def sign(self, octets):
        size = (self.n.bit_length() + 7) // 8
        digest = SHA256_INFO + hashlib.sha256(octets).digest()
        padded = b"\0\1" + b"\xff" * (size - 3 - len(digest)) + b"\0" + digest
        if self.d is None:
            return bytes(size)
        return pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(size, "big")

    def csr(self, names):
        return csr_of(self.spki, names, self.sign)


class FileKey(jose.Key):
    """A P-256 key of tests/data/keys."""

    def __init__(self, name):
        super().__init__("P-256")
        self.private = serialization.load_pem_private_key((KEYS / name).read_bytes(), None)
