"""Orders that wait for an officer (docs/approval.md), through real clients."""
import json
import threading
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def watched(server):
    server.apply(HERE / "approval.toml")
    return "watched"


class Officer:
    """Decides the first request for the name as soon as it waits, while the client polls."""

    def __init__(self, server, name, *words):
        self.server, self.name, self.words = server, name, words
        self.said = None
        self._ended = threading.Event()
        self._person = threading.Thread(target=self._work, daemon=True)

    def __enter__(self):
        self._person.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._person.join(60)

    def _work(self):
        while not self._ended.is_set():
            lines = self.server.cli("request", "list", "--status", "pending_approval", "--json").splitlines()
            for row in map(json.loads, lines):
                if self.name in row["names"]:
                    verb, *more = self.words
                    self.said = self.server.verb("request", verb, row["id"], *more, "--data", self.server.data)
                    return
            time.sleep(0.05)


@pytest.mark.parametrize("client_kind", ["certbot", "lego"])
def test_approval_order_waits_for_the_officer(server, new_client, watched, name):
    with Officer(server, name, "approve") as officer:
        run = new_client(endpoint=watched).issue(name)
    assert run.status == 0, run.output
    assert officer.said.returncode == 0, officer.said
    assert len(server.certificates(name)) == 1


@pytest.mark.parametrize("client_kind", ["certbot", "lego"])
def test_approval_declined_order_is_invalid(server, new_client, watched, name, refused):
    with Officer(server, name, "decline", "--message", "not before the audit") as officer:
        run = new_client(endpoint=watched).issue(name)
    assert officer.said.returncode == 0, officer.said
    refused(run, "not before the audit")
    again = server.verb("request", "list", "--status", "declined", "--json", "--data", server.data)
    number, = [row["id"] for row in map(json.loads, again.stdout.splitlines()) if name in row["names"]]
    late = server.verb("request", "approve", number, "--data", server.data)
    assert late.returncode == 1 and "its ACME order is invalid, which is final" in late.stderr
