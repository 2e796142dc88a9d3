"""Who asks, and what does not make anybody somebody (est.md §1.4, §6)."""
import re

from harness.http_wire import Closed

from .probe import PKCS10, basic, lines, row


def _with(p, value):
    return p.post("simpleenroll", lines(p.csr()), user="", headers=[("Content-Type", PKCS10), ("Authorization", value)])


@row("1.4", "Basic with a wrong password, and with a user whom nobody knows", "401 in the same words")
def wrong_password_and_unknown_user(p):
    user = p.target.main.user.partition(":")[0]
    words = []
    for who in (f"{user}:{p.common_name}", f"{p.common_name}:x"):
        answer = p.enroll(user=who)
        p.refused(answer, 401)
        words.append(re.sub(r"\(ref .*?\)", "", answer.text))
    p.status(p.enroll(), 200)  # and forgets the tries
    p.need(words[0] == words[1], f"{words[0].strip()} / {words[1].strip()}")
    return "401"


@row("1.4", "Basic with an empty user name", "401: it is read, and is nobody here")
def empty_user_name(p):
    p.refused(p.enroll(user=":" + p.common_name), 401)


@row("6", "Basic without a colon, without base64, empty, of 10 000 octets", "401 or 400")
def malformed_basic(p):
    for value in ("Basic dXNlcg==", "Basic !!!", "Basic", "Basic ", basic("u" * 10_000 + ":p"), basic("u:" + "p" * 10_000), basic("a\0b:c")):
        p.refused(_with(p, value), 400, 401)


@row("1.4", "Digest, Negotiate, NTLM and schemes that nobody knows", "401, and none of them is offered")
def other_schemes(p):
    for value in ('Digest username="a", realm="b", nonce="c", uri="/", response="d"', "Negotiate YIIBhg==", "NTLM TlRMTVNTUAABAAAA", "Unheard of"):
        answer = _with(p, value)
        p.refused(answer, 401)
        offered = " ".join(answer.all("WWW-Authenticate"))
        p.need(not re.search("digest|negotiate|ntlm", offered, re.I), f"WWW-Authenticate {offered}")
    return "401"


@row("1.4", "Bearer with a token that nobody minted", "401")
def unknown_token(p):
    p.refused(_with(p, "Bearer " + "A" * 43), 401)


@row("1.4", "two Authorization headers", "400 or 401")
def two_authorizations(p):
    good = basic(p.target.main.user)
    p.refused(p.post("simpleenroll", lines(p.csr()), user="", headers=[("Content-Type", PKCS10), ("Authorization", basic("a:b")), ("Authorization", good)]), 400, 401)


@row("6", "wrong passwords of one user, one after the other", "429 with Retry-After by the twentieth; others go on")
def brute_force(p):
    for count in range(20):
        answer = p.enroll(user=f"{p.common_name}:{count}")
        if answer.status == 429:
            break
        p.refused(answer, 401)
    p.refused(answer, 429)
    p.status(p.enroll(), 200)
    return f"429 at the {count + 1}th"


@row("1.4", "a good certificate with a wrong password", "401")
def good_certificate_wrong_password(p):
    own = p.identity()
    user = p.target.main.user.partition(":")[0]
    p.refused(p.renew(own, p.csr(own.key), user=f"{user}:{p.common_name}"), 401)
    p.status(p.enroll(), 200)


@row("6", "certificate and password of different accounts", "403")
def different_identities(p):
    own, neighbour = p.identity(), p.other("neighbour")
    p.refused(p.renew(own, p.csr(own.key), user=neighbour.user), 403)


def forged(p, issuer=None, subject=None, **knobs):
    """A certificate that this server never issued, for a key of ours."""
    from harness import pkcs10
    from cryptography import x509
    key = p.key()
    raw = pkcs10.certificate(key, subject or p.subject(), p.random, **knobs)
    return p.owner(x509.load_der_x509_certificate(raw), key)


@row("1.4", "a certificate that nobody knows, with a good password", "403, or the handshake ends: the password does not make it good")
def bad_certificate_good_password(p):
    stranger = forged(p)
    try:
        answer = p.renew(stranger, p.csr(stranger.key), operation="simpleenroll", user=p.target.main.user)
    except (Closed, OSError) as ended:
        return f"the handshake ended: {ended}"
    p.refused(answer, 403)


@row("2", "cacerts by a client with a certificate that nobody knows", "200: who asks does not matter")
def cacerts_with_an_unknown_certificate(p):
    stranger = forged(p)
    p.status(p.get("cacerts", wire=p.connect(identity=stranger.files)), 200)


@row("2", "enrolling with a certificate that nobody knows", "401 or 403 in HTTP, no TLS alert")
def enroll_with_an_unknown_certificate(p):
    stranger = forged(p)
    p.refused(p.renew(stranger, p.csr(stranger.key), operation="simpleenroll"), 401, 403)


@row("6", "headers that say which certificate a proxy saw, from nobody's proxy", "401: they say nothing")
def forwarded_certificate(p):
    import base64
    from cryptography.hazmat.primitives.serialization import Encoding
    own = p.identity()
    text = base64.b64encode(own.certificate.public_bytes(Encoding.DER)).decode()
    headers = [("Client-Cert", f":{text}:"), ("X-Client-Cert", text), ("X-SSL-Client-Cert", text), ("X-SSL-Client-Verify", "SUCCESS"), ("X-Forwarded-Client-Cert", f'Cert="{text}"'),
               ("X-ARR-ClientCert", text), ("SSL_CLIENT_CERT", text), ("X-Forwarded-User", "root"), ("Remote-User", "root")]
    for operation in ("simpleenroll", "simplereenroll"):
        p.refused(p.post(operation, lines(p.csr(own.key)), user="", headers=[("Content-Type", PKCS10), *headers]), 401, 403)


@row("1.4", "a password over HTTP without TLS", "no EST there")
def without_tls(p):
    import socket
    host, port = p.target.main.place
    with socket.create_connection((host, port), timeout=30) as plain:
        try:
            plain.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % p.path("cacerts").encode())
            said = plain.recv(4096)
        except ConnectionError:
            said = b""
    p.need(not said.startswith(b"HTTP/1.1 200"), said[:40].decode("latin-1"))
    return "closed" if not said else said[:20].decode("latin-1").strip()
