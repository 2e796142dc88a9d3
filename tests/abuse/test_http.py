"""HTTP as two readers could take it in two ways, or as nobody should serve it (RFC 9112; rows H02, H04 to
H07, H14)."""
import select
import threading

import pytest

from octets import Ended, refused, request
from oracle import Oracle, check_problem
from rows import row

DIRECTORY = "/acme/default/directory"
ACCOUNT = "/acme/default/new-account"
JOSE = "Content-Type: application/jose+json"
ACME_BODY = 64 * 1024
API_BODY = 1024 * 1024


def chunked(*chunks, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


# ---- H02: slow ones --------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """Deadlines of 0.4 s; the ones by default are asserted by a unit test."""
    from laboratory import Laboratory
    made = Laboratory(tmp_path_factory.mktemp("s"), '[limits]\nhead = "400ms"\nbody = "400ms"\nwrite = "1s"\n')
    try:
        yield made.start()
    finally:
        made.stop()


def drip(connection, octet, pause=0.02):
    """An octet at a time until an answer is there; how many went out."""
    sent = 0
    while not select.select([connection.socket], [], [], pause)[0]:
        connection.send(octet)
        sent += 1
        assert sent < 1500, "the deadline must not move with every octet"
    return sent


@row("H02")
@pytest.mark.parametrize("listener", ["https", "http", "management"])
def test_a_head_that_drips_is_408(impatient, listener):
    with Oracle(impatient).refuses(), impatient.connect(listener) as connection:
        connection.send(f"GET {DIRECTORY} HTTP/1.1\r\nHost: {impatient.host}\r\nX-A: ".encode())
        drip(connection, b"a")
        answer = connection.read()
        assert (answer.status, answer.header("Connection")) == (408, "close")
        assert connection.at_end()


@row("H02")
@pytest.mark.parametrize("framing", ["Content-Length: 60000", "Transfer-Encoding: chunked"])
def test_a_body_that_drips_is_408_with_a_nonce(impatient, framing):
    with Oracle(impatient).refuses(), impatient.connect() as connection:
        connection.send(request("POST", ACCOUNT, JOSE, framing, host=impatient.host))
        drip(connection, b"1\r\nx\r\n" if "chunked" in framing else b"x")
        answer = check_problem(connection.read(), 408, "malformed", "took too long")
        assert answer.header("Connection") == "close"
        assert connection.at_end()


# ---- H04: sizes ------------------------------------------------------------------------------------

def with_fields(laboratory, size):
    """A GET whose header lines are so many octets."""
    line = "X-Filler: "
    rest = size - len(f"Host: {laboratory.host}\r\n") - len(line) - 2
    return request("GET", DIRECTORY, line + "a" * rest, host=laboratory.host)


@row("H04")
def test_headers_of_16_kib_are_read_and_one_octet_more_is_431(laboratory, oracle):
    with laboratory.connect() as connection:
        assert connection.ask(with_fields(laboratory, 16 * 1024)).status == 200
    with oracle.refuses():
        refused(laboratory, with_fields(laboratory, 16 * 1024 + 1), 431)


@row("H04")
def test_100_headers_are_read_and_101_are_431(laboratory, oracle):
    def with_lines(count):
        return request("GET", DIRECTORY, *(f"X-{i}: y" for i in range(count - 1)), host=laboratory.host)
    with laboratory.connect() as connection:
        assert connection.ask(with_lines(100)).status == 200
    with oracle.refuses():
        refused(laboratory, with_lines(101), 431)


@row("H04")
def test_a_uri_of_8_kib_is_read_and_one_octet_more_is_414(laboratory, oracle):
    def with_uri(size):
        return request("GET", DIRECTORY + "?" + "a" * (size - len(DIRECTORY) - 1), host=laboratory.host)
    with laboratory.connect() as connection:
        assert connection.ask(with_uri(8192)).status == 200
    with oracle.refuses():
        refused(laboratory, with_uri(8193), 414)


@row("H04")
@pytest.mark.parametrize("listener", ["https", "http", "management", "est"])
def test_a_head_without_end_is_refused_early(laboratory, oracle, listener):
    with oracle.refuses(), laboratory.connect(listener) as connection:
        connection.send_until_refused(b"GET /" + b"a" * 4_000_000)
        assert connection.read().status == 414
    with oracle.refuses(), laboratory.connect(listener) as connection:
        connection.send_until_refused(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 4_000_000)
        assert connection.read().status == 431


# ---- H05: framing that two readers take in two ways ------------------------------------------------

SMUGGLED = f"GET {DIRECTORY} HTTP/1.1\r\nHost: HOST\r\n\r\n"


def ambiguous():
    """{name: a POST's header lines and what follows them}; HOST stands for the host."""
    body = "0\r\n\r\n"
    yield "CL and TE", f"Content-Length: {len(body)}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
    yield "TE and CL", f"Transfer-Encoding: chunked\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    yield "two lengths that differ", "Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}"
    yield "two equal lengths", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"
    for length in ("+2", "-2", "2,2", "2, 2", "0x2", "2.0", "2e0", "", "\u00b2", "2 2", "99999999999999999999"):
        yield f"length {length!r}", f"Content-Length: {length}\r\n\r\n{{}}"
    yield "a length with a space before its colon", "Content-Length : 2\r\n\r\n{}"
    yield "a folded length", "Content-Length:\r\n 2\r\n\r\n{}"
    yield "obs-fold", "X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}"
    yield "obs-fold with a tab", "X-A: b\r\n\tc\r\nContent-Length: 2\r\n\r\n{}"
    yield "obs-fold at the start", " X-A: b\r\nContent-Length: 2\r\n\r\n{}"
    yield "bare LF after a header", "X-A: b\nContent-Length: 2\r\n\r\n{}"
    yield "bare LF at the end", "Content-Length: 2\r\n\n{}"
    yield "bare CR in a header", "X-A: b\rContent-Length: 0\r\nContent-Length: 2\r\n\r\n{}"
    yield "NUL in a header", "X-A: b\0\r\nContent-Length: 2\r\n\r\n{}"
    for coding in ("gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "xchunked", "identity", "chunked;q=1", "\"chunked\"", ""):
        yield f"coding {coding!r}", f"Transfer-Encoding: {coding}\r\n\r\n{body}"
    yield "coding twice", f"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
    yield "coding with a vertical tab", f"Transfer-Encoding: \x0bchunked\r\n\r\n{body}"
    for size in ("+2", "-2", "0x2", " 2", "", "2 2", "fffffffffffffffff", "g"):
        yield f"chunk of {size!r}", f"Transfer-Encoding: chunked\r\n\r\n{size}\r\n{{}}\r\n0\r\n\r\n"
    yield "bare LF after a chunk's size", "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n"
    yield "bare LF after a chunk", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n"
    yield "a chunk longer than its size", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n"
    yield "bare LF in an extension", "Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n"


AMBIGUOUS = dict(ambiguous())


@row("H05")
@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous_framing_is_400_and_ends_the_connection(laboratory, oracle, name):
    text = f"POST {ACCOUNT} HTTP/1.1\r\nHost: HOST\r\n{JOSE}\r\n{AMBIGUOUS[name]}{SMUGGLED}"
    octets = text.replace("HOST", laboratory.host).encode("latin-1")
    with oracle.refuses() as refusal:
        # Nothing of what follows is answered.
        refused(laboratory, octets, 400)
    assert len(refusal.answers) == 1


@row("H05")
@pytest.mark.parametrize("line", ["GET  /x HTTP/1.1", "GET /x  HTTP/1.1", "GET\t/x\tHTTP/1.1", "GET /x", "GET /x HTTP/1.1 ",
                                  " GET /x HTTP/1.1", "GET /x http/1.1", "GET /x HTTP/1.1\0", "G\0T /x HTTP/1.1",
                                  "GET /x HTTP/11", "GET /x HTTP/1.", "GET x HTTP/1.1", "GET http:/x HTTP/1.1"])
def test_a_request_line_of_another_form_is_refused(laboratory, oracle, line):
    octets = f"{line}\r\nHost: {laboratory.host}\r\n\r\n".encode("latin-1")
    version = line.rsplit(" ", 1)[-1]
    with oracle.refuses():
        refused(laboratory, octets, 505 if version.startswith("HTTP/") and version != "HTTP/1.1" else 400)


# ---- H06, H07: bodies ------------------------------------------------------------------------------

@row("H06")
def test_single_octet_chunks_are_served_to_the_limit_and_413_beyond(laboratory, oracle):
    head = request("POST", ACCOUNT, JOSE, "Transfer-Encoding: chunked", host=laboratory.host)
    with oracle.refuses():
        for size, status in ((ACME_BODY, 400), (ACME_BODY + 1, 413)):
            with laboratory.connect() as connection:
                connection.send_until_refused(head + chunked(*[b"x"] * size))
                check_problem(connection.read(), status, "malformed")


@row("H06")
@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "gzip, identity", "nonsense"])
def test_an_encoded_body_is_415(laboratory, oracle, coding):
    with oracle.refuses():
        answer = refused(laboratory, request("POST", ACCOUNT, JOSE, f"Content-Encoding: {coding}", body=b"\x1f\x8b" + b"0" * 98,
                                             host=laboratory.host), 415)
        check_problem(answer, 415, "malformed", "Content-Encoding")


def padded_post(client, size):
    """A good newAccount of exactly so many octets."""
    body = client.message("new-account", {"onlyReturnExisting": True})
    return body[:-1] + b" " * (size - len(body)) + b"}"


@row("H07")
def test_an_acme_body_of_64_kib_is_read_and_one_octet_more_is_413(oracle, stranger):
    with oracle.refuses():
        check_problem(stranger.send("new-account", padded_post(stranger, ACME_BODY)), 400, "accountDoesNotExist")
    with oracle.refuses():
        answer = check_problem(stranger.send("new-account", padded_post(stranger, ACME_BODY + 1)), 413, "malformed", "longer")
    assert answer.header("Connection") == "close"
    check_problem(stranger.post("new-account", {"onlyReturnExisting": True}, nonce=answer.nonce), 400, "accountDoesNotExist")


@row("H07")
@pytest.mark.parametrize("size", [ACME_BODY + 1, 2**31, 2**53, 10**17])
def test_a_claimed_length_is_refused_before_the_body(laboratory, oracle, size):
    for expect in ((), ("Expect: 100-continue",)):
        with oracle.refuses(), laboratory.connect() as connection:
            answer = connection.ask(request("POST", ACCOUNT, JOSE, f"Content-Length: {size}", *expect, host=laboratory.host))
            check_problem(answer, 413, "malformed")


@row("H07")
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_client_that_sends_a_long_body_to_its_end_reads_the_413(laboratory, oracle, framing):
    body = b"x" * 8_000_000
    with oracle.refuses(), laboratory.connect() as connection:
        if framing == "length":
            octets = request("POST", ACCOUNT, JOSE, body=body, host=laboratory.host)
        else:
            octets = request("POST", ACCOUNT, JOSE, "Transfer-Encoding: chunked", host=laboratory.host) + chunked(body)
        # All of it goes out before the answer is looked at: a reset on the way would destroy it.
        connection.send(octets)
        check_problem(connection.read(), 413, "malformed")
        assert connection.at_end()


@row("H07")
@pytest.mark.parametrize("listener", ["https", "est"])
def test_an_administrators_body_of_1_mib_is_read_and_one_octet_more_is_413(laboratory, oracle, listener):
    for size, status in ((API_BODY, 401), (API_BODY + 1, 413)):
        with oracle.refuses(), laboratory.connect(listener) as connection:
            connection.send(request("POST", "/api/postern/v1/apply", body=b"x" * size, host=laboratory.host))
            assert connection.read().status == status


@row("H07")
def test_a_path_that_does_not_exist_takes_no_more(laboratory, oracle):
    for listener in ("https", "http", "management"):
        with oracle.refuses(), laboratory.connect(listener) as connection:
            connection.send(request("POST", "/nothing", body=b"x" * (ACME_BODY + 1), host=laboratory.host))
            assert connection.read().status == 413


# ---- H14: many at once, and the wrong ones ---------------------------------------------------------

@row("H14")
@pytest.mark.parametrize("listener", ["https", "management"])
def test_10000_pipelined_requests_are_answered_in_order(laboratory, oracle, listener):
    kinds = [("GET", DIRECTORY if listener == "https" else "/healthz", 200), ("GET", "/nothing", 404),
             ("DELETE", DIRECTORY if listener == "https" else "/healthz", 405)]
    octets = b"".join(request(*kinds[i * i % 3][:2], host=laboratory.host) for i in range(10_000))
    with oracle.refuses(), laboratory.connect(listener) as connection:
        if listener == "https":
            # One TLS object is not for two threads: a part at a time.
            for start in range(0, 10_000, 500):
                part = b"".join(request(*kinds[i * i % 3][:2], host=laboratory.host) for i in range(start, start + 500))
                connection.send(part)
                for i in range(start, start + 500):
                    assert connection.read().status == kinds[i * i % 3][2], i
        else:
            sender = threading.Thread(target=connection.send, args=(octets,))
            sender.start()
            for i in range(10_000):
                assert connection.read().status == kinds[i * i % 3][2], i
            sender.join()


@row("H14")
def test_a_client_that_only_asks_and_never_reads_is_put_off_and_ended(impatient):
    one = request("GET", DIRECTORY, host=impatient.host)
    with Oracle(impatient).refuses(counter=""), impatient.connect("management") as connection:
        # What the kernel holds for both sides, and no more: 64 MiB would be the server's own memory.
        sent = connection.send_until_refused(one * (64 * 1024 * 1024 // len(one)))
        assert sent < 48 * 1024 * 1024
    Oracle(impatient).alive()


@row("H14")
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "post", "PROPFIND", "X"])
def test_another_method_is_405_with_what_would_do(laboratory, oracle, method):
    with oracle.refuses(), laboratory.connect() as connection:
        answer = connection.ask(request(method, ACCOUNT, host=laboratory.host), head_only=method == "HEAD")
        assert (answer.status, answer.header("Allow")) == (405, "POST, OPTIONS")
        assert method == "HEAD" or check_problem(answer, 405, "malformed", "POST, OPTIONS only")


@row("H14")
@pytest.mark.parametrize("media", ["application/json", "application/jose", "application/jose+jsonx", "text/plain", "", "application/jose+json, x",
                                   "multipart/form-data; boundary=application/jose+json"])
def test_another_media_type_is_415(oracle, stranger, client, media):
    for who, path in ((stranger, "new-account"), (client, client.kid)):
        with oracle.refuses():
            check_problem(who.send(path, who.message(path, {}), content_type=media), 415, "malformed", "application/jose+json")


@row("H14")
def test_no_media_type_is_415(laboratory, oracle, stranger):
    with oracle.refuses(), laboratory.connect() as connection:
        check_problem(connection.ask(request("POST", ACCOUNT, host=laboratory.host, body=stranger.message("new-account", {}))), 415, "malformed")


# ---- the connection after all that -----------------------------------------------------------------

def test_a_refusal_that_left_nothing_unread_keeps_the_connection(laboratory):
    with laboratory.connect() as connection:
        for method, path, status in (("GET", "/nothing", 404), ("PUT", DIRECTORY, 405), ("POST", "/nothing", 404), ("GET", DIRECTORY, 200)):
            body = b"x" * 10 if method in ("PUT", "POST") else b""
            answer = connection.ask(request(method, path, host=laboratory.host, body=body))
            assert (answer.status, answer.header("Connection")) == (status, None)
        with pytest.raises(Ended):
            connection.ask(request("GET", "/nothing", "Connection: close", host=laboratory.host))
            connection.read()
