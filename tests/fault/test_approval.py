"""SIGKILL between an officer's yes and the certificate: the yes is carried out once, and the device gets it.

One server an engine, killed over and over: whatever its devices were given before is still theirs at the end.
"""
import json
import os
import signal
from pathlib import Path

import pytest

import kill_table
from harness.environment import faulty_executable
from harness.scep_device import Device
from harness.scep_reply import PENDING, SUCCESS
from harness.scep_style import STYLES
from ledger import compare, in_hand, open_store

DOCUMENT = Path(__file__).resolve().parents[2] / "conformance/scep/approval.toml"
# All that an issue passes; those before the intent leave it approved, those after it an intent.
POINTS = ("authorised", "linted", "intent_committed", "sent", "signed", "checked", "outcome_committed")
LEAVE_INTENTS = POINTS[POINTS.index("intent_committed"):POINTS.index("outcome_committed")]
KILLS = min(10, int(os.environ.get("POSTERN_KILLS", "1")))  # each falls in the same step: more of them meet nothing new


class Watched:
    """An endpoint whose devices wait for an officer, and what they were given."""

    def __init__(self, engine, place):
        self.engine, self.server, self.store = engine, place.server, place.store
        self.server.start()
        self.code = self.server.apply(DOCUMENT)["watched"]["accessCode"]
        self.journal, self._devices = [], 0

    def restart(self, fail=None):
        self.server.stop()
        self.server.variables = {"POSTERN_FAIL": fail} if fail else {}
        self.server.start()

    def pending(self):
        """A device that waits, and the number of its request."""
        self._devices += 1
        device = Device(self.server.scep("watched"), STYLES["windows"], subject=[("CN", f"phone-{self._devices}")]).discover()
        assert device.enroll(self.code).status == PENDING
        return device, json.loads(self.server.cli("request", "list", "--status", "pending_approval", "--json"))["id"]

    def is_given(self, device, reply):
        assert reply.status == SUCCESS
        self.journal.append(in_hand(device.style.transaction_id(device.key), reply.certificate))

    def compared(self):
        with open_store(self.store) as database:
            return compare(self.journal, database)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def watched(request, lasting_place):
    return Watched(request.param, lasting_place(request.param, faulty_executable()))


def kill_at(watched, point):
    """One officer's yes is carried out and told; the next one's is the server's end."""
    server = watched.server
    first, first_number = watched.pending()
    server.cli("request", "approve", first_number)
    device, number = watched.pending()
    watched.restart(f"{point}:kill")  # its first passage in that life is this issue's
    watched.is_given(first, first.poll())
    answer = server.verb("request", "approve", number, "--data", server.data)
    assert answer.returncode != 0, "the officer was answered by a process that had ended"
    assert server.await_own_end() == -signal.SIGKILL
    found = watched.compared().offences()
    assert set(found) <= {"unfinished"}, found

    server.variables = {}
    server.start()
    reply = device.poll()
    while reply.status == PENDING:
        reply = device.poll()
    watched.is_given(device, reply)
    subject = reply.certificate.subject.rfc4514_string()
    mine = [(row["status"], int(row["serial"], 16)) for row in server.all_certificates() if row["subject"] == subject]
    assert mine == [("issued", reply.certificate.serial_number)]
    actions = [record["action"] for record in server.explain(str(number))]
    assert [actions.count(action) for action in ("request.approved", "enrollment.issued")] == [1, 1]
    assert actions.count("enrollment.settled") == (1 if point in LEAVE_INTENTS else 0)


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_after_the_yes_loses_nothing(watched, point):
    watched.restart()
    before = watched.compared()
    for _ in range(KILLS):
        kill_at(watched, point)
    found = watched.compared()
    assert found.offences() == {}
    found.received -= before.received
    found.settled -= before.settled
    assert (found.received, found.settled) == (2 * KILLS, KILLS if point in LEAVE_INTENTS else 0)
    kill_table.add(watched.engine, f"approval: {point}", KILLS, found)
