"""JWS as strangers forge them (RFC 7515, RFC 8555 §6; rows J01 to J12). What is judged before anybody has proven who
they are leaves no durable trace; what an account is refused leaves one audit record."""
import json
import re
import socket
from contextlib import closing

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from client import csr_der
from harness import jose
from harness.jose import DROP, Key, b64, unb64
from octets import request
from oracle import check_problem
from rows import row

ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "EdDSA"]
BAD_NONCES = "postern_acme_bad_nonces_total"
ES256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


# ---- J01, J02: nonces ------------------------------------------------------------------------------

def flipped(nonce, bit):
    octets = bytearray(unb64(nonce))
    octets[bit // 8] ^= 1 << bit % 8
    return b64(bytes(octets))


def refused_for_its_nonce(client, oracle, nonce):
    with oracle.refuses(counter=BAD_NONCES):
        answer = check_problem(client.post(client.kid, nonce=nonce), 400, "badNonce", "JWS has an invalid anti-replay nonce")
    return answer


@row("J01")
@pytest.mark.parametrize("nonce", [DROP, "AAAA"], ids=["absent", "short"])
def test_what_is_no_nonce_is_refused_with_one_that_works(client, oracle, nonce):
    fresh = refused_for_its_nonce(client, oracle, nonce).nonce
    assert client.post(client.kid, nonce=fresh).status == 200


@row("J01")
@pytest.mark.parametrize("nonce", ["", "not base64url!"], ids=["empty", "no base64url"])
def test_what_cannot_be_a_nonce_is_malformed_and_brings_one_that_works(client, oracle, nonce):
    with oracle.refuses():
        answer = check_problem(client.post(client.kid, nonce=nonce), 400, "malformed", "the nonce is not base64url")
    assert client.post(client.kid, nonce=answer.nonce).status == 200


@row("J01")
def test_a_nonce_is_good_once(client, oracle):
    nonce = client.nonce()
    message = client.message(client.kid, "", nonce=nonce)
    assert client.send(client.kid, message).status == 200
    with oracle.refuses(counter=BAD_NONCES):
        check_problem(client.send(client.kid, message), 400, "badNonce")
    refused_for_its_nonce(client, oracle, nonce)


@row("J01")
def test_a_nonce_with_any_bit_flipped_is_refused(client, oracle):
    nonce = client.nonce()
    bits = 8 * len(unb64(nonce))
    for bit in range(0, bits, 7):
        check_problem(client.post(client.kid, nonce=flipped(nonce, bit)), 400, "badNonce")
    refused_for_its_nonce(client, oracle, flipped(nonce, bits - 1))
    assert client.post(client.kid, nonce=nonce).status == 200, "the refused ones must not have used it up"


@row("J01")
def test_a_nonce_of_another_server_or_of_an_earlier_start_is_foreign(client, oracle, new_laboratory):
    other = new_laboratory()
    refused_for_its_nonce(client, oracle, other.acme().nonce())
    visitor = other.acme().register()
    kept = visitor.nonce()
    visitor.close()
    other.server.stop()
    other.server.start()
    check_problem(visitor.post(visitor.kid, nonce=kept), 400, "badNonce")
    assert visitor.post(visitor.kid).status == 200


@row("J02")
def test_of_64_posts_with_one_nonce_one_is_accepted(laboratory, oracle, client):
    octets = request("POST", client.kid.removeprefix(laboratory.https), "Content-Type: application/jose+json",
                     host=laboratory.host, body=client.message(client.kid, ""))
    connections = [laboratory.connect() for _ in range(64)]
    try:
        with oracle.refuses(counter=BAD_NONCES) as refusal:
            for connection in connections:
                connection.send(octets)
            answers = [connection.read() for connection in connections]
    finally:
        for connection in connections:
            connection.close()
    assert len(refusal.answers) == 64
    assert sorted(answer.status for answer in answers) == [200] + [400] * 63
    for answer in answers:
        if answer.status != 200:
            check_problem(answer, 400, "badNonce")


# ---- J03, J04: algorithms and signatures -----------------------------------------------------------

def names_the_algorithms(answer):
    check_problem(answer, 400, "badSignatureAlgorithm")
    assert answer.json["algorithms"] == ALGORITHMS


def public_forms(key):
    """What a confused verifier might take as the MAC key."""
    public = key.private.public_key()
    forms = [public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
             for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)]
    return [*forms, json.dumps(key.jwk).encode(), b""]


@row("J03")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "HS256", "HS512", "RS1", "PS256", "ES256K", "es256"])
def test_no_other_algorithm_is_accepted(oracle, stranger, client, alg):
    for who, path in ((stranger, "new-account"), (client, client.kid)):
        with oracle.refuses():
            names_the_algorithms(who.post(path, {}, alg=alg))


@row("J03")
def test_alg_none_has_no_signature_and_is_refused_for_its_algorithm(oracle, client):
    with oracle.refuses():
        names_the_algorithms(client.post(client.kid, alg="none", sign=lambda octets: b""))


@row("J03")
@pytest.mark.parametrize("kind", ["P-256", "RSA 2048"])
def test_a_mac_made_with_the_public_key_is_no_signature(laboratory, oracle, kind):
    client = laboratory.acme(kind=kind).register()
    for form in public_forms(client.key):
        with oracle.refuses():
            names_the_algorithms(client.post(client.kid, alg="HS256", sign=jose.mac(form)))
        # The same under the algorithm that the key has: then it is a signature, and a wrong one.
        with oracle.refuses():
            check_problem(client.post(client.kid, sign=jose.mac(form)), 400, "malformed", "does not verify")
    client.close()


@row("J03")
@pytest.mark.parametrize("kind", ["P-256", "P-384", "Ed25519", "RSA 2048"])
def test_an_algorithm_of_another_key_is_refused(laboratory, oracle, kind):
    client = laboratory.acme(kind=kind).register()
    with oracle.refuses():
        for alg in set(ALGORITHMS) - {client.key.alg}:
            names_the_algorithms(client.post(client.kid, alg=alg))
    client.close()


def raw(r, s, width=32):
    return lambda octets: r.to_bytes(width, "big") + s.to_bytes(width, "big")


def shifted(key, r_plus=0, s_plus=0):
    """The right signature with a multiple of the group's order added: the same modulo n."""
    def sign(octets):
        good = key.sign(octets)
        return ((int.from_bytes(good[:32], "big") + r_plus) % 2**256).to_bytes(32, "big") + \
               ((int.from_bytes(good[32:], "big") + s_plus) % 2**256).to_bytes(32, "big")
    return sign


WRONG_SIGNATURES = {
    "r and s are 0": lambda key: raw(0, 0),
    "r is 0": lambda key: raw(0, 1),
    "s is 0": lambda key: raw(1, 0),
    "r is n": lambda key: raw(ES256_ORDER, 1),
    "s is n": lambda key: raw(1, ES256_ORDER),
    "r is n and more": lambda key: raw(ES256_ORDER + 1, ES256_ORDER - 1),
    "both are all ones": lambda key: raw(2**256 - 1, 2**256 - 1),
    "r has n added": lambda key: shifted(key, r_plus=ES256_ORDER),
    "s has n added": lambda key: shifted(key, s_plus=ES256_ORDER),
    "DER": lambda key: key.sign_der,
    "one octet too long": lambda key: lambda octets: key.sign(octets) + b"\0",
    "a zero before each": lambda key: lambda octets: b"\0" + key.sign(octets)[:32] + b"\0" + key.sign(octets)[32:],
    "half": lambda key: lambda octets: key.sign(octets)[:32],
    "another key's": lambda key: Key().sign,
    "of another message": lambda key: lambda octets: key.sign(octets + b"."),
    "empty": lambda key: lambda octets: b"",
}


@row("J04")
@pytest.mark.parametrize("kind", WRONG_SIGNATURES)
def test_a_signature_outside_the_range_or_of_wrong_form_is_refused(oracle, stranger, client, kind):
    for who, path in ((stranger, "new-account"), (client, client.kid)):
        with oracle.refuses():
            check_problem(who.post(path, {}, sign=WRONG_SIGNATURES[kind](who.key)), 400, "malformed", "signature")


@row("J04")
@pytest.mark.parametrize("of", ["r", "s"])
def test_a_signature_that_lost_a_leading_zero_is_taken(client, of):
    """Apple's clients leave leading zero octets out."""
    path = client.url(client.kid)
    while True:
        header = client.header(path)
        signature = client.key.sign(f"{b64(jose.dumps(header))}.".encode())
        at = 0 if of == "r" else 32
        if signature[at] == 0:
            break
        client._nonce = header["nonce"]  # not sent yet, so still good
    short = signature[:at] + signature[at + 1:]
    assert client.send(path, client.message(path, "", header=header, sign=lambda octets: short)).status == 200


# ---- J05, J06: the header --------------------------------------------------------------------------

@row("J05")
def test_jwk_and_kid_exclude_each_other_and_one_is_needed(oracle, stranger, client):
    with oracle.refuses():
        check_problem(client.post(client.kid, jwk=client.key.jwk), 400, "malformed", "both jwk and kid")
    with oracle.refuses():
        check_problem(client.post(client.kid, kid=DROP), 400, "malformed", "neither jwk nor kid")
    with oracle.refuses():
        check_problem(stranger.post("new-account", {}, kid=client.kid), 400, "malformed", "both jwk and kid")
    with oracle.refuses():
        check_problem(stranger.post("new-account", {}, jwk=DROP), 400, "malformed", "neither jwk nor kid")


@row("J05")
def test_each_resource_takes_its_own_form(oracle, client):
    with oracle.refuses():
        check_problem(client.post("new-account", {}, jwk=DROP, kid=client.kid), 400, "malformed", "send jwk, not kid")
    for path in ("new-order", client.kid, client.kid + "/orders", "new-nonce", "directory"):
        with oracle.refuses():
            check_problem(client.post(path, {}, kid=DROP, jwk=client.key.jwk), 400, "malformed", "send kid, not jwk")


@pytest.fixture
def trap():
    """A URL on this machine, and a way to see whether anybody came for it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.setblocking(False)

        def nobody_came():
            with pytest.raises(BlockingIOError):
                listener.accept()

        yield "http://127.0.0.1:%d/keys" % listener.getsockname()[1], nobody_came


@row("J06")
@pytest.mark.parametrize("member", ["crit", "b64", "x5u", "jku"])
def test_header_members_that_change_the_meaning_are_refused(oracle, stranger, client, trap, member):
    where, nobody_came = trap
    value = {"crit": ["exp"], "b64": False}.get(member, where)
    for who, path in ((stranger, "new-account"), (client, client.kid)):
        with oracle.refuses():
            check_problem(who.post(path, {}, **{member: value}), 400, "malformed", f'"{member}"')
    nobody_came()


@row("J06")
def test_an_unprotected_header_and_several_signatures_are_refused(oracle, client, trap):
    where, nobody_came = trap
    with oracle.refuses():
        check_problem(client.post(client.kid, members={"header": {"jku": where}}), 400, "malformed", "unprotected")
    with oracle.refuses():
        check_problem(client.post(client.kid, members={"header": {}}), 400, "malformed", "unprotected")
    general = client.message(client.kid, "")
    parts = json.loads(general)
    one = {"protected": parts["protected"], "signature": parts["signature"]}
    for message in ({"payload": "", "signatures": [one, one]}, {"payload": "", "signatures": [one]},
                    {**parts, "signatures": [one]}):
        with oracle.refuses():
            check_problem(client.send(client.kid, jose.dumps(message)), 400, "malformed", "one signature")
    compact = f"{parts['protected']}.{parts['payload']}.{parts['signature']}".encode()
    for message in (compact, b'"' + compact + b'"', jose.dumps([parts]), b"", b"null"):
        with oracle.refuses():
            check_problem(client.send(client.kid, message), 400, "malformed")
    nobody_came()


@row("J06")
@pytest.mark.parametrize("member", ["protected", "payload", "signature"])
def test_a_message_without_one_of_its_parts_is_refused(oracle, client, member):
    for value in (DROP, None, 1, {}):
        with oracle.refuses():
            check_problem(client.post(client.kid, members={member: value}), 400, "malformed", member)


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


# ---- J08: the URL ----------------------------------------------------------------------------------

@row("J08")
def test_what_was_signed_for_one_url_is_good_for_no_other(laboratory, oracle, client):
    right = client.kid
    path = right.removeprefix(laboratory.https)
    wrong = {"host": "https://evil.test" + path, "port": laboratory.https + "0" + path, "scheme": right.replace("https", "http", 1),
             "query": right + "?a=b", "slash": right + "/", "fragment": right + "#x", "relative": path, "empty": "",
             "case of the host": right.replace("https://", "HTTPS://", 1), "case of the path": right.replace("/acme/", "/Acme/"),
             "encoded": right.replace("/account/", "/%61ccount/"), "another resource": client.url("new-order"),
             "another endpoint": right.replace("/default/", "/north/")}
    for kind, url in wrong.items():
        nonce = client.nonce()
        with oracle.refuses():
            check_problem(client.post(right, url=url, nonce=nonce), 401, "unauthorized", "url is not the URL of this request")
        assert client.post(right, nonce=nonce).status == 200, f"{kind}: the nonce was spent"


@row("J08")
def test_a_query_that_was_not_signed_is_refused(laboratory, oracle, client):
    target = client.kid.removeprefix(laboratory.https) + "?a=b"
    with oracle.refuses():
        check_problem(client.send(client.kid, client.message(client.kid, ""), target=target), 401, "unauthorized")


@row("J08")
@pytest.mark.parametrize("url", [DROP, 1, None, ["x"]], ids=["absent", "number", "null", "list"])
def test_a_url_that_is_no_text_is_malformed(oracle, client, url):
    with oracle.refuses():
        check_problem(client.post(client.kid, url=url), 400, "malformed", "url")


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


# ---- J11, J12: whose it is -------------------------------------------------------------------------

@row("J11")
def test_an_account_of_another_tenant_does_not_exist_here(laboratory, oracle, client):
    north = laboratory.acme("north", key=client.key).register()
    assert north.kid != client.kid
    for who, kid in ((client, north.kid), (north, client.kid)):
        own, who.kid = who.kid, kid
        with oracle.refuses():
            check_problem(who.post("new-order", {}), 400, "accountDoesNotExist")
        who.kid = own
    # A token of the other tenant under this one's prefix is no better.
    own, client.kid = client.kid, client.url("account/" + north.kid.rsplit("/", 1)[1])
    with oracle.refuses():
        check_problem(client.post("new-order", {}), 400, "accountDoesNotExist")
    client.kid = own
    north.close()


@row("J11")
def test_an_own_account_by_another_url_does_not_exist(laboratory, oracle, client):
    own = client.kid
    token = own.rsplit("/", 1)[1]
    for kid in (token, f"https://evil.test/acme/default/account/{token}", f"{laboratory.https}/acme/north/account/{token}",
                f"{laboratory.https}/acme/default/order/{token}", own + "/", own + "?", own.upper(), own.replace("https", "http", 1)):
        with oracle.refuses():
            check_problem(client.post(own, kid=kid), 400, "accountDoesNotExist", "account URL exactly")


@row("J11")
@pytest.mark.parametrize("kid", ["", "1", "account/AAAAAAAAAAAAAAAAAAAAAA", "account/' OR 1=1 --", "account/%"])
def test_a_kid_that_names_nobody_does_not_exist(oracle, client, kid):
    with oracle.refuses():
        check_problem(client.post("new-order", {}, kid=client.url(kid) if "/" in kid else kid), 400, "accountDoesNotExist")


@row("J11")
def test_a_deactivated_account_can_nothing_more(laboratory, oracle, client):
    url, order = client.order(laboratory.fresh_name())
    assert client.post(client.kid, {"status": "deactivated"}).json["status"] == "deactivated"
    for path, payload in ((client.kid, ""), ("new-order", {}), (url, ""), (order["finalize"], {}), ("directory", "")):
        with oracle.refuses(audited=1) as refusal:
            check_problem(client.post(path, payload), 401, "unauthorized", "deactivated")
        assert refusal.records[0]["actor"] == client.kid.rsplit("/", 1)[1]
    # By its key it is as gone, and no second account is made with that key.
    with oracle.refuses(audited=1):
        check_problem(client.post("new-account", {}), 401, "unauthorized", "deactivated")


def masked(answer):
    """All octets of an answer, without what differs from one answer to the next by design."""
    text = re.sub(rb"(Replay-Nonce|X-Request-Id|Date): [^\r]*", rb"\1: *", answer.octets)
    assert text.count(b": *\r\n") == 3, answer
    return text.replace(answer.header("X-Request-Id").encode(), b"*")


@pytest.fixture(scope="module")
def estate(laboratory):
    """What somebody else has: {kind: URL}."""
    owner = laboratory.acme().register()
    name = laboratory.fresh_name()
    order, certificate, _ = owner.certify(name)
    made = owner.read(order)
    open_url, open_order = owner.order(laboratory.fresh_name())
    authorization = open_order["authorizations"][0]
    challenge = owner.read(authorization)["challenges"][0]["url"]
    owner.close()
    return {"order": order, "certificate": certificate, "finalize": made["finalize"], "open order": open_url,
            "open finalize": open_order["finalize"], "authorization": authorization, "challenge": challenge,
            "account": owner.kid, "orders": owner.kid + "/orders"}


KINDS = ["order", "certificate", "finalize", "open order", "open finalize", "authorization", "challenge", "account", "orders"]


@row("J12")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("payload", ["", {}, {"status": "deactivated"}], ids=["read", "write", "deactivate"])
def test_what_is_anothers_is_absent_byte_for_byte(laboratory, oracle, client, estate, kind, payload):
    foreign = estate[kind]
    token = foreign.removesuffix("/orders").removesuffix("/finalize").rsplit("/", 1)[1]
    absent = foreign.replace(token, Key().thumbprint[:22])
    if kind.endswith("finalize") and payload == {}:
        payload = {"csr": b64(csr_der(Key(), ["any.abuse.test"]))}
    with oracle.refuses(audited=1):
        theirs = client.post(foreign, payload)
    with oracle.refuses(audited=1):
        nobodys = client.post(absent, payload)
    if kind in ("order", "open order", "certificate") and payload != "":
        # Refused for its form, which depends on nothing that is stored.
        check_problem(theirs, 400, "malformed")
    else:
        check_problem(theirs, 404, "malformed")
    assert masked(theirs) == masked(nobodys)


@row("J12")
def test_a_cursor_of_another_is_absent(laboratory, oracle, client, estate):
    token = estate["order"].rsplit("/", 1)[1]
    answers = []
    for after in (token, Key().thumbprint[:22]):
        with oracle.refuses(audited=1):
            answers.append(check_problem(client.post(f"{client.kid}/orders?after={after}"), 404, "malformed"))
    assert masked(answers[0]) == masked(answers[1])
