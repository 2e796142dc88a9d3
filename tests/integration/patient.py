"""A data folder for `postern doctor`, and what it says of it."""
import contextlib
import datetime
import fcntl
import json
import shutil
import socket
import sqlite3
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.environment import environment, executable
from harness.server import ANY_PORTS, Postern


class Resolver(threading.Thread):
    """A recursive DNS server that has one answer for every question."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                query, peer = self.socket.recvfrom(4096)
                end = query.index(0, 12) + 5  # the question: name, type, class
                answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\xc0\x00\x02\x01"
                self.socket.sendto(query[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + query[12:end] + answer, peer)


@pytest.fixture(scope="module")
def resolver():
    thread = Resolver()
    thread.start()
    yield thread
    thread.socket.close()


@pytest.fixture(scope="module")
def configuration(tmp_path_factory, resolver):
    file = tmp_path_factory.mktemp("c") / "postern.toml"
    file.write_text(f'[dns]\nservers = ["127.0.0.1@{resolver.port}"]\nallow_loopback_servers = true\ndnssec = false\n')
    file.chmod(0o600)
    return file


LISTENERS = [word for name, address in ANY_PORTS.items() for word in (f"--{name}", address)]


class Patient:
    """A data folder of nobody's server, and what the doctor says of it."""

    def __init__(self, data, configuration):
        self.data = data
        self.configuration = configuration

    def examine(self, *more, lab=True, before=(), listeners=LISTENERS):
        command = [*before, executable(), "doctor", "--data", self.data, "--config", self.configuration, "--json",
                   *listeners, *(["--lab"] if lab else []), *more]
        done = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False, env=environment())
        assert done.stderr == "", done.stderr
        report = json.loads(done.stdout)
        assert report["failed"] == sum(f["verdict"] == "failed" for f in report["findings"])
        assert done.returncode == (1 if report["failed"] else 0)
        assert all(("advice" in f) == (f["verdict"] != "good") for f in report["findings"])
        return report["findings"]

    def sql(self, *statements):
        with contextlib.closing(sqlite3.connect(self.data / "postern.db", isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)

    def key_id(self, kind):
        with contextlib.closing(sqlite3.connect(self.data / "postern.db")) as database:
            return database.execute("SELECT key_id FROM authority WHERE kind = ?", (kind,)).fetchone()[0]

    def port(self, name):
        with contextlib.closing(sqlite3.connect(self.data / "postern.db")) as database:
            return int(database.execute("SELECT value FROM setting WHERE name = ?", ("port." + name,)).fetchone()[0])

    def key(self, kind):
        return self.data / "keys" / f"{self.key_id(kind)}.key"

    @contextlib.contextmanager
    def held(self):
        """As by a server that answers nobody."""
        with (self.data / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@pytest.fixture(scope="module")
def healthy(tmp_path_factory, configuration):
    """A folder whose server was stopped in good order; copied for each who harms it."""
    postern = Postern(executable(), tmp_path_factory.mktemp("h"), "integration.test", options=("--config", configuration))
    postern.listeners = dict(ANY_PORTS)
    postern.start()
    postern.stop()
    return postern.data


@pytest.fixture
def patient(healthy, configuration, tmp_path):
    shutil.copytree(healthy, tmp_path / "data")
    own = tmp_path / "postern.toml"
    shutil.copy(configuration, own)
    return Patient(tmp_path / "data", own)


def failed(findings):
    return {f["check"]: f["what"] for f in findings if f["verdict"] == "failed"}


def certificate_files(folder, begin, end):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another")])
    now = datetime.datetime.utcnow()
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
            .not_valid_before(now + begin).not_valid_after(now + end).sign(key, hashes.SHA256()))
    (folder / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                          serialization.NoEncryption()))
    return made.public_bytes(serialization.Encoding.PEM)


def old_crl(p):
    p.sql(f"UPDATE crl SET this_update_ms = 1, next_update_ms = {int(time.time() - 60) * 1000}")
