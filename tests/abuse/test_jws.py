"""JWS as strangers forge them (RFC 7515, RFC 8555 §6; rows J01 to J06 and J08). What is judged before anybody has proven who
they are leaves no durable trace; what an account is refused leaves one audit record."""
import json
import socket
from contextlib import closing

import pytest
from cryptography.hazmat.primitives import serialization

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
