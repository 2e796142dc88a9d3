"""The client of Intune against the stand-in. What a client says of itself never has a secret in it, whatever the case."""
import base64
import json
import os
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "conformance"))  # the stand-in and the harness

import pytest  # noqa: E402  (they are found only now)
from cryptography.hazmat.primitives.serialization import Encoding  # noqa: E402
from intune.conftest import certificate, device_key, make_csr, standin, tenant  # noqa: E402, F401

EXECUTABLE = ROOT / os.environ.get("POSTERN_BUILD", "build/release") / "tests/intune_client"


def pytest_configure(config):
    config.addinivalue_line("markers", "together: of the stand-in's own cases, which lend some of theirs")


class Client:
    """The process; an answer is an object with `ok`, `check`, `kind`, `detail`, `retry_after`, `value` and `pauses` (ms)."""

    def __init__(self, folder, settings):
        self.log = folder / f"client-{len(list(folder.iterdir()))}.log"
        path = folder / f"{self.log.name}.json"
        path.write_text(json.dumps(settings))
        with self.log.open("wb") as log:
            self._process = subprocess.Popen([EXECUTABLE, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.said = []

    def ask(self, call, **arguments):
        self._process.stdin.write(json.dumps({"call": call, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the client ended:\n{self.log.read_text()[-2000:]}"
        self.said.append(line)
        return SimpleNamespace(**{"check": "", "kind": "", "detail": "", "retry_after": None, **json.loads(line)})

    def validate(self, csr, transaction="T1", **more):
        return self.ask("validate", transaction=transaction, csr=base64.b64encode(csr).decode(), **more)

    def success(self, csr, certificate, transaction="T1", issuer_id="issuer-1", **more):
        return self.ask("success", transaction=transaction, csr=base64.b64encode(csr).decode(), issuer_id=issuer_id,
                        certificate=base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(), **more)

    def failure(self, csr, transaction="T1", hresult=-2147418113, description="the CA refused", **more):
        return self.ask("failure", transaction=transaction, csr=base64.b64encode(csr).decode(), hresult=hresult, description=description, **more)

    def events(self, name):
        return [event for event in map(json.loads, self.log.read_text().splitlines()) if event["event"] == name]

    def stop(self):
        self._process.stdin.close()
        assert self._process.wait(60) == 0, self.log.read_text()[-2000:]
        self._process.stdout.close()


def settings_of(configured, ca, **changed):
    hosts = sorted({urllib.parse.urlsplit(place).hostname for place in configured["locations"].values()})
    return {"login": configured["authority"], "graph": configured["graph"], "graph_scope": configured["graph_scope"],
            "intune_scope": configured["intune_scope"], "services": hosts, "directory": configured["id"],
            "application": configured["client_id"], "secret": configured["secret"], "ca_file": str(ca), **changed}


@pytest.fixture
def start(standin, tenant, tmp_path):  # noqa: F811
    """A client, with settings changed; all end with the case, and none of them said a secret."""
    clients = []

    def start(**changed):
        clients.append(Client(tmp_path, {**settings_of(tenant.tenant(), standin.ca), **changed}))
        # Cases move the stand-in's clock, and forward alone.
        clients[-1].ask("advance", seconds=round(standin.move_clock(seconds=0) - time.time()))
        return clients[-1]

    yield start
    secrets = [secret for secret in standin.confidential() if len(secret) > 10]
    for client in clients:
        client.stop()
        for told in (client.log.read_text(), *client.said):
            assert not [secret for secret in secrets if secret in told], "a secret was told"


@pytest.fixture
def client(start):
    return start()


@pytest.fixture
def csr(tenant, make_csr):  # noqa: F811
    """One that Intune says Success to."""
    return make_csr(tenant.mint_challenge()["challenge"])
