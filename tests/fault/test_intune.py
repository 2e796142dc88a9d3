"""SIGKILL around Intune: what it vouched for is issued once, is withheld until it knows, and is the device's when it asks again.

One server an engine, killed over and over: whatever its devices were given before is still theirs at the end.
"""
import http.client
import os
import signal
import sqlite3
import time

import pytest

import kill_table
from harness.environment import faulty_executable
from harness.scep_reply import SUCCESS, Unacceptable
from intune.client import IntuneStandIn
from intune.site import Site
from intune_ledger import compare_with_intune, told
from ledger import await_messages, compare, in_hand, open_store

SECONDS = 90
KILLS = min(10, int(os.environ.get("POSTERN_KILLS", "1")))  # each falls in the same step: more of them meet nothing new
POINTS = ("intune_validated", "authorised", "linted", "intent_committed", "sent", "signed", "checked", "outcome_committed", "intune_notified",
          "reply_half_sent")
LEAVE_INTENTS = ("intent_committed", "sent", "signed", "checked")


@pytest.fixture(scope="session")
def standin():
    with IntuneStandIn() as started:
        yield started


class Killed:
    """A site whose server dies in the middle of a device's first request, and what its devices were given."""

    def __init__(self, place, standin, folder, name="killed", **how):
        standin.reset()
        self.server, self.store = place.server, place.store
        self.server.start()
        self.site = Site(self.server, standin, folder, name, within="20s", **how)
        self.journal = []

    def restart(self, fail=None):
        self.server.stop()
        self.server.variables = {"POSTERN_FAIL": fail} if fail else {}
        self.server.start()

    def new_device(self):
        device = self.site.device()
        return device, self.site.challenge(device)

    def dies_asked_by(self, device, challenge):
        with pytest.raises((http.client.HTTPException, OSError)):
            device.enroll(challenge)
        self.dies()

    def dies(self):
        """By its fail point, not by us."""
        assert self.server.await_own_end() == -signal.SIGKILL

    def is_given(self, device, reply):
        self.journal.append(in_hand(device.style.transaction_id(device.key), reply.certificate))

    def ask_until_given(self, device, challenge):
        """As a device does, with the same challenge."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                reply = device.enroll(challenge)
            except (Unacceptable, OSError):  # 503 while it starts
                reply = None
            if reply and reply.status == SUCCESS:
                self.is_given(device, reply)
                return reply
            assert time.monotonic() < end, f"{reply and reply.text}\n{self.server.log_tail()}"
            time.sleep(0.2)

    def compared(self):
        with open_store(self.store) as database:
            return compare_with_intune(compare(self.journal, database), self.journal, told(self.site.tenant), database)

    def after_a_kill(self):
        """What must hold of the store of a dead process: an intent may be open."""
        found = self.compared().offences()
        found.pop("unfinished", None)
        return found

    def told_of(self, device):
        return [serial for transaction, serial in told(self.site.tenant) if transaction == device.style.transaction_id(device.key)]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def series(request, lasting_place, standin, tmp_path_factory):
    """One an engine, for all points."""
    place = lasting_place(request.param, faulty_executable())
    made = Killed(place, standin, tmp_path_factory.mktemp("documents"), name=f"series-{request.param}")
    made.engine = request.param
    return made


@pytest.fixture
def killed(new_place, standin, tmp_path):
    place = new_place("sqlite", faulty_executable())
    return lambda **how: Killed(place, standin, tmp_path, **how)


def kill_at(series, point):
    """A device is given its certificate, the next one's request is the server's end; then it asks again."""
    (first, first_challenge), (second, challenge) = series.new_device(), series.new_device()
    series.restart(f"{point}@2:kill")
    reply = first.enroll(first_challenge)
    assert reply.status == SUCCESS, reply.text
    series.is_given(first, reply)
    series.dies_asked_by(second, challenge)
    assert series.after_a_kill() == {}
    series.restart()
    given = series.ask_until_given(second, challenge)
    assert series.told_of(first) == [reply.certificate.serial_number]
    # Once, but for a kill between Intune's answer and its record.
    times = 2 if point == "intune_notified" else 1
    assert series.told_of(second) == times * [given.certificate.serial_number]
    assert [row["status"] for row in series.site.certificates(second)] == ["issued"], "one, whatever was signed before"
    said = series.site.transaction(second)
    assert said.failure is None and said.csr == said.success["certificateRequest"]


@pytest.mark.parametrize("point", POINTS)
def test_the_device_has_one_certificate_and_intune_knows_it(series, point):
    series.restart()
    before = series.compared()
    for _ in range(KILLS):
        kill_at(series, point)
    await_messages(series.store, series.server.log_tail)
    found = series.compared()
    assert found.offences() == {}
    assert found.received == before.received + 2 * KILLS
    assert found.settled == before.settled + (KILLS if point in LEAVE_INTENTS else 0)
    series.site.nothing_wrong()
    found.received -= before.received
    found.settled -= before.settled
    kill_table.add(series.engine, f"intune: {point}", KILLS, found)


def test_a_success_that_the_outbox_told_is_not_told_again(series):
    """Two kills: the request never told Intune, and the message that did was not marked."""
    series.restart()
    device, challenge = series.new_device()
    series.restart("outcome_committed:kill")
    series.dies_asked_by(device, challenge)
    series.server.variables = {"POSTERN_FAIL": "outbox_sent:kill"}
    series.server.start()
    series.dies()
    assert len(series.told_of(device)) == 1
    assert series.after_a_kill() == {}
    series.restart()
    await_messages(series.store, series.server.log_tail)
    given = series.ask_until_given(device, challenge)
    assert series.told_of(device) == [given.certificate.serial_number]
    assert series.compared().offences() == {}
    series.site.nothing_wrong()


def test_a_success_that_was_never_told_is_revoked_in_the_end(killed):
    """Intune stays away: what is withheld is nobody's."""
    each = killed()
    device, challenge = each.new_device()
    each.restart("outcome_committed:kill")
    each.dies_asked_by(device, challenge)
    each.site.tenant.script("success", each.site.standin.behaviours.status(400), always=True)
    each.restart()
    end = time.monotonic() + SECONDS
    while each.site.certificates(device)[0]["status"] != "revoked":
        assert time.monotonic() < end, each.server.log_tail()
        time.sleep(0.2)
    reply = device.enroll(challenge)
    assert reply.status != SUCCESS and reply.text == "the certificate of this challenge was revoked; a new challenge is needed"


def test_a_failure_is_told_once_whatever_dies(killed):
    """Policy refuses after Intune's yes, and the server dies when Intune has heard it and its message is still there."""
    each = killed()
    each.restart("outbox_sent:kill")
    refused = each.site.device(subject="server-1")
    assert refused.enroll(each.site.challenge(refused)).status != SUCCESS
    each.dies()
    assert "common_names" in each.site.await_told(refused, "failure")["errorDescription"]
    each.restart()
    await_messages(each.store, each.server.log_tail)
    assert len(each.site.asked("failure")) == 1
    each.site.nothing_wrong()


@pytest.fixture(scope="module")
def aftermath(series):
    """What a comparison that finds nothing is made of; taken after the cases above."""
    series.restart()
    (device, challenge) = series.new_device()
    series.ask_until_given(device, challenge)
    return series


def in_memory(database):
    copy = sqlite3.connect(":memory:")
    copy.row_factory = sqlite3.Row
    database.backup(copy)
    return copy


DAMAGE = {
    "lost": "UPDATE enrollment SET withheld = 1 WHERE requester = :transaction",
    "lost, revoked": "UPDATE certificate SET status = 'revoked' WHERE enrollment_id = (SELECT id FROM enrollment WHERE requester = :transaction)",
    "unrecorded": "DELETE FROM certificate WHERE enrollment_id = (SELECT id FROM enrollment WHERE requester = :transaction)",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(aftermath, damage):
    journal, known = aftermath.journal, told(aftermath.site.tenant)
    with open_store(aftermath.store) as database:
        copy = in_memory(database)
        assert compare_with_intune(compare(journal, copy), journal, known, copy).offences() == {}
        copy.execute(DAMAGE[damage], {"transaction": journal[-1][0]})
        assert damage.split(",")[0] in compare_with_intune(compare(journal, copy), journal, known, copy).offences()


def test_what_intune_was_told_wrongly_is_found(aftermath):
    journal, known = aftermath.journal, told(aftermath.site.tenant)
    transaction, serial = known[-1]
    with open_store(aftermath.store) as database:
        def offences(told_instead):
            return compare_with_intune(compare(journal, database), journal, told_instead, database).offences()

        assert "untold" in offences([each for each in known if each[0] != transaction])
        assert set(offences([*known, (transaction, serial + 1)])) == {"double", "unrecorded"}
        assert set(offences([*known, ("nobody's", 1)])) == {"unrecorded"}
