"""No file descriptor left: accepting pauses and resumes, existing sessions and the audit go on, and no client is blamed."""
import json
import os
import resource
import socket
import time
from urllib.parse import urlsplit

import pytest

from account import Account
from harness.environment import executable
from harness.load import enroll
from harness.management import crl_url
from harness.server import Postern
from ledger import open_store

NET_SECONDS = 20


@pytest.fixture
def server(tmp_path_factory):
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), "bench.test")
    try:
        postern.start()
        yield postern
    finally:
        postern.stop()


class Kept:
    """One plain connection to the management listener that stays open."""

    def __init__(self, server, https=0):
        """`among`: the connections that stay, this one included."""
        self.among = {"https": https, "http": 0, "management": 1}
        host, port = server.ready["management"].removeprefix("http://").rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=NET_SECONDS)

    def get(self, path):
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")))
        while len(body) < length:
            body += self._socket.recv(65536)
        return int(head.split()[1]), body.decode()


def open_connections(kept):
    lines = kept.get("/metrics")[1].splitlines()
    return {name: int(line.rsplit(" ", 1)[1]) for name in kept.among for line in lines
            if line.startswith(f'postern_http_connections{{listener="{name}"}}')}


def open_files(server):
    return {int(name) for name in os.listdir(f"/proc/{server.pid}/fd")}


def take_all(server, kept):
    """No number below the limit is free afterwards. Connections that are about to end would free one later."""
    end = time.monotonic() + NET_SECONDS
    while open_connections(kept) != kept.among:
        assert time.monotonic() < end, open_connections(kept)
        time.sleep(0.01)
    used = open_files(server)
    free_below = next(n for n in range(len(used) + 1) if n not in used)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (free_below, resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[1]))


def give_back(server):
    hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (hard, hard))


def processor_seconds(server):
    fields = open(f"/proc/{server.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_accepting_pauses_and_resumes(server):
    kept = Kept(server)
    assert kept.get("/readyz")[0] == 200
    port = urlsplit(crl_url(server)).port
    take_all(server, kept)
    waiting = socket.create_connection(("127.0.0.1", port), timeout=NET_SECONDS)
    waiting.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
    end = time.monotonic() + NET_SECONDS
    while not server.events("accept_paused"):
        assert time.monotonic() < end, server.log_tail()
        time.sleep(0.01)
    assert kept.get("/healthz") == (200, "ok\n")  # a session that exists goes on
    assert kept.get("/readyz")[0] == 200
    before = processor_seconds(server)
    time.sleep(1)
    assert processor_seconds(server) - before < 0.5  # it waits, it does not spin
    assert server.events("accept_paused") == 1
    give_back(server)
    assert waiting.recv(65536).startswith(b"HTTP/1.1 404 ")  # who came meanwhile was kept waiting, not sent away
    assert kept.get("/healthz") == (200, "ok\n")
    while not server.events("accept_resumed"):
        assert time.monotonic() < end, server.log_tail()
        time.sleep(0.01)
    enroll(server, server.data.parent)


def test_a_validation_without_a_descriptor_is_nobodys_fault_and_the_audit_is_written(server):
    account = Account(server)
    assert account.register().status == 201
    order = json.loads(account.order("a.bench.test").body)
    challenge = json.loads(account.post(order["authorizations"][0], None).body)["challenges"][0]
    kept = Kept(server, https=1)
    take_all(server, kept)  # the connection of the account is open already
    with open_store(server.data / "postern.db") as database:
        audited = database.execute("SELECT count(*) FROM audit").fetchone()[0]
    answer = account.post(challenge["url"], {})
    assert json.loads(answer.body)["status"] in ("pending", "processing")
    end = time.monotonic() + NET_SECONDS
    while not server.events("validation_unavailable"):
        assert time.monotonic() < end, server.log_tail()
        time.sleep(0.01)
    # A change and its audit row are written by files that are open already.
    assert account.order("b.bench.test").status == 201
    with open_store(server.data / "postern.db") as database:
        assert database.execute("SELECT count(*) FROM audit").fetchone()[0] > audited
    give_back(server)
    assert json.loads(account.post(order["authorizations"][0], None).body)["status"] == "pending"
    enroll(server, server.data.parent)
