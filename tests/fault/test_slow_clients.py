"""Ten thousand connections that say nothing, or next to nothing: each is ended by its deadline, and others are served."""
import asyncio
import resource
import threading
from urllib.parse import urlsplit

import pytest

from harness.environment import executable
from harness.load import enroll
from harness.management import crl_url, metrics
from harness.mixed_load import counting
from harness.server import Postern

SILENT, HEADS, BODIES = 7000, 1500, 1500
LIMIT = 10_000  # [limits] connections, by default
OVERLAP = 128  # those that give way and are not gone yet
# What one may cost that has sent next to nothing, TLS state not begun.
BYTES_EACH = 16 * 1024
NET_SECONDS = 240
SHORT = '[limits]\nhandshake = "6s"\nhead = "6s"\nbody = "8s"\n'

HEAD = b"GET /crl/none HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n"


def source(n):
    """A loopback address for every thousand connections: one has no more than 28 000 ports."""
    return f"127.0.1.{1 + n // 1000}"


class Crowd:
    """Connections of one kind on one port; `answers` counts what they were told before the end."""

    def __init__(self, port, count, opening=b"", drip=b""):
        self.port, self.count, self.opening, self.drip = port, count, opening, drip
        self.open, self.ended, self.answers = 0, 0, {}

    async def _one(self, n, opened):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source(n), 0))
        self.open += 1
        opened.release()
        told = b""
        try:
            if self.opening:
                writer.write(self.opening)
            reading = asyncio.ensure_future(reader.read(4096))
            while not reading.done():
                if self.drip:
                    writer.write(self.drip)
                await asyncio.wait([reading], timeout=2)
            told = reading.result()
            while told and await reader.read(4096):
                pass
        except OSError:
            pass
        finally:
            writer.close()
        status = told.split(b" ", 2)[1].decode() if told.startswith(b"HTTP/") else ""
        self.answers[status] = self.answers.get(status, 0) + 1
        self.ended += 1

    async def run(self, opened):
        await asyncio.gather(*(self._one(n, opened) for n in range(self.count)))


def run_crowds(crowds, opened):
    async def all_of_them():
        await asyncio.wait_for(asyncio.gather(*(crowd.run(opened) for crowd in crowds)), NET_SECONDS)
    asyncio.run(all_of_them())


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


def connections(now):
    return sum(value for name, value in now.items() if name.startswith("postern_http_connections{"))


def test_ten_thousand_slow_clients_end_and_others_are_served(server, capsys):
    wanted = SILENT + HEADS + BODIES + 500
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"needs {wanted} file descriptors, the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    https, http = urlsplit(server.directory()).port, urlsplit(crl_url(server)).port
    crowds = [Crowd(https, SILENT), Crowd(http, HEADS, HEAD, b"a"), Crowd(http, BODIES, BODY, b"b")]
    at_rest = metrics(server)
    opened = threading.Semaphore(0)
    failure = []

    def crowd_thread():
        try:
            run_crowds(crowds, opened)
        except BaseException as e:  # noqa: BLE001  (told below)
            failure.append(e)

    thread = threading.Thread(target=crowd_thread)
    thread.start()
    try:
        most, heap = 0, 0
        served = 0
        while thread.is_alive():
            now = metrics(server)
            if connections(now) > most:
                most = connections(now)
                heap = now["postern_heap_in_use_bytes"] - at_rest["postern_heap_in_use_bytes"]
            if served < 3:  # real clients in the middle of it
                folder = server.data.parent / f"client{served}"
                folder.mkdir()
                enroll(server, folder)
                served += 1
            thread.join(0.2)
    finally:
        thread.join()
    assert failure == []
    with capsys.disabled():
        print(f"\nmost at a time {most:.0f}, {heap / most:.0f} bytes of heap each; "
              f"ended: {[(crowd.ended, crowd.answers) for crowd in crowds]}")
    assert [crowd.ended for crowd in crowds] == [SILENT, HEADS, BODIES]
    assert served == 3
    assert most > 1000  # else nothing was tried
    assert most <= LIMIT + OVERLAP
    assert heap <= most * BYTES_EACH
    # A head or a body that does not come is told so, unless its connection had to give way to others.
    gave_way = metrics(server)['postern_http_connections_shed_total{reason="gave_way"}']
    told = sum(crowd.answers.get("408", 0) for crowd in crowds[1:])
    assert told >= HEADS + BODIES - gave_way
    assert crowds[0].answers == {"": SILENT}
