"""How answers are written (est.md §1.2, §1.3): for BouncyCastle, libest, strongSwan and parsers that are smaller still."""
import re

from harness.http_wire import Closed

from .probe import row

CANONICAL = {"Content-Type", "Content-Length", "Content-Transfer-Encoding", "WWW-Authenticate", "Retry-After", "Allow"}


def several(p):
    """One answer of each kind, over one connection where the server keeps it."""
    found = [p.get("cacerts"), p.get("csrattrs"), p.enroll(), p.enroll(user=""), p.get("nothing"), p.get("simpleenroll"), p.post("simpleenroll", b"%")]
    return found


@row("1.2", "each kind of answer", "Content-Length, never chunked; header below 1 KB, in one TLS record with its body")
def framing(p):
    for answer in several(p):  # that there is a Content-Length the reader has judged
        p.need(len(answer.head) < 1024, f"a header of {len(answer.head)} octets with {answer.status}")
        p.need(answer.one_record, f"{answer.status} in several TLS records")
    return "as expected"


@row("1.2", "each kind of answer", "header names in canonical case, each once")
def header_case(p):
    for answer in several(p):
        for name, _ in answer.headers:
            known = {each.lower(): each for each in CANONICAL}.get(name.lower())
            p.need(known in (None, name), f"header {name}")
            p.need(len(answer.all(name)) == 1, f"header {name} twice")
    return "as expected"


@row("1.2", "cacerts and simpleenroll by a client that sends headers", "base64 in lines of at most 76 columns with CRLF, and Content-Transfer-Encoding: base64")
def base64_in_lines(p):
    friendly = [("Content-Type", "application/pkcs10"), ("Accept", "*/*"), ("User-Agent", "probe")]
    for answer in (p.get("cacerts", headers=friendly[1:]), p.post("simpleenroll", _csr(p), headers=friendly)):
        p.status(answer, 200)
        p.need(answer.get("Content-Transfer-Encoding") == "base64", f"Content-Transfer-Encoding {answer.get('Content-Transfer-Encoding')!r}")
        p.need(re.fullmatch(rb"(?:[A-Za-z0-9+/=]{1,76}\r\n)+", answer.body), f"lines of up to {max(map(len, answer.body.splitlines()))} columns")


def _csr(p):
    from .probe import lines
    return lines(p.csr())


@row("1.2", "ALPN that offers h2 and http/1.1", "http/1.1, or no ALPN")
def no_http_2(p):
    wire = p.connect(alpn=["h2", "http/1.1"])
    p.need(wire.tls.selected_alpn_protocol() in (None, "http/1.1"), f"ALPN {wire.tls.selected_alpn_protocol()}")
    p.status(p.get("cacerts", wire=wire), 200)


@row("1.3", "refusals of every kind", "text/plain in one line with a stable word, or no body; the request is not in it; no redirect")
def refusals_are_one_line(p):
    for answer in (p.enroll(user=""), p.post("simpleenroll", b"%"), p.get("simpleenroll"), p.get("nothing"), p.enroll(media_type="text/plain")):
        p.need(answer.status >= 400, f"{answer.status}")
        p.status(answer, answer.status)
        p.need(len(answer.text.strip().splitlines()) <= 1, f"{answer.status} in several lines")
    return "as expected"


@row("1.3", "csrattrs where nothing is asked for", "204 without Content-Length above 0, 404, or 200 with an empty SEQUENCE at least")
def csrattrs_status(p):
    answer = p.get("csrattrs")
    if answer.status != 404:
        p.status(answer, 200, 204)


@row("2", "401, then the same request with Basic on the same connection", "200: the connection is kept")
def keep_alive_after_401(p):
    wire, key = p.connect(), p.key()
    p.refused(p.enroll(p.csr(key), wire=wire, user=""), 401)
    try:
        p.certificate(p.enroll(p.csr(key), wire=wire), key)
    except Closed:
        p.need(False, "the connection was closed after the 401")


@row("2", "cacerts, csrattrs and simpleenroll on one connection", "all answered")
def keep_alive(p):
    wire, key = p.connect(), p.key()
    p.status(p.get("cacerts", wire=wire), 200)
    p.get("csrattrs", wire=wire)
    p.certificate(p.enroll(p.csr(key), wire=wire), key)
