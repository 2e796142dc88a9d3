"""Which keys an account may have (RFC 8555 §6.2, §11.1; RFC 7517, RFC 7518)."""
from harness import jose
from harness.jose import Key, b64, unb64
from harness.weak_keys import WeakRsa

from .jws import AGREED
from .probe import Deviation, row


def refused(p, what, jwk, signer):
    """badPublicKey, and there is no account."""
    client = p.client(key=signer)
    try:
        p.problem(client.post("newAccount", AGREED, jwk=jwk), 400, "badPublicKey")
    except Deviation as other:
        raise Deviation(f"{what}: {other}") from None


def rsa(p):
    return p.kept("RSA 2048", lambda: Key("RSA 2048"))


@row("1.1", "RFC 8555 §6.2", "a JWK with its private members: EC, Ed25519, RSA one by one", "400 badPublicKey", "J07")
def jwk_with_private_members(p):
    ec, ed = Key(), Key("Ed25519")
    refused(p, "EC d", {**ec.jwk, "d": jose.number(ec.private.private_numbers().private_value, 32)}, ec)
    refused(p, "Ed25519 d", {**ed.jwk, "d": ed.jwk["x"]}, ed)
    for member in ("d", "p", "q", "dp", "dq", "qi"):
        refused(p, f"RSA {member}", {**rsa(p).jwk, member: "AQAB"}, rsa(p))


@row("1.1", "RFC 7518 §6.2", "points off the curve, the origin, a coordinate beyond the field, too short, too long", "400 badPublicKey", "J07")
def jwk_off_the_curve(p):
    key = Key()
    y = bytearray(unb64(key.jwk["y"]))
    y[-1] ^= 1
    for what, jwk in {"off the curve": {"y": b64(bytes(y))}, "origin": {"x": b64(bytes(32)), "y": b64(bytes(32))}, "beyond": {"x": b64(b"\xff" * 32)},
                      "short": {"x": b64(unb64(key.jwk["x"])[1:])}, "long": {"x": b64(b"\0" + unb64(key.jwk["x"]))}}.items():
        refused(p, what, {**key.jwk, **jwk}, key)


@row("1.1", "RFC 8555 §6.2", "secp256k1, P-256 called P-384, Ed448, a symmetric key", "400 badPublicKey", "J07")
def jwk_of_another_kind(p):
    key, ed = Key(), Key("Ed25519")
    refused(p, "secp256k1", {**key.jwk, "crv": "secp256k1"}, key)
    refused(p, "P-256 called P-384", {**key.jwk, "crv": "P-384"}, key)
    refused(p, "Ed448", {"kty": "OKP", "crv": "Ed448", "x": b64(bytes(57))}, ed)
    refused(p, "symmetric", {"kty": "oct", "k": b64(bytes(32))}, key)


@row("1.1", "RFC 8555 §6.2, RFC 7518 §3.3", "RSA of 1024, 2047, 8192 and 16384 bits", "400 badPublicKey", "J07")
def jwk_rsa_size(p):
    refused(p, "1024", (small := Key("RSA 1024")).jwk, small)
    for bits in (2047, 8192, 16384):
        refused(p, str(bits), {**rsa(p).jwk, "n": jose.number(2 ** (bits - 1) + 1)}, rsa(p))


@row("1.1", "RFC 8555 §11.1", "RSA with e = 1, 3, 65536, and with an even modulus", "400 badPublicKey", "J07")
def jwk_rsa_exponent(p):
    for e in (1, 3, 65536):
        refused(p, f"e = {e}", {**rsa(p).jwk, "e": jose.number(e)}, rsa(p))
    refused(p, "even modulus", {**rsa(p).jwk, "n": jose.number(2 ** 2047)}, rsa(p))


@row("1.1", "RFC 8555 §11.1, CVE-2017-15361", "an RSA key of the ROCA family", "400 badPublicKey", "J07")
def jwk_roca(p):
    key = WeakRsa("roca-2048")
    refused(p, "ROCA", key.jwk, key)


@row("1.1", "RFC 8555 §11.1, CVE-2022-26320", "RSA keys of two close primes, of a square, with a small factor", "400 badPublicKey", "J07")
def jwk_factorable(p):
    for name in ("close-primes-2048", "square-2048", "factor-751"):
        key = WeakRsa(name)
        refused(p, name, key.jwk, key)


@row("1.1", "RFC 8555 §11.1, CVE-2008-0166", "an RSA key that Debian's OpenSSL of 2008 made", "400 badPublicKey", "J07")
def jwk_debian(p):
    key = WeakRsa("debian-weak")
    refused(p, "Debian", key.jwk, key)
