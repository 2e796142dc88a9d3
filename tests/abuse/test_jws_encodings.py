"""Keys, base64url and JSON in a JWS that two readers would take in two ways, or that nobody should use (RFC 7515, RFC 7517,
RFC 8259; rows J07, J09 and J10)."""
import json

import pytest

from harness import jose
from harness.jose import Key, b64, unb64
from oracle import check_problem
from rows import row

# ---- J07: keys -------------------------------------------------------------------------------------

RSA_1024 = Key("RSA 1024")
RSA_2048 = Key("RSA 2048")


def off_curve(jwk):
    y = bytearray(unb64(jwk["y"]))
    y[-1] ^= 1
    return {**jwk, "y": b64(bytes(y))}


def bad_jwks():
    """(name, JWK, the key that signs)."""
    p256 = Key()
    secret = p256.private.private_numbers().private_value
    yield "a private EC key", {**p256.jwk, "d": jose.number(secret, 32)}, p256
    for member in ("d", "p", "q", "dp", "dq", "qi", "oth"):
        yield f"RSA with {member}", {**RSA_2048.jwk, member: [] if member == "oth" else "AQAB"}, RSA_2048
    ed = Key("Ed25519")
    yield "a private Ed25519 key", {**ed.jwk, "d": ed.jwk["x"]}, ed
    yield "a symmetric key", {"kty": "oct", "k": b64(b"0" * 32)}, p256
    yield "a point off the curve", off_curve(p256.jwk), p256
    yield "the origin", {**p256.jwk, "x": b64(bytes(32)), "y": b64(bytes(32))}, p256
    yield "a coordinate beyond the field", {**p256.jwk, "x": b64(b"\xff" * 32)}, p256
    yield "a coordinate too short", {**p256.jwk, "x": b64(unb64(p256.jwk["x"])[1:])}, p256
    yield "a coordinate too long", {**p256.jwk, "x": b64(b"\0" + unb64(p256.jwk["x"]))}, p256
    yield "another curve", {**p256.jwk, "crv": "secp256k1"}, p256
    yield "P-256 called P-384", {**p256.jwk, "crv": "P-384"}, p256
    yield "Ed448", {"kty": "OKP", "crv": "Ed448", "x": b64(bytes(57))}, ed
    yield "RSA 1024", RSA_1024.jwk, RSA_1024
    yield "RSA 2047", {**RSA_2048.jwk, "n": jose.number(2**2046 + 1)}, RSA_2048
    yield "RSA 16384", {**RSA_2048.jwk, "n": jose.number(2**16383 + 1)}, RSA_2048
    yield "e is 1", {**RSA_2048.jwk, "e": jose.number(1)}, RSA_2048
    yield "e is 3", {**RSA_2048.jwk, "e": jose.number(3)}, RSA_2048
    yield "e is even", {**RSA_2048.jwk, "e": jose.number(65536)}, RSA_2048
    yield "an even modulus", {**RSA_2048.jwk, "n": jose.number(2**2047)}, RSA_2048


BAD_JWKS = {name: (jwk, key) for name, jwk, key in bad_jwks()}


@row("J07")
@pytest.mark.parametrize("name", BAD_JWKS)
def test_a_key_that_nobody_should_use_is_refused(laboratory, oracle, name):
    jwk, key = BAD_JWKS[name]
    stranger = laboratory.acme(key=key)
    with oracle.refuses():
        check_problem(stranger.post("new-account", {}, jwk=jwk), 400, "badPublicKey")
    stranger.close()


@row("J07")
def test_two_spellings_of_a_key_are_not_two_accounts(oracle, stranger):
    with oracle.refuses():
        check_problem(stranger.post("new-account", {}, jwk={**RSA_2048.jwk, "n": b64(b"\0" + unb64(RSA_2048.jwk["n"]))}),
                      400, "malformed", "leading zero")


# ---- J09, J10: encodings ---------------------------------------------------------------------------

def trailing_bits(text):
    """The same octets to a careless decoder: a bit set in the part of the last character that is not used."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


SPOILT = {
    "padding": lambda text: text + "=" * (-len(text) % 4 or 4),
    "a space": lambda text: text[:2] + " " + text[2:],
    "a line break": lambda text: text[:2] + "\n" + text[2:],
    "a space at the end": lambda text: text + " ",
    "the other alphabet": lambda text: "+/" + text[2:],
    "a single character more": lambda text: text + "A" * ((1 - len(text)) % 4 or 4),
    "NUL": lambda text: text + "\0",
    "above ASCII": lambda text: text + "\u00e9",
}


@row("J09")
@pytest.mark.parametrize("part", ["protected", "payload", "signature"])
@pytest.mark.parametrize("kind", [*SPOILT, "stray trailing bits"])
def test_base64url_is_strict(oracle, client, part, kind):
    # A payload whose text ends within an octet, so that bits are left over; so does a signature of 64 octets.
    message = json.loads(client.message(client.kid, '{"contact":[]}'))
    if kind == "stray trailing bits":
        while part == "protected" and len(message[part]) % 4 == 0:
            message = json.loads(client.message(client.kid, "", pad="x" * (len(message[part]) % 7)))
        spoilt = trailing_bits(message[part])
    else:
        spoilt = SPOILT[kind](message[part])
    with oracle.refuses():
        check_problem(client.send(client.kid, jose.dumps({**message, part: spoilt})), 400, "malformed", part)


def nested(depth):
    """A JSON object of so many levels."""
    return '{"a":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


NO_JSON = {
    "a name twice": '{"a":1,"a":2}',
    "a name twice, once escaped": '{"a":1,"\\u0061":2}',
    "depth 17": nested(17),
    "depth 10000": nested(10000),
    "1e999": '{"a":1e999}',
    "-1e999": '{"a":-1e999}',
    "a lone high surrogate": '{"a":"\\ud800"}',
    "a lone low surrogate": '{"a":"\\udc00"}',
    "surrogates the wrong way": '{"a":"\\udc00\\ud800"}',
    "a raw surrogate": '{"a":"\ud800"}',
    "no UTF-8": b'{"a":"\xff"}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "NaN": '{"a":NaN}',
    "a comment": '{"a":1/**/}',
    "a comma at the end": '{"a":1,}',
    "something behind": "{} {}",
    "NUL behind": "{}\0",
    "a byte order mark": "\ufeff{}",
    "cut off": '{"a":',
    "empty": " ",
}


@row("J10")
@pytest.mark.parametrize("name", NO_JSON)
def test_json_with_two_readings_is_refused_in_the_message_and_its_header(oracle, stranger, client, name):
    text = NO_JSON[name]
    with oracle.refuses():
        check_problem(client.send(client.kid, jose.dumps(text)), 400, "malformed")
    with oracle.refuses():
        check_problem(client.post(client.kid, header=text), 400, "malformed", "protected header")


@row("J10")
@pytest.mark.parametrize("name", NO_JSON)
def test_json_with_two_readings_is_refused_in_the_payload(oracle, stranger, client, name):
    text = NO_JSON[name]
    with oracle.refuses():
        check_problem(stranger.post("new-account", text), 400, "malformed", "the payload")
    with oracle.refuses(audited=1) as refusal:
        check_problem(client.post("new-order", text), 400, "malformed", "the payload")
    detail = json.loads(refusal.records[0]["detail"])
    assert detail["problem"]["type"] == "malformed"
    assert detail["problem"]["detail"].startswith("the payload")


@row("J10")
def test_sixteen_levels_are_read(client):
    answer = client.post(client.kid, nested(16))
    assert answer.status == 200, answer
