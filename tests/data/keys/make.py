#!/usr/bin/env python3
"""Makes the weak keys of this folder anew, the same each time. Run it in the folder; standard library only.

Each NAME.json is a key as decimal texts n, e, d, so that a test can sign with one pow(); each NAME.spki
its SubjectPublicKeyInfo. Keys whose d is "" are refused before a signature is looked at.
"""
import base64
import hashlib
import json
import random
import re
from math import gcd, isqrt, lcm
from pathlib import Path

E = 65537
rng = random.Random("weak keys of Postern's tests")


def is_prime(n):
    if any(n % p == 0 for p in SMALL if p != n):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(24):
        x = pow(rng.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


SMALL = [p for p in range(2, 2000) if all(p % q for q in range(2, isqrt(p) + 1))]


def next_prime(n):
    n |= 1
    while not is_prime(n) or gcd(n - 1, E) != 1:
        n += 2
    return n


def prime(bits):
    """Both top bits set, so that a product of two has the full size."""
    return next_prime(rng.getrandbits(bits) | 3 << (bits - 2))


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


RSA = der(0x30, bytes.fromhex("06092a864886f70d010101"), der(5))


def spki(n, e):
    return der(0x30, RSA, der(3, b"\0", der(0x30, integer(n), integer(e))))


def write(name, n, e, d):
    Path(f"{name}.spki").write_bytes(spki(n, e))
    Path(f"{name}.json").write_text(json.dumps({"n": str(n), "e": str(e), "d": str(d)}, indent=1) + "\n")


def two_primes(name, p, q, e=E):
    write(name, p * q, e, pow(e, -1, lcm(p - 1, q - 1)) if p != q else pow(e, -1, p * (p - 1)))


def roca_prime(bits):
    """k*M + 65537^a mod M, with the M of 1024-bit primes: the first 126 primes (Nemec and others, 2017)."""
    primorial = 1
    for p in SMALL[:126]:
        primorial *= p
    while True:
        k = rng.randrange((3 << bits - 2) // primorial, (1 << bits) // primorial)
        candidate = k * primorial + pow(E, rng.getrandbits(200), primorial)
        if candidate.bit_length() == bits and is_prime(candidate) and gcd(candidate - 1, E) == 1:
            return candidate


def pkcs1_numbers(pem):
    octets = base64.b64decode("".join(re.findall(r"^[A-Za-z0-9+/=]+$", pem, re.M)))
    numbers, at = [], 4
    while at < len(octets):
        size = octets[at + 1]
        at += 2
        if size & 0x80:
            size, at = int.from_bytes(octets[at:at + (size & 0x7f)], "big"), at + (size & 0x7f)
        numbers.append(int.from_bytes(octets[at:at + size], "big"))
        at += size
    return numbers


def close_primes(bits):
    p = prime(bits)
    return p, next_prime(p + 2)


two_primes("good-2048", prime(1024), prime(1024))
two_primes("close-primes-2048", *close_primes(1024))
two_primes("close-primes-4096", *close_primes(2048))
p = prime(1024)
two_primes("square-2048", p, p)
q = next_prime((3 << 2046) // 751)
two_primes("factor-751", 751, q)
two_primes("roca-2048", roca_prime(1024), roca_prime(1024))
two_primes("exponent-17", *[next(p for p in iter(lambda: prime(1024), 0) if (p - 1) % 17) for _ in "pq"], 17)
n = prime(1024) * prime(1024)
write("exponent-huge", n, (1 << 2000) | 1, "")
write("exponent-even", n, 65538, "")
write("size-8200", rng.getrandbits(8200) | 1 | 1 << 8199, E, "")
write("size-2047", rng.getrandbits(2047) | 1 | 1 << 2046, E, "")

n, e, d = pkcs1_numbers(Path("debian-weak.key.pem").read_text())[1:4]
write("debian-weak", n, e, d)
# What openssl-blacklist holds of it: the last 80 bits of the SHA-1 of openssl's own print-out.
digest = hashlib.sha1(b"Modulus=%X\n" % n).hexdigest()
Path("debian-weak.openssl-blacklist").write_text(
    "# Two keys of CVE-2008-0166, in the form of Debian's package openssl-blacklist\n"
    "8df20e6961a16398b85a\n" + digest[20:] + "\n")
