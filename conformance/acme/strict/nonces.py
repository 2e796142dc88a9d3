"""Nonces (RFC 8555 §6.5)."""
from urllib.parse import urlsplit

from harness.jose import DROP, Key, b64, unb64

from .probe import kind_of, row, shown

WORDING = "JWS has an invalid anti-replay nonce"


def no_nonce(p, answer, *words):
    """badNonce, with one that works."""
    p.problem(answer, 400, "badNonce", *words)
    p.need(len(answer.all("Replay-Nonce")) == 1, "badNonce without Replay-Nonce")
    return answer.get("Replay-Nonce")


@row("1.1", "RFC 8555 §6.5", "a nonce twice: the same message, another message", "400 badNonce with a nonce that works", "J01")
def nonce_reused(p):
    client = p.account()
    nonce = client.nonce()
    message = client.message(client.kid, nonce=nonce)
    p.ok(client.send(client.kid, message))
    no_nonce(p, client.send(client.kid, message))
    p.ok(client.post(client.kid, nonce=no_nonce(p, client.post(client.kid, nonce=nonce))))


@row("1.1", "RFC 8555 §6.5", "nonces with one bit flipped, octet by octet", "400 badNonce with a nonce that works; the nonce itself stays good", "J01")
def nonce_with_a_flipped_bit(p):
    client = p.account()
    nonce = client.nonce()
    for at in range(len(unb64(nonce))):
        octets = bytearray(unb64(nonce))
        octets[at] ^= 1 << at % 8
        no_nonce(p, client.post(client.kid, nonce=b64(bytes(octets))))
    p.ok(client.post(client.kid, nonce=nonce))


@row("1.1", "RFC 8555 §6.5", "a nonce of the right form that nobody gave", "400 badNonce with a nonce that works", "J01")
def nonce_unknown(p):
    client = p.account()
    unknown = b64(bytes(len(unb64(client.nonce()))))
    p.ok(client.post(client.kid, nonce=no_nonce(p, client.post(client.kid, nonce=unknown))))


@row("1.1", "RFC 8555 §6.5", "no nonce", "400 badNonce (or malformed) with a nonce that works", "J01")
def nonce_left_out(p):
    client = p.account()
    answer = client.post(client.kid, nonce=DROP)
    p.problem(answer, 400, ("badNonce", "malformed"))
    p.ok(client.post(client.kid, nonce=answer.get("Replay-Nonce")))


@row("1.1", "RFC 8555 §6.5.2", "nonces that are no base64url: empty, with padding, with a space", "400 malformed (or badNonce), with a nonce that works", "J01")
def nonce_malformed(p):
    client = p.account()
    for nonce in ("", "AAAA====", "AA AA", "å", 1):
        answer = client.post(client.kid, nonce=nonce)
        p.need(answer.status == 400 and kind_of(answer) in ("malformed", "badNonce"), f"{nonce!r}: {shown(answer)}")
        p.ok(client.post(client.kid, nonce=answer.get("Replay-Nonce")))


@row("4", "acme.sh", "a nonce that was used", f"the detail has the words {WORDING!r}")
def nonce_wording(p):
    client = p.account()
    no_nonce(p, client.post(client.kid, nonce=b64(bytes(16))), WORDING)


@row("1.1", "RFC 8555 §6.5", "a good nonce with a wrong signature, with a foreign url, of an unknown account; then again", "refused, and good afterwards", "J01")
def nonce_is_not_spent_by_strangers(p):
    client = p.account()
    for how in ({"sign": Key().sign}, {"url": p.directory()["newOrder"]}, {"kid": client.kid + "0"}):
        nonce = client.nonce()
        p.need(client.post(client.kid, nonce=nonce, **how).status in (400, 401, 403), "not refused")
        p.ok(client.post(client.kid, nonce=nonce))


@row("1.1", "RFC 8555 §6.5", "what is refused for its payload; then its nonce again", "badNonce: a signed message spends its nonce")
def nonce_is_spent_by_a_refused_payload(p):
    client = p.account()
    nonce = client.nonce()
    p.need(client.post("newOrder", {"identifiers": []}, nonce=nonce).status == 400, "not refused")
    no_nonce(p, client.post(client.kid, nonce=nonce))


@row("1.1", "RFC 8555 §6.5", "one nonce in 64 messages at once", "one is taken, 63 get badNonce", "J02")
def one_nonce_64_times(p):
    client = p.account()
    message = client.message(client.kid)
    parts = urlsplit(client.kid)
    wires = [client.endpoint.connect(client.kid) for _ in range(64)]
    try:
        octets = (f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/jose+json\r\n"
                  f"Content-Length: {len(message)}\r\n\r\n").encode() + message
        for wire in wires:
            wire.send(octets)
        answers = [wire.read_answer() for wire in wires]
    finally:
        for wire in wires:
            wire.close()
    taken = [each for each in answers if each.status == 200]
    p.need(len(taken) == 1, f"{len(taken)} were taken")
    for each in answers:
        if each.status != 200:
            no_nonce(p, each)


@row("5", "RFC 8555 §6.5", "a nonce of another directory of the server", "taken, or badNonce with a nonce that works", "J01")
def nonce_of_another_directory(p):
    elsewhere = p.client(p.other("elsewhere")).nonce()
    client = p.account()
    answer = client.post(client.kid, nonce=elsewhere)
    if answer.status != 200:
        p.ok(client.post(client.kid, nonce=no_nonce(p, answer)))
    return shown(answer)


@row("5", "RFC 8555 §6.5", "what a client does at badNonce: again with the nonce of the refusal, ten times", "200 each time")
def nonce_of_a_refusal(p):
    client = p.account()
    for _ in range(10):
        p.ok(client.post(client.kid, nonce=no_nonce(p, client.post(client.kid, nonce="AAAA"))))
