"""Randomness that a seed repeats, and the keys, signatures and encryptions made from it.

With a seed everything here gives the same octets on each run; without one it comes from the operating system.
"""
import functools
import hashlib
import os
import subprocess

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from . import der
from .environment import environment

HASHES = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
          "sha512": hashes.SHA512}
DIGEST_OIDS = {"md5": "1.2.840.113549.2.5", "sha1": "1.3.14.3.2.26", "sha224": "2.16.840.1.101.3.4.2.4",
               "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"}
RSA_OIDS = {"md5": "1.2.840.113549.1.1.4", "sha1": "1.2.840.113549.1.1.5", "sha224": "1.2.840.113549.1.1.14",
            "sha256": "1.2.840.113549.1.1.11", "sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"}
ECDSA_OIDS = {"sha1": "1.2.840.10045.4.1", "sha224": "1.2.840.10045.4.3.1", "sha256": "1.2.840.10045.4.3.2",
              "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
# name -> (OID, octets of the key, octets of a block)
CIPHERS = {"aes128-cbc": ("2.16.840.1.101.3.4.1.2", 16, 16), "aes192-cbc": ("2.16.840.1.101.3.4.1.22", 24, 16),
           "aes256-cbc": ("2.16.840.1.101.3.4.1.42", 32, 16), "des3-cbc": ("1.2.840.113549.3.7", 24, 8),
           "des-cbc": ("1.3.14.3.2.7", 8, 8), "rc2-cbc": ("1.2.840.113549.3.2", 16, 8)}


class Random:
    """A stream of octets: SHA-256 over seed and counter."""

    def __init__(self, seed=None):
        self.seed, self._counter = seed, 0

    def octets(self, count):
        if self.seed is None:
            return os.urandom(count)
        found = b""
        while len(found) < count:
            found += hashlib.sha256(f"{self.seed}\0{self._counter}".encode()).digest()
            self._counter += 1
        return found[:count]

    def below(self, limit):
        """1 … limit - 1."""
        return int.from_bytes(self.octets((limit.bit_length() + 7) // 8 + 8), "big") % (limit - 1) + 1

    def child(self, label):
        """A stream of its own, so that what one part takes does not move what another gets."""
        return Random(None if self.seed is None else f"{self.seed}/{label}")

    def uuid(self):
        octets = bytearray(self.octets(16))
        octets[6], octets[8] = octets[6] & 0x0F | 0x40, octets[8] & 0x3F | 0x80
        text = octets.hex().upper()
        return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


_SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n ** 0.5) + 1, 2))]


def _is_prime(n, random):
    if any(n % small == 0 for small in _SMALL):
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(16):  # Miller and Rabin; test keys, made from honest random numbers
        power = pow(random.below(n - 2), odd, n)
        if power in (1, n - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % n
            if power == n - 1:
                break
        else:
            return False
    return True


def _prime(bits, random):
    while True:
        # The two top bits make the product as long as it should be.
        n = int.from_bytes(random.octets(bits // 8), "big") | 3 << (bits - 2) | 1
        if (n - 1) % 65537 and _is_prime(n, random):
            return n


@functools.lru_cache(maxsize=256)
def _seeded_rsa(seed, bits):
    random = Random(seed)
    p, q = _prime(bits // 2, random), _prime(bits // 2, random)
    p, q = max(p, q), min(p, q)
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public)
    return numbers.private_key()


def rsa_key(random, bits=2048):
    if random.seed is None:
        return rsa.generate_private_key(65537, bits)
    return _seeded_rsa(f"{random.seed}/rsa{bits}", bits)


_ORDERS = {256: (ec.SECP256R1(), 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551),
           384: (ec.SECP384R1(), int("F" * 48 + "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16))}


def ec_key(random, bits=256):
    curve, order = _ORDERS[bits]
    return ec.derive_private_key(random.below(order), curve)


def _ecdsa(key, digest, data, random):
    """As FIPS 186-4 says, so that the seed decides on k."""
    curve, order = _ORDERS[key.curve.key_size]
    hashed = int.from_bytes(hashlib.new(digest, data).digest(), "big")
    hashed >>= max(0, hashlib.new(digest).digest_size * 8 - key.curve.key_size)
    k = random.below(order)
    r = ec.derive_private_key(k, curve).public_key().public_numbers().x % order
    s = pow(k, -1, order) * (hashed + r * key.private_numbers().private_value) % order
    return der.sequence(der.integer(r), der.integer(s))


def sign(key, digest, data, random):
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _ecdsa(key, digest, data, random)
    return key.sign(data, padding.PKCS1v15(), HASHES[digest]())


def signature_algorithm(key, digest):
    """The AlgorithmIdentifier of certificates and CSRs."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return der.sequence(der.oid(ECDSA_OIDS[digest]))
    return der.sequence(der.oid(RSA_OIDS[digest]), der.null())


def _mask(seed, count, digest):
    pieces = [hashlib.new(digest, seed + i.to_bytes(4, "big")).digest() for i in range(count // hashlib.new(digest).digest_size + 1)]
    return b"".join(pieces)[:count]


def _xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other))


def pkcs1_padded(message, size, random, kind=2):
    """RSAES-PKCS1-v1_5 (RFC 8017 §7.2.1); another `kind` than 2 is a broken padding."""
    filling = bytes(octet or 1 for octet in random.octets(size - len(message) - 3))
    return bytes([0, kind]) + filling + b"\0" + message


def oaep_padded(message, size, random, digest="sha1"):
    """RSAES-OAEP (RFC 8017 §7.1.1) with an empty label, MGF1 of the same digest."""
    width = hashlib.new(digest).digest_size
    block = hashlib.new(digest).digest() + bytes(size - len(message) - 2 * width - 2) + b"\1" + message
    seed = random.octets(width)
    masked = _xor(block, _mask(seed, len(block), digest))
    return b"\0" + _xor(seed, _mask(masked, width, digest)) + masked


def rsa_raw(public_key, padded):
    numbers = public_key.public_numbers()
    return pow(int.from_bytes(padded, "big"), numbers.e, numbers.n).to_bytes((numbers.n.bit_length() + 7) // 8, "big")


def encrypt(cipher, key, iv, padded):
    """CBC over whole blocks."""
    if cipher == "rc2-cbc":  # for refusals alone; OpenSSL keeps it in its legacy provider
        command = ["openssl", "enc", "-rc2-cbc", "-nopad", "-K", key.hex(), "-iv", iv.hex(), "-provider", "legacy", "-provider", "default"]
        return subprocess.run(command, input=padded, capture_output=True, check=True, env=environment()).stdout
    # DES is 3DES with one key three times.
    algorithm = algorithms.AES(key) if cipher.startswith("aes") else algorithms.TripleDES(key)
    worker = Cipher(algorithm, modes.CBC(iv)).encryptor()
    return worker.update(padded) + worker.finalize()


def decrypt(cipher, key, iv, data):
    algorithm = algorithms.AES(key) if cipher.startswith("aes") else algorithms.TripleDES(key)
    worker = Cipher(algorithm, modes.CBC(iv)).decryptor()
    return worker.update(data) + worker.finalize()
