"""The wall clock is set while a server runs, or while it is stopped: nothing is issued until it is right or accepted."""
import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from account import Account, assert_try_later
from harness.environment import environment, executable
from harness.load import enroll
from harness.management import await_metric, await_readiness, crl_url, readiness
from harness.server import Postern
from harness.wire import ask
from ledger import open_store
from rows import content

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
HOUR = 3600
STEPS = {"an hour forward": HOUR, "an hour back": -HOUR, "ten years forward": 3652 * 24 * HOUR}

pytestmark = pytest.mark.skipif(LIBRARY is None, reason="needs Debian's package faketime")


class Clock:
    """The server's wall clock, some seconds off the machine's; its monotonic clocks are left alone."""

    def __init__(self, folder):
        self._file = folder / "clock"
        self.set(0)

    def set(self, seconds):
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}s\n")
        fresh.rename(self._file)

    def variables(self):
        return {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


@pytest.fixture
def server(clock, tmp_path_factory):
    postern = Postern(executable(), tmp_path_factory.mktemp("s"), "bench.test")
    postern.variables = clock.variables()
    try:
        postern.start()
        yield postern
    finally:
        postern.stop()


def crl(server):
    answer = ask(crl_url(server))
    assert answer.status == 200
    return x509.load_der_x509_crl(answer.body)


def number(revocation_list):
    return revocation_list.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def accept(server):
    assert json.loads(server.cli("clock", "accept", "--json"))["agree"] is True
    assert readiness(server) == (200, "ready\n")


def assert_nothing_is_issued(server, account, order, before):
    problem = assert_try_later(account.order("b.bench.test"))
    assert "check clock.agreement" in problem["detail"]
    refused = assert_try_later(account.post(order["finalize"], {"csr": ""}))
    assert "check clock.agreement" in refused["detail"]
    assert content(server) == before
    # Nonces, reads and CRLs go on.
    assert account.post(account.directory["newAccount"], {"onlyReturnExisting": True}).status in (200, 400)
    crl(server)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_stops_issuing_until_it_is_accepted(server, clock, step):
    account = Account(server)
    assert account.register().status == 201
    order = json.loads(account.order("a.bench.test").body)
    enroll(server, server.data.parent)
    first = crl(server)
    before = content(server)

    clock.set(STEPS[step])
    why = await_readiness(server, 503)
    assert why.startswith("the clocks disagree: ")
    assert_nothing_is_issued(server, account, order, before)
    await_metric(server, "postern_clock_agreement", 0)
    assert server.events("clocks_disagree") == 1
    shown = json.loads(server.cli("clock", "--json"))
    assert shown["agree"] is False
    assert abs(shown["apart_seconds"] - STEPS[step]) < 300
    assert "postern clock accept" in server.cli("clock", "show")

    # A revocation is still listed, by the time that was agreed on: numbers and dates never go back.
    serial = server.all_certificates()[-1]["serial"]
    server.cli("cert", "revoke", serial)
    second = crl(server)
    assert number(second) > number(first)
    assert timedelta(0) <= second.last_update - first.last_update < timedelta(minutes=5)

    accept(server)
    with open_store(server.data / "postern.db") as database:
        rows = database.execute("SELECT actor_kind, outcome FROM audit WHERE action = 'clock.accepted'").fetchall()
    assert [tuple(row) for row in rows] == [("local", "done")]
    assert account.order("c.bench.test").status == 201
    if step == "ten years forward":
        # By that clock the CA itself has ended. The right one is a disagreement too, and recovers the same way.
        clock.set(0)
        await_readiness(server, 503)
        assert_try_later(account.order("d.bench.test"))
        accept(server)
    enroll(server, server.data.parent / "data")
    assert number(crl(server)) >= number(second)
    server.stop()
    server.start()  # an acceptance outlives a restart
    assert readiness(server) == (200, "ready\n")


def test_a_clock_that_is_set_right_needs_no_acceptance(server, clock):
    clock.set(HOUR)
    await_readiness(server, 503)
    await_metric(server, "postern_clock_agreement", 0)
    clock.set(0)
    await_readiness(server, 200)
    await_metric(server, "postern_clock_agreement", 1)
    enroll(server, server.data.parent)
    assert (server.events("clocks_disagree"), server.events("clocks_agree")) == (1, 1)


def test_a_start_behind_the_store_issues_nothing_and_one_after_a_long_pause_does(server, clock):
    account = Account(server)
    assert account.register().status == 201
    enroll(server, server.data.parent)
    before_stop = crl(server)
    server.stop()
    clock.set(-HOUR)
    server.start()
    status, why = readiness(server)
    assert status == 503
    assert "the store holds a record of" in why
    account.reconnect()
    assert "check clock.agreement" in assert_try_later(account.order("a.bench.test"))["detail"]
    shown = json.loads(server.cli("clock", "show", "--json"))
    assert shown["agree"] is False
    assert number(crl(server)) >= number(before_stop)
    server.stop()
    # The administrator may accept it without a server too, by the same clock.
    accepted = subprocess.run([server.executable, "clock", "accept", "--json", "--data", server.data], text=True, check=True,
                              stdin=subprocess.DEVNULL, capture_output=True, env=environment(**clock.variables()))
    assert json.loads(accepted.stdout)["agree"] is True
    server.start()
    assert readiness(server) == (200, "ready\n")
    server.stop()
    clock.set(30 * 24 * HOUR)
    server.start()
    assert readiness(server) == (200, "ready\n")
    enroll(server, server.data.parent / "data")


def test_what_is_written_in_doubt_is_dated_by_the_time_agreed_on(server, clock):
    """A row from ten years ahead would make the right clock look wrong after a restart."""
    enroll(server, server.data.parent)
    clock.set(STEPS["ten years forward"])
    await_readiness(server, 503)
    assert Account(server).register().status == 201
    server.cli("principal", "create", "robot", "--role", "auditor")
    serial = server.all_certificates()[-1]["serial"]
    server.cli("cert", "revoke", serial)
    clock.set(0)
    await_readiness(server, 200)
    server.stop()
    server.start()
    assert readiness(server) == (200, "ready\n")
    assert serial in {f"{entry.serial_number:032x}" for entry in crl(server)}
