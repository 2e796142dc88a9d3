"""SIGKILL around a CA behind a command: nothing is handed over twice, nothing that was issued is forgotten."""
import http.client
import os
import signal
import time

import pytest

from harness.backends import StandInCa
from harness.environment import faulty_executable
from harness.orders import KeyAuthorizations, Orders
from harness.server import Postern

SUFFIX = "fault.test"


class Site:
    """A server that can be killed, a stand-in CA, and an order that is ready to be finalized."""

    def __init__(self, folder, database, **keys):
        (folder / "s").mkdir()
        self.server = Postern(faulty_executable(), folder / "s", SUFFIX, options=("--store", database.url) if database else ())
        self.server.start()
        # URLs stay what they are: the listeners keep their ports for a data folder.
        self.web = KeyAuthorizations(self.server.http01_port)
        self.ca = StandInCa(folder / "ca")
        path = folder / "standin.toml"
        path.write_text(self.ca.document(**{"timeout": "2s", **keys}))
        self.server.cli("apply", path)
        self.client = Orders(self.server, "standin", self.web)
        self.name = f"killed.{SUFFIX}"
        self.url, self.order = self.client.ready(self.name)

    def restart(self, fail=None):
        self.server.variables = {"POSTERN_FAIL": fail} if fail else {}
        self.server.start()
        self.client.connect()

    def finalize(self):
        """The answer, or None from a server that died."""
        try:
            return self.client.finalize(self.order, self.name)[0]
        except (http.client.HTTPException, OSError):
            return None

    def await_journal(self, operation, seconds=30):
        end = time.monotonic() + seconds
        while not any(o == operation for o, _ in self.ca.journal()):
            assert time.monotonic() < end, f"the CA was never asked to {operation}:\n{self.server.log_tail()}"
            time.sleep(0.02)

    def settled(self, seconds=120):
        """What the order says once nobody works on it."""
        return self.client.until(self.url, lambda body: body["status"] != "processing" or "error" in body, seconds).body

    def one_certificate(self, order):
        """The one that the CA made for the one request that it was given."""
        submissions = self.ca.submissions()
        assert list(submissions.values()) == [1], submissions
        request, = submissions
        assert order["status"] == "valid", order
        assert self.client.chain(order).startswith(self.ca.issued(request).split("-----END")[0])
        assert len(self.server.certificates(self.name)) == 1

    def end(self):
        self.web.close()
        self.server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def new_site(request, tmp_path_factory):
    made = []

    def make(**keys):
        database = request.getfixturevalue("cluster").database() if request.param == "postgres" else None
        made.append(Site(tmp_path_factory.mktemp("f"), database, **keys))
        return made[-1]

    yield make
    for site in made:
        site.end()


def killed_at(site, point):
    site.server.stop()
    site.restart(f"{point}:kill")
    assert site.finalize() is None
    assert site.server.await_own_end() == -9
    site.restart()


@pytest.mark.parametrize("point", ["authorised", "linted"])
def test_before_the_intent_the_order_is_ready_and_nothing_was_handed_over(new_site, point):
    site = new_site()
    killed_at(site, point)
    assert site.settled()["status"] == "ready"
    assert site.ca.journal() == []
    assert site.finalize().body["status"] == "valid"
    site.one_certificate(site.settled())


@pytest.mark.parametrize("point", ["intent_committed", "sent"])
def test_a_request_that_never_left_is_looked_up_and_given_up(new_site, point):
    site = new_site()
    killed_at(site, point)
    order = site.settled()
    assert order["status"] == "invalid"
    assert "the CA never received the request" in order["error"]["detail"]
    assert site.ca.submissions() == {}


@pytest.mark.parametrize("point", ["signed", "checked", "outcome_committed"])
def test_what_the_ca_issued_is_found_again(new_site, point):
    site = new_site()
    killed_at(site, point)
    site.one_certificate(site.settled())


def test_a_kill_while_the_command_runs(new_site):
    site = new_site(timeout="60s")
    site.ca.behave(issue="lost")
    answer = site.finalize()
    assert answer.body["status"] == "processing"
    site.await_journal("issue")
    end = time.monotonic() + 30
    while not (site.ca.home / "pid").exists():
        assert time.monotonic() < end, f"the command did not come to its wait:\n{site.server.log_tail()}"
        time.sleep(0.02)
    site.server.kill()
    site.ca.behave()
    site.restart()
    site.one_certificate(site.settled())


def test_pending_goes_on_after_a_kill(new_site):
    site = new_site()
    site.ca.behave(issue="pending", poll="pending")
    assert site.finalize().body["status"] == "processing"
    site.await_journal("poll")
    site.server.kill()
    site.ca.behave(issue="pending")
    site.restart()
    site.one_certificate(site.settled())


@pytest.mark.parametrize("point", ["intent_committed", "sent", "signed", "checked"])
def test_a_ca_that_cannot_be_asked_leaves_the_request_to_an_officer(new_site, point):
    site = new_site(operations=["test"])
    killed_at(site, point)
    order = site.settled()
    assert order["status"] == "processing" and "nobody knows whether the CA issued" in order["error"]["detail"]
    assert sum(site.ca.submissions().values()) == (1 if point in ("signed", "checked") else 0)
    # Nor by the client's own doing: the same CSR, or another one.
    assert site.finalize().status == 403
    site.server.stop()
    site.restart()
    assert site.settled()["status"] == "processing"
    assert sum(site.ca.submissions().values()) <= 1


def test_a_stop_lets_the_command_end_and_keeps_its_answer(new_site):
    site = new_site(operations=["test"], timeout="20s")
    site.ca.behave(issue="waits")
    assert site.finalize().body["status"] == "processing"
    site.await_journal("issue")
    os.kill(site.server.pid, signal.SIGTERM)
    (site.ca.home / "go").touch()
    site.server.await_end()
    site.restart()
    site.one_certificate(site.settled())
