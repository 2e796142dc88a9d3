"""What a stranger's name can make the server do (RFC 8555 §10.2, §11; rows V01 to V03, V05, V06). The rules for targets
that are all public need an address that is not this machine's; they are held by the unit cases of rows.py."""
import gzip
import http.server
import json
import re
import socket
import threading

import pytest

from harness.web import says
from laboratory import PREFIX, Laboratory
from nameserver import AAAA, A, NameServer
from octets import until
from oracle import Oracle
from rows import row

# What a validation that failed may change (besides its audit record).
CHANGES = ("acme_order", "acme_authorization", "acme_challenge")

OPEN_ENDPOINT = '''
[[profile]]
name = "guarded"

[[endpoint]]
name = "open"
protocol = "acme"
profiles = ["guarded"]
external_account_required = false

[[account]]
name = "open"
endpoint = "open"
method = "open"
names = ["*"]
'''

# Every row of IANA's registries for special purposes, and the forms that carry an IPv4 address.
FORBIDDEN = {
    "this": "0.0.0.0", "private10": "10.1.2.3", "carrier": "100.64.0.1", "loopback": "127.0.0.1", "link": "169.254.169.254",
    "private172": "172.31.255.254", "protocol": "192.0.0.8", "documentation": "192.0.2.1", "relay": "192.88.99.1",
    "private192": "192.168.1.1", "benchmark": "198.18.0.1", "multicast": "224.0.0.1", "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255", "unspecified6": "::", "loopback6": "::1", "mapped": "::ffff:127.0.0.1",
    "compatible": "::127.0.0.1", "nat64": "64:ff9b::7f00:1", "localnat64": "64:ff9b:1::7f00:1", "discard": "100::1",
    "teredo": "2001::7f00:1", "sixtofour": "2002:7f00:1::1", "documentation6": "2001:db8::1", "segments": "5f00::1",
    "local": "fd00::1", "link6": "fe80::1", "site": "fec0::1", "multicast6": "ff02::1",
}


class Doorbells:
    """Port 80 of this machine, on both loopback addresses, as far as this user and this machine allow."""

    def __init__(self):
        self._sockets = []
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104  (to see everything)
            one = socket.socket(family)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind((address, 80))
            except OSError:
                one.close()
                continue
            one.listen()
            one.setblocking(False)
            self._sockets.append(one)

    def rings(self):
        count = 0
        for one in self._sockets:
            try:
                while True:
                    one.accept()[0].close()
                    count += 1
            except BlockingIOError:
                pass
        return count

    def close(self):
        for one in self._sockets:
            one.close()


def attempt(client, order, status="invalid"):
    """Posts the challenge of an order's first name, and gives its object when it is decided."""
    url = client.read(order["authorizations"][0])["challenges"][0]["url"]
    assert client.post(url, {}).status == 200
    until(lambda: client.read(url)["status"] not in ("pending", "processing"), "the challenge is not decided")
    challenge = client.read(url)
    assert challenge["status"] == status, challenge
    return challenge


def kind_of(challenge):
    return challenge["error"]["type"].removeprefix("urn:ietf:params:acme:error:")


def token_of(client, order):
    return client.read(order["authorizations"][0])["challenges"][0]["token"]


# ---- a server that is no laboratory -----------------------------------------------------------------

@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Names of guarded.test have the addresses of FORBIDDEN; those of rebound.test come from a name server."""
    names = NameServer({"rebound.test": [["127.0.0.1"], ["127.0.0.2"]], "both.test": [["10.0.0.1", "fd00::1"]],
                        "warm.test": [["10.0.0.2"]]})
    hosts = "".join(f'"{label}.guarded.test" = "{address}"\n' for label, address in FORBIDDEN.items())
    folder = tmp_path_factory.mktemp("s")
    made = Laboratory(folder, f'[dns]\nservers = ["127.0.0.1@{names.port}"]\nallow_loopback_servers = true\ndnssec = false\n'
                              f"[dns.hosts]\n{hosts}")
    made.server.lab = False
    made.names = names
    try:
        made.start()
        document = folder / "open.toml"
        document.write_text(OPEN_ENDPOINT)
        made.server.apply(document)
        yield made
    finally:
        made.stop()
        names.stop()


@pytest.fixture(scope="module")
def visitor(guarded):
    client = guarded.acme("open").register()
    attempt(client, client.order("warm.test")[1])  # the resolver makes its caches at the first question
    yield client
    client.close()


@pytest.fixture
def doorbells():
    made = Doorbells()
    yield made
    made.close()


@row("V01")
def test_no_special_address_is_ever_dialled(guarded, visitor, doorbells):
    orders = {label: visitor.order(f"{label}.guarded.test")[1] for label in FORBIDDEN}
    with Oracle(guarded).refuses(audited=len(orders), changes=CHANGES) as refusal:
        for label, order in orders.items():
            challenge = attempt(visitor, order)
            assert kind_of(challenge) == "connection", challenge
            assert "only public addresses are contacted" in challenge["error"]["detail"]
    assert doorbells.rings() == 0
    for label, record in zip(orders, refusal.records):
        assert record["check_name"] == "validation.http-01"
        steps = json.loads(record["detail"])["steps"]
        # Looked up, seen, and left: no step of a connection.
        assert len(steps) == 2 and steps[0].startswith(f"look-up of {label}.guarded.test: ") and steps[1].startswith("not dialled: "), steps


@row("V01")
def test_both_kinds_of_address_are_judged(guarded, visitor, doorbells):
    order = visitor.order("both.test")[1]
    with Oracle(guarded).refuses(audited=1, changes=CHANGES) as refusal:
        detail = attempt(visitor, order)["error"]["detail"]
    assert "10.0.0.1 is private" in detail and "fd00::1 is unique local" in detail
    assert doorbells.rings() == 0
    assert len(json.loads(refusal.records[0]["detail"])["steps"]) == 3


@row("V03")
def test_a_name_is_looked_up_once_for_a_hop(guarded, visitor, doorbells):
    """The second answer would be another address; nobody asks for it."""
    order = visitor.order("rebound.test")[1]
    with Oracle(guarded).refuses(audited=1, changes=CHANGES):
        detail = attempt(visitor, order)["error"]["detail"]
    assert "127.0.0.1 is loopback" in detail and "127.0.0.2" not in detail
    assert sorted(kind for name, kind in guarded.names.asked if name == "rebound.test") == [A, AAAA]
    assert doorbells.rings() == 0


# ---- a laboratory, where private targets are permitted ------------------------------------------------

class Hostile:
    """A web server on one address whose owner answers as the test says: `answer` gets the request handler."""

    def __init__(self, address, port, answer):
        self.asked = []
        hostile = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802  (the name is http.server's)
                hostile.asked.append(self.path)
                self.close_connection = True
                answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # the server under test may end a connection whenever it likes

        self._server = Server((address, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Validation takes a second at most; names of this zone come from a name server."""
    names = NameServer({"rebinding.test": [["127.0.0.2"], ["127.0.0.3"]]})
    made = Laboratory(tmp_path_factory.mktemp("s"),
                      f'[dns]\nservers = ["127.0.0.1@{names.port}"]\nallow_loopback_servers = true\ndnssec = false\n',
                      validation='http_01_timeout = "1s"\n')
    made.names = names
    try:
        yield made.start()
    finally:
        made.stop()
        names.stop()


@pytest.fixture
def owner(house):
    """An account, and web servers of the name's owner: owner.web(answer, address)."""
    client = house.acme().register()
    made = []

    def web(answer, address="127.0.0.1"):
        made.append(Hostile(address, house.server.http01_port, answer))
        return made[-1]

    client.web = web
    yield client
    for one in made:
        one.stop()
    client.close()


@pytest.fixture
def fails(house, owner):
    """Validates a new name against a web server that answers so; gives (challenge, web server)."""

    def run(answer, kind, *words):
        order = owner.order(house.fresh_name())[1]
        web = owner.web(answer)
        with Oracle(house).refuses(audited=1, changes=CHANGES):
            challenge = attempt(owner, order)
        assert kind_of(challenge) == kind, challenge
        for word in words:
            assert word in challenge["error"]["detail"], challenge
        return challenge, web

    return run


@row("V03")
def test_the_address_that_was_looked_up_is_the_one_that_is_dialled(house, owner):
    order = owner.order("rebinding.test")[1]
    token = token_of(owner, order)
    right = f"{token}.{owner.key.thumbprint}".encode()
    first, second = owner.web(says(right), "127.0.0.2"), owner.web(says(right), "127.0.0.3")
    attempt(owner, order, "valid")
    assert (first.asked, second.asked) == ([PREFIX + token], [])
    assert sorted(kind for name, kind in house.names.asked if name == "rebinding.test") == [A, AAAA]


@row("V02")
@pytest.mark.parametrize("target", ["/admin/secrets", "http://127.0.0.1/admin/secrets", "http://other.abuse.test/admin/secrets",
                                    "https://other.abuse.test/", "file:///etc/passwd", "http://me@other.abuse.test/",
                                    "http://other.abuse.test:22/", "//other.abuse.test/", "http://[::1]/", "gopher://other.abuse.test/", ""],
                         ids=["path", "address", "name", "https", "file", "user", "port 22", "scheme left out", "IPv6", "gopher", "nowhere"])
def test_redirects_within_a_private_network_are_not_followed_nor_told(fails, target):
    challenge, web = fails(says(b"internal secret", 302, ("Location", target)), "connection", "another name or path")
    assert len(web.asked) == 1
    told = json.dumps(challenge)
    for word in ("admin", "secret", "passwd", "other.abuse", "gopher", "302"):
        assert word not in told, challenge


@row("V02")
@pytest.mark.parametrize("status", [200, 401, 403, 500])
def test_a_private_targets_answer_is_not_told(fails, status):
    challenge, _ = fails(says(b"internal secret", status, ("Server", "intranet")), "incorrectResponse")
    told = json.dumps({**challenge, "error": challenge["error"]["detail"]})
    assert "secret" not in told and "intranet" not in told
    # As a word: a port may hold the digits.
    assert not re.search(rf"\b{status}\b", challenge["error"]["detail"].replace("not status 200", ""))


@row("V05")
def test_a_circle_of_redirects_ends(house, fails):
    _, web = fails(lambda request: says(b"", 302, ("Location", f"http://{request.headers['Host']}{request.path}"))(request),
                   "connection", "circle")
    assert len(web.asked) == 1


@row("V05")
def test_a_body_without_end_is_left_after_512_octets(fails):
    """A GiB is announced. What a socket's buffers take is all that ever leaves."""
    sent = []

    def flood(request):
        request.send_response(200)
        request.send_header("Content-Length", str(2 ** 30))
        request.end_headers()
        part = b"x" * 65536
        for _ in range(2 ** 30 // len(part)):
            request.wfile.write(part)
            sent.append(len(part))

    fails(flood, "incorrectResponse")
    assert sum(sent) < 2 ** 26


@row("V05")
def test_a_dripping_answer_is_left_at_the_deadline(fails):
    left = threading.Event()

    def drip(request):
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        try:
            while not left.wait(0.05):
                request.wfile.write(b"x")
        except OSError:
            pass

    try:
        fails(drip, "connection", "timed out")
    finally:
        left.set()


@row("V05")
def test_a_packed_answer_is_not_unpacked(fails):
    bomb = gzip.compress(bytes(2 ** 24))
    _, web = fails(says(bomb, 200, ("Content-Encoding", "gzip")), "incorrectResponse")
    assert len(web.asked) == 1


@row("V06")
@pytest.mark.parametrize("body", [
    lambda token, thumbprint: f"{token}.{'A' * 43}", lambda token, thumbprint: f"{token}.{thumbprint}\0",
    lambda token, thumbprint: f"\0{token}.{thumbprint}", lambda token, thumbprint: f"{token}.{thumbprint[:-1]}",
    lambda token, thumbprint: f"{token}.{thumbprint}x", lambda token, thumbprint: f" {token}.{thumbprint}",
    lambda token, thumbprint: thumbprint, lambda token, thumbprint: token, lambda token, thumbprint: ""],
    ids=["other thumbprint", "NUL behind", "NUL before", "short", "long", "space before", "thumbprint", "token", "empty"])
def test_any_other_answer_is_incorrect(owner, fails, body):
    def answer(request):
        token = request.path.removeprefix(PREFIX)
        says(body(token, owner.key.thumbprint).encode())(request)

    fails(answer, "incorrectResponse", "not status 200 with the key authorization")
