"""Validation by http-01 (RFC 8555 §8.3), and what a stranger's name can make the server do (§10.4, §11)."""
import gzip
import json
import re
import socket
import threading

from harness.jose import Key
from harness.web import says

from .names import AAAA, SERVFAIL, A
from .probe import NotOffered, row
from .requests import csr_for
from .world import PREFIX

# Every row of IANA's registries for special purposes, and the forms that carry an IPv4 address.
SPECIAL = ("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.255.254", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
           "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1",
           "100::1", "2001::7f00:1", "2002:7f00:1::1", "2001:db8::1", "5f00::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1")

ENOUGH = 2 ** 26  # more than the buffers on the way hold


def named(p):
    if p.world.dns is None:
        raise NotOffered("nobody here is the server's name server: --dns-port")
    return p.world.dns


def started(p, answer, client=None, name=None):
    """(client, order URL, order, challenge) with the web server's answer in place: text, or a function of (client, challenge)."""
    client = client or p.account()
    url, order = client.order(name or p.name())
    _, challenge = client.challenge(order)
    p.world.serve(challenge["token"], answer(client, challenge) if callable(answer) else answer)
    return client, url, order, challenge


def fails(p, answer, *types, client=None, name=None):
    """The challenge, invalid, with an error of these types."""
    client, _, order, challenge = started(p, answer, client, name)
    said = client.attempt(order)
    p.need(said["status"] == "invalid", f"the challenge is {said['status']}")
    p.error_of(said, *types)
    return said, p.world.requests_for(challenge["token"])


def holds(p, answer, client=None, name=None):
    client, _, order, challenge = started(p, answer, client, name)
    said = client.attempt(order)
    p.need(said["status"] == "valid", f"{said['status']}: {json.dumps(said.get('error'))[:120]}")
    return p.world.requests_for(challenge["token"])


def right(client, challenge):
    return client.authorize(challenge)


@row("2.1", "RFC 8555 §8.3", "the request of http-01", "GET of /.well-known/acme-challenge/TOKEN, Host the name, nothing that forbids an answer of any type")
def http_01_request(p):
    name = p.name()
    asked = holds(p, right, name=name)
    _, path, host, headers = asked[0]
    p.need(re.fullmatch(re.escape(name) + r"(:\d+)?", host or ""), f"Host {host!r}")
    p.need(path.startswith(PREFIX), path)
    p.need("*/*" in headers.get("Accept", "*/*") and headers.get("User-Agent"), f"Accept {headers.get('Accept')!r}, User-Agent {headers.get('User-Agent')!r}")


@row("2.1", "RFC 8555 §8.3", "the key authorization with a line feed, CR LF, a space behind it", "valid: trailing whitespace is ignored")
def http_01_trailing_whitespace(p):
    for more in ("\n", "\r\n", " ", "\n\n"):
        holds(p, lambda client, challenge, more=more: client.authorize(challenge) + more)


@row("2.1", "RFC 8555 §8.3", "the key authorization as application/octet-stream, text/html, without a type", "valid")
def http_01_of_any_type(p):
    for kind in ("application/octet-stream", "text/html", None):
        headers = [("Content-Type", kind)] if kind else []
        holds(p, lambda client, challenge, headers=headers: says(client.authorize(challenge).encode(), 200, *headers))


@row("2.1", "RFC 8555 §8.3", "another's thumbprint, shortened, lengthened, with NUL before or behind, a space before, the token alone, nothing",
     "invalid: incorrectResponse or unauthorized; the order is invalid", "V06")
def http_01_other_content(p):
    answers = {"other": lambda t, k: f"{t}.{'A' * 43}", "NUL behind": lambda t, k: f"{t}.{k}\0", "NUL before": lambda t, k: f"\0{t}.{k}", "short": lambda t, k: f"{t}.{k[:-1]}",
               "long": lambda t, k: f"{t}.{k}x", "space before": lambda t, k: f" {t}.{k}", "token": lambda t, k: t, "nothing": lambda t, k: "", "case": lambda t, k: f"{t}.{k}".upper()}
    for make in answers.values():
        fails(p, lambda client, challenge, make=make: make(challenge["token"], client.key.thumbprint), "incorrectResponse", "unauthorized")


@row("2.1", "RFC 8555 §8.3", "the right text with status 201, 404, 401, 500", "invalid: incorrectResponse or unauthorized", "V06")
def http_01_other_status(p):
    for status in (404, 401, 500):
        fails(p, lambda client, challenge, status=status: says(client.authorize(challenge).encode(), status), "incorrectResponse", "unauthorized")


@row("2.1", "RFC 8555 §8.1", "the answer of another order of the same account", "invalid: the token is bound to its challenge", "V17")
def http_01_answer_of_another_order(p):
    client = p.account()
    _, other = client.order()
    _, foreign = client.challenge(other)
    fails(p, lambda owner, challenge: owner.authorize(foreign), "incorrectResponse", "unauthorized", client=client)


@row("2.1", "RFC 8555 §8.3", "nobody listens at the name's address", "invalid: connection, with the host in the detail")
def http_01_nobody_listens(p):
    dns, name = named(p), p.name()
    dns.addresses(name, "127.0.0.9")
    said, _ = fails(p, right, "connection", name=name)
    p.need(name in said["error"]["detail"] or "127.0.0.9" in said["error"]["detail"], f"detail {said['error']['detail']!r}")


@row("2.1", "RFC 8555 §8.3", "a name that does not exist, without an address, SERVFAIL", "invalid: dns", "V08")
def http_01_without_an_address(p):
    dns = named(p)
    for code in (3, SERVFAIL, None):
        name = p.name()
        for kind in (A, AAAA):
            dns.does(name, kind, [] if code is None else code)
        fails(p, right, "dns", name=name)


@row("5", "RFC 8555 §8.3, boulder va/http.go", "a name with an IPv6 address where nobody listens and an IPv4 address", "valid: the other one is tried")
def http_01_falls_back_to_ipv4(p):
    dns, name = named(p), p.name()
    dns.addresses(name, "127.0.0.1", "::1")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        raise NotOffered("this machine has no ::1") from None
    holds(p, right, name=name)


@row("2.1", "threats.md V03", "a name whose second address (TTL 0) is another", "the address that was looked up first is the one that is dialled", "V03")
def http_01_rebinding(p):
    dns, name = named(p), p.name()
    for address in ("127.0.0.2", "127.0.0.3"):
        p.world.also_at(address)
    turns = iter([bytes([127, 0, 0, 2])])

    def answer(question):
        return question.answer([(A, next(turns, bytes([127, 0, 0, 3])))])
    dns.does(name, A, answer)
    asked = holds(p, right, name=name)
    questions = [kind for who, kind in dns.asked if who == name and kind == A]
    p.need("127.0.0.2" in [address for address, *_ in asked], f"asked at {[address for address, *_ in asked]}")
    p.need(len(questions) <= len(asked), f"looked up {len(questions)} times for {len(asked)} requests")


def redirect(to, status=302):
    return says(b"internal secret", status, ("Location", to))


def redirected(p, to, *types, client=None):
    """A redirect that must not be followed: the challenge, invalid."""
    before = len(p.world.asked)
    said, _ = fails(p, lambda owner, challenge: redirect(to), *(types or ("connection", "unauthorized", "incorrectResponse", "malformed", "dns", "tls")), client=client)
    elsewhere = [path for _, path, _, _ in p.world.asked[before:] if not path.startswith(PREFIX)]
    p.need(not elsewhere, f"asked for {elsewhere[0] if elsewhere else ''}")
    return said


@row("2.1", "RFC 8555 §8.3, §10.4", "redirects to file:, gopher:, user@host, port 22, no Location, https with a port", "invalid; not followed", "V02")
def http_01_redirects_elsewhere(p):
    suffix = p.target.suffix
    for to in ("file:///etc/passwd", "gopher://a.example/", f"http://me:x@a.{suffix}/secret", f"http://a.{suffix}:22/secret", f"https://a.{suffix}:8443/secret", "", "//"):
        redirected(p, to)


@row("2.1", "RFC 8555 §10.4", "redirects to addresses: 127.0.0.1, [::1], 169.254.169.254, 0x7f000001", "invalid; not followed", "V02")
def http_01_redirects_to_addresses(p):
    for to in (f"http://127.0.0.1:{p.world.http_port}/secret", "http://[::1]/secret", "http://169.254.169.254/latest/meta-data", "http://0x7f000001/secret"):
        redirected(p, to)


@row("2.1", "threats.md V02", "where private targets are permitted: redirects to another name, to another path", "invalid; not followed; nothing of the answer in the detail", "V02")
def http_01_redirects_inside(p):
    if "guarded" not in p.target.others:
        raise NotOffered("whether private targets are permitted only here is not known: no endpoint was named for guarded")
    for to in ("/admin/secrets", f"http://other.{p.target.suffix}:{p.world.http_port}/admin/secrets", f"http://other.{p.target.suffix}/admin/secrets"):
        detail = redirected(p, to)["error"]["detail"]
        p.need(not re.search(r"\b(internal|secrets?|admin|302)\b", detail), f"detail {detail!r}")


@row("2.1", "threats.md V02", "private targets that answer 200, 401, 403 and 500 with text", "invalid; neither text, header nor status is in the detail", "V02")
def http_01_tells_nothing(p):
    if "guarded" not in p.target.others:
        raise NotOffered("whether private targets are permitted only here is not known: no endpoint was named for guarded")
    for status in (200, 401, 403, 500):
        said, _ = fails(p, lambda client, challenge, status=status: says(b"internal secret", status, ("Server", "intranet")), "incorrectResponse", "unauthorized")
        detail = said["error"]["detail"]
        p.need("secret" not in detail and "intranet" not in detail and not re.search(rf"\b{status}\b", detail.replace("not status 200", "")), f"detail {detail!r}")


@row("5", "RFC 8555 §8.3", "redirects in a circle, and eleven in a row", "invalid: connection (or unauthorized); at most ten are followed", "V05")
def http_01_redirects_without_end(p):
    count = []

    def chain(request):
        count.append(request.path)
        says(b"", 302, ("Location", f"http://{request.headers['Host']}{request.path.split('?')[0]}?{len(count)}"))(request)

    fails(p, lambda client, challenge: lambda request: says(b"", 302, ("Location", f"http://{request.headers['Host']}{request.path}"))(request), "connection", "unauthorized")
    p.world.serve("*", chain)
    before = len(p.world.asked)
    _, _ = fails(p, lambda client, challenge: chain, "connection", "unauthorized")
    p.need(len(p.world.asked) - before <= 33, f"{len(p.world.asked) - before} requests")


@row("5", "threats.md V05", "a body of which a GiB is announced and sent", "invalid; left after a small part of it", "V05")
def http_01_endless_body(p):
    sent = []

    def flood(request):
        request.send_response(200)
        request.send_header("Content-Length", str(2 ** 30))
        request.end_headers()
        part = b"x" * 65536
        while sum(sent) < ENOUGH:
            request.wfile.write(part)
            sent.append(len(part))

    fails(p, lambda client, challenge: flood, "incorrectResponse", "unauthorized", "connection", "malformed")
    p.need(sum(sent) < ENOUGH, f"{sum(sent)} octets were taken")


@row("5", "threats.md V05", "a MiB packed by gzip as Content-Encoding; the right text, packed though the request did not ask for it", "invalid, and nothing of it in the detail", "V05")
def http_01_packed_body(p):
    packed = ("Content-Encoding", "gzip")
    said, asked = fails(p, lambda client, challenge: says(gzip.compress(bytes(2 ** 20)), 200, packed), "incorrectResponse", "unauthorized", "connection", "malformed")
    p.need(len(said["error"]["detail"]) < 4096, f"a detail of {len(said['error']['detail'])} characters")
    if "gzip" not in asked[0][3].get("Accept-Encoding", ""):
        fails(p, lambda client, challenge: says(gzip.compress(client.authorize(challenge).encode()), 200, packed), "incorrectResponse", "unauthorized", "malformed")


@row("5", "threats.md V05", "an answer of an octet now and then, and one that never begins", "invalid: connection, at a deadline", "V05")
def http_01_slow_answer(p):
    endpoint, left = p.target.others.get("hasty"), threading.Event()

    def drip(request):
        request.send_response(200)
        request.send_header("Content-Length", "100000")
        request.end_headers()
        while not left.wait(0.05):
            request.wfile.write(b"x")

    try:
        for answer in (drip, lambda request: left.wait(120)):
            fails(p, lambda client, challenge, answer=answer: answer, "connection", "incorrectResponse", "unauthorized", client=p.account(endpoint))
    finally:
        left.set()


@row("5", "RFC 9112", "answers that are no HTTP, that end in the header, with two lengths, of 64 KiB of header", "invalid: connection, malformed or incorrectResponse", "V05")
def http_01_broken_http(p):
    for octets in (b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
                   b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 65536 + b"\r\n\r\n", b""):
        fails(p, lambda client, challenge, octets=octets: lambda request: request.wfile.write(octets), "connection", "malformed", "incorrectResponse", "unauthorized")


@row("2.1", "threats.md V01", "names with each special-purpose address: private, loopback, link-local, shared, mapped, NAT64 and so on", "invalid: connection, and nobody is contacted", "V01")
def http_01_special_addresses(p):
    dns, guarded = named(p), p.other("guarded")
    client = p.account(guarded)
    before = len(p.world.asked)
    for address in SPECIAL:
        name = p.name()
        dns.addresses(name, address)
        said, _ = fails(p, right, "connection", "rejectedIdentifier", client=client, name=name)
    p.need(len(p.world.asked) == before, "somebody was asked")


@row("2.1", "RFC 8555 §8", "the whole way: order, http-01, finalize, download", "a certificate for the names")
def http_01_whole_way(p):
    client = p.account()
    names = [p.name(), p.name("www.")]
    url, order = client.ready(*names)
    p.ok(client.finalize(order, csr_for(Key(), *names)))
    client.fetched(url)
