"""Ten thousand connections that say nothing, or next to nothing: each is ended by its deadline, and others are served."""
import resource
import selectors
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from harness.environment import executable
from harness.load import enroll
from harness.management import crl_url, metrics
from harness.mixed_load import counting
from harness.server import Postern

LIMIT = 10_000  # [limits] connections, by default
OVERLAP = 128  # those that give way and are not gone yet
# What one may cost that has sent next to nothing.
BYTES_EACH = 16 * 1024
NET_SECONDS = 240
SHORT = '[limits]\nhandshake = "8s"\nhead = "8s"\nbody = "10s"\n'

SILENT, HEADS, BODIES = 7000, 1500, 1500
HEAD = b"GET /crl/none HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n"


class Crowd(threading.Thread):
    """All kinds at once: opened one after the other, then an octet of each that drips every second, until the server
    has ended them all."""

    def __init__(self, kinds):
        """`kinds`: (port, count, what is said at first or nothing)"""
        super().__init__()
        self._kinds = kinds
        self.opened, self.ended, self.failure = 0, 0, None

    def run(self):
        try:
            self._open_and_drip()
        except BaseException as failure:  # noqa: BLE001  (told by the test)
            self.failure = failure

    def _open(self, selector):
        dripping = []
        for port, count, opening in self._kinds:
            for _ in range(count):
                # An address has no more than 28 000 ports to call from.
                s = socket.create_connection(("127.0.0.1", port), timeout=NET_SECONDS,
                                             source_address=(f"127.0.1.{1 + self.opened // 1000}", 0))
                self.opened += 1
                s.setblocking(False)
                if opening:
                    self._send(s, opening)
                    dripping.append(s)
                selector.register(s, selectors.EVENT_READ)
        return dripping

    @staticmethod
    def _send(s, octets):
        try:
            s.send(octets)
        except OSError:
            pass  # it was ended; reading tells

    def _open_and_drip(self):
        end = time.monotonic() + NET_SECONDS
        with selectors.DefaultSelector() as selector:
            dripping = self._open(selector)
            while selector.get_map():
                assert time.monotonic() < end, f"{len(selector.get_map())} were not ended"
                for key, _ in selector.select(1):
                    self._read(selector, key.fileobj)
                for s in dripping:
                    if s.fileno() >= 0:
                        self._send(s, b"a")

    def _read(self, selector, s):
        try:
            if s.recv(4096):
                return
        except OSError:
            pass
        selector.unregister(s)
        s.close()
        self.ended += 1


@pytest.fixture
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    (folder / "short.toml").write_text(SHORT)
    postern = Postern(executable(), folder, "bench.test", options=("--config", folder / "short.toml"))
    postern.variables = counting()
    try:
        postern.start()
        yield postern
    finally:
        postern.stop()


def total(now, name, *labels):
    return sum(value for series, value in now.items() if series.startswith(name + "{") and all(label in series for label in labels))


def test_ten_thousand_slow_clients_end_and_others_are_served(server, capsys):
    wanted = SILENT + HEADS + BODIES + 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"needs {wanted} file descriptors, the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    https, http = urlsplit(server.directory()).port, urlsplit(crl_url(server)).port
    at_rest = metrics(server)["postern_heap_in_use_bytes"]
    crowd = Crowd([(http, BODIES, BODY), (http, HEADS, HEAD), (https, SILENT, b"")])
    crowd.start()
    most, heap, served = 0, 0, 0
    while crowd.is_alive():
        now = metrics(server)
        if (there := total(now, "postern_http_connections")) > most:
            most, heap = there, now["postern_heap_in_use_bytes"] - at_rest
        if served < 3:  # real clients in the middle of it
            folder = server.data.parent / f"client{served}"
            folder.mkdir()
            enroll(server, folder)
            served += 1
        crowd.join(0.1)
    with capsys.disabled():
        print(f"\nconnections at a time: {most:.0f} at most, {heap / most:.0f} bytes of heap each")
    assert crowd.failure is None
    assert crowd.ended == SILENT + HEADS + BODIES
    assert served == 3
    assert most > 1000  # else nothing was tried
    assert most <= LIMIT + OVERLAP
    assert heap <= most * BYTES_EACH
    # Whose head or body does not come is told so, unless it had to give way.
    now = metrics(server)
    gave_way = now['postern_http_connections_shed_total{reason="gave_way"}']
    assert total(now, "postern_http_requests_total", 'status="408"') >= HEADS + BODIES - gave_way
