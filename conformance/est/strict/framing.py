"""HTTP that is none, too much of it, and paths (est.md §2, §6)."""
from concurrent.futures import ThreadPoolExecutor

from harness.http_wire import Closed, Connection, request

from .probe import PKCS10, WELL_KNOWN, Deviation, basic, lines, row, shown


def _host(p):
    host, port = p.target.main.place
    return f"{host}:{port}"


def _post(p, body, *headers):
    return request("POST", p.path("simpleenroll"), _host(p), body, [("Content-Type", PKCS10), ("Authorization", basic(p.target.main.user)), *headers])


def _refused_and_closed(p, octets, *statuses, wire=None):
    """The status, or no answer; in both cases the end of the connection, since where the next request begins nobody knows."""
    wire = wire or p.connect()
    try:
        answer = p.raw(octets, wire)
    except Closed:
        return "closed"
    p.refused(answer, *statuses)
    p.need(wire.ended(), "the connection stays open")
    return f"{answer.status}, closed"


@row("6", "Content-Length and Transfer-Encoding in one request", "400 and close")
def two_lengths_by_two_headers(p):
    return _refused_and_closed(p, _post(p, b"0\r\n\r\n", ("Content-Length", "5"), ("Transfer-Encoding", "chunked")), 400)


@row("6", "Content-Length twice, equal and not; negative; hexadecimal; huge", "400 and close")
def content_lengths(p):
    body = lines(p.csr())
    size = str(len(body))
    for headers in ([("Content-Length", size), ("Content-Length", "5")], [("Content-Length", "-1")], [("Content-Length", "0x10")], [("Content-Length", "9" * 40)]):
        seen = _refused_and_closed(p, _post(p, body, *headers), 400, 413)
    return seen


@row("6", "lines that end in LF alone", "400 and close")
def bare_line_feeds(p):
    return _refused_and_closed(p, _post(p, b"x").replace(b"\r\n", b"\n"), 400)


@row("6", "folded headers, a space before the colon, NUL in a header", "400 and close")
def malformed_headers(p):
    for line in ("X-A: b\r\n c: d", "X-A : b", "X-A: b\0c", ": empty"):
        octets = request("GET", p.path("cacerts"), _host(p)).replace(b"\r\n\r\n", b"\r\n" + line.encode() + b"\r\n\r\n")
        seen = _refused_and_closed(p, octets, 400)
    return seen


@row("6", "the preface of HTTP/2", "400 and close")
def http_2_preface(p):
    return _refused_and_closed(p, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), 400, 505)


@row("6", "two POSTs at once", "both are answered in order, or 400 and close")
def pipelined(p):
    wire, keys = p.connect(), [p.key(), p.key()]
    wire.send(b"".join(_post(p, lines(p.csr(key))) for key in keys))
    first = p._keep(wire.read_answer())
    if first.status == 400:
        return shown(first)
    for key, answer in zip(keys, (first, p._keep(wire.read_answer()))):
        p.certificate(answer, key)
    return "both are answered in order"


@row("2", "a body above 64 KB", "413")
def long_body(p):
    try:
        answer = p.raw(_post(p, b"A" * (64 * 1024 + 1)))
    except Closed:
        return "closed"
    p.refused(answer, 413)


@row("6", "Content-Length of 100 MB, and no body", "413, at once")
def announced_body(p):
    p.refused(p.raw(_post(p, b"", ("Content-Length", str(100 * 1024 * 1024)))), 413)


@row("6", "chunks without an end", "413, or the end of the connection, by 1 MB")
def endless_chunks(p):
    wire = p.connect()
    wire.send(_post(p, b"", ("Transfer-Encoding", "chunked")))
    try:
        for _ in range(64):
            wire.send(b"4000\r\n" + b"A" * 0x4000 + b"\r\n")
    except Closed:
        pass
    try:
        answer = wire.read_answer()
    except Closed:
        return "closed"
    p.refused(answer, 413)


@row("2", "a request in chunks, below the limit", "200, or 411")
def chunked_request(p):
    key = p.key()
    body = lines(p.csr(key))
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 50]), body[i:i + 50]) for i in range(0, len(body), 50)) + b"0\r\n\r\n"
    answer = p.raw(_post(p, pieces, ("Transfer-Encoding", "chunked")))
    if answer.status != 411:
        p.certificate(answer, key)


@row("2", "Expect: 100-continue", "100, then 200; or 200 at once")
def expect_continue(p):
    wire, key = p.connect(), p.key()
    body = lines(p.csr(key))
    wire.send(_post(p, b"", ("Expect", "100-continue"), ("Content-Length", str(len(body)))))
    first = wire.read_one()
    p.need(first.status == 100, shown(first))
    wire.send(body)
    p.certificate(p._keep(wire.read_answer()), key)


@row("2", "a header above 16 KB; 1 000 header fields", "400, 413 or 431")
def long_header(p):
    for more in ([("X-Filler", "a" * 20_000)], [(f"X-{number}", "a") for number in range(1000)]):
        try:
            answer = p.raw(request("GET", p.path("cacerts"), _host(p), None, more))
        except Closed:
            continue
        p.refused(answer, 400, 413, 431)


# ---- paths

@row("6", "labels that are paths: %2e%2e, ..%2f, //, %00, overlong UTF-8, a backslash", "404 (400 for what is no path)")
def labels_that_are_paths(p):
    for label in ("..", "%2e%2e", "..%2f", "%2e%2e%2f..", "..%5c", "a%00", "%00", "%c0%ae%c0%ae", "%c0%af", "a%2fb", ".", "", "a/b", "%2fetc%2fpasswd", "..;", "%252e%252e"):
        wire = p.connect()
        answer = p._keep(wire.ask("GET", f"{WELL_KNOWN}/{label}/cacerts"))
        p.refused(answer, 400, 404)


@row("6", "a label that is an operation's name; of 129 characters; that nobody has", "404")
def labels_that_are_none(p):
    for label in ("simpleenroll", "cacerts", "a" * 129, "nobody-has-this-one"):
        for operation in ("cacerts", "simpleenroll"):
            wire = p.connect()
            path = f"{WELL_KNOWN}/{label}/{operation}"
            p.refused(p._keep(wire.ask("GET", path) if operation == "cacerts" else wire.ask("POST", path, b"x", [("Content-Type", PKCS10)])), 404)


@row("6", "a slash behind the operation, another letter case, a dot segment, two slashes", "404, or 405")
def paths_that_are_nearly_right(p):
    base = p.target.main.path
    for path in (f"{base}/cacerts/", f"{base}/CACERTS", f"{base}/./cacerts", f"{base}//cacerts", f"{base}/x/../cacerts", f"{base}/cacerts%20", base, base + "/"):
        p.refused(p._keep(p.connect().ask("GET", path)), 400, 404, 405)


@row("6", "a query behind the operation", "404, or 200 as without it")
def query(p):
    answer = p._keep(p.connect().ask("GET", p.path("cacerts") + "?label=../x&a=b"))
    p.status(answer, 200, 404)


@row("6", "the same request 50 times at once", "one certificate; all who are answered get that one")
def same_request_at_once(p):
    key = p.key()
    csr = p.csr(key)
    host, port = p.target.main.place

    def ask(_):
        with Connection(host, port, p.target.cacert) as wire:
            sent = [("Content-Type", PKCS10), ("Authorization", basic(p.target.main.user))]
            return wire.ask("POST", p.path("simpleenroll"), lines(csr), sent)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    good = [p.certificate(p._keep(answer), key).serial_number for answer in answers if answer.status == 200]
    others = {answer.status for answer in answers} - {200}
    if not good or len(set(good)) != 1 or others - {202, 503}:
        raise Deviation(f"{len(set(good))} certificates, other answers {sorted(others)}")
    return f"{len(good)} times the same" + (f", {50 - len(good)} asked to come again" if others else "")
