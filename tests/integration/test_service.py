"""What a service manager gives and is told: sockets it opened, readiness, the end."""
import shutil
import socket
import ssl
import subprocess

import pytest

from conftest import SUFFIX
from harness.environment import environment, executable
from harness.ports import free_port
from harness.server import Postern

SECONDS = 60


class Supervised(Postern):
    """Runs with the variables of a service manager."""

    def __init__(self, folder, **variables):
        super().__init__(executable(), folder, SUFFIX)
        self._variables = variables

    def _command(self):
        return ["env", *(f"{name}={value}" for name, value in self._variables.items()), *super()._command()]


@pytest.fixture
def supervised(tmp_path):
    made = []

    def make(**variables):
        made.append(Supervised(tmp_path, **variables))
        return made[-1]

    yield make
    for postern in made:
        postern.stop()


def test_readiness_and_the_end_are_told(supervised, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(SECONDS)
        server = supervised(NOTIFY_SOCKET=path)
        server.start()
        assert notify.recv(4096) == b"READY=1"
        server.stop()
        assert notify.recv(4096) == b"STOPPING=1"


@pytest.fixture
def activated(tmp_path):
    """Starts Postern behind systemd-socket-activate, which listens and hands its socket over at the first connection."""
    if not shutil.which("systemd-socket-activate"):
        pytest.fail("systemd-socket-activate is missing (package systemd)")
    running = []

    def start(name, port):
        command = ["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", f"--fdname={name}", executable(), "serve",
                   "--data", tmp_path / "data", "--https", "127.0.0.1:0", "--est", "127.0.0.1:0", "--http", "127.0.0.1:0",
                   "--management", "127.0.0.1:0", "--ready-file", tmp_path / "ready"]
        running.append(subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env=environment()))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
            process.wait(SECONDS)


def connect(port, process):
    """The activator needs a moment until it listens: only its end decides that it never will."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), SECONDS)
        except ConnectionRefusedError:
            assert process.poll() is None, process.stdout.read()


def test_a_socket_handed_over_is_served_and_named_in_urls(activated, tmp_path):
    port = free_port()
    process = activated("https", port)
    # The connection that started the server waits in the backlog until it is ready.
    with connect(port, process) as raw:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(raw) as tls:
            tls.sendall(f"GET /acme/default/directory HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: tls.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 200 ")
    assert f"https://127.0.0.1:{port}/acme/default/new-order" in answer
    process.terminate()
    assert process.wait(SECONDS) == 0


def test_a_socket_of_an_unknown_name_stops_the_start(activated, tmp_path):
    port = free_port()
    process = activated("imap", port)
    with connect(port, process):
        assert process.wait(SECONDS) == 1
    assert 'a socket that the service manager gave is called "imap"; FileDescriptorName must be' in process.stdout.read()
    assert not (tmp_path / "data").exists()
