"""SIGKILL around Intune: what it vouched for is issued once, is withheld until it knows, and is the device's when it asks again."""
import http.client
import json
import time

import pytest

from harness.environment import faulty_executable
from harness.scep_reply import SUCCESS, Unacceptable
from harness.server import Postern
from intune.client import IntuneStandIn
from intune.site import Site
from ledger import await_messages

SECONDS = 90


@pytest.fixture(scope="session")
def standin():
    with IntuneStandIn() as started:
        yield started


class Killed:
    """A site whose server dies in the middle of its device's first request."""

    def __init__(self, folder, standin, point, database=None, **how):
        (folder / "s").mkdir()
        standin.reset()
        self.server = Postern(faulty_executable(), folder / "s", "fault.test", options=("--store", database.url) if database else ())
        self.server.start()
        self.site = Site(self.server, standin, folder, "killed", within="3s", **how)
        self.device = self.site.device()
        self.challenge = self.site.challenge(self.device)
        self.restart(f"{point}:kill")
        if point != "outbox_sent":
            self.die()

    def die(self):
        with pytest.raises((http.client.HTTPException, OSError)):
            self.device.enroll(self.challenge)
        self.server.kill()

    def restart(self, fail=None):
        if self.server.pid:
            self.server.stop()
        self.server.variables = {"POSTERN_FAIL": fail} if fail else {}
        self.server.start()

    def ask_until_answered(self):
        """As a device does, with the same challenge."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                reply = self.device.enroll(self.challenge)
            except (Unacceptable, OSError):  # 503 while it starts
                reply = None
            if reply and reply.status == SUCCESS:
                return reply
            assert time.monotonic() < end, f"{reply and reply.text}\n{self.server.log_tail()}"
            time.sleep(0.2)


@pytest.fixture
def killed(tmp_path, standin, request):
    made = []

    def make(point, engine="sqlite", **how):
        database = request.getfixturevalue("cluster").database() if engine == "postgres" else None
        made.append(Killed(tmp_path, standin, point, database, **how))
        return made[-1]

    try:
        yield make
    finally:
        for each in made:
            each.server.stop()


POINTS = ("intune_validated", "authorised", "linted", "intent_committed", "sent", "signed", "checked", "outcome_committed", "intune_notified")


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
@pytest.mark.parametrize("point", POINTS)
def test_the_device_has_one_certificate_and_intune_knows_it(killed, point, engine):
    each = killed(point, engine)
    each.restart()
    reply = each.ask_until_answered()
    rows = each.site.certificates(each.device)
    assert [row["status"] for row in rows] == ["issued"], "one, whatever was signed before"
    told = each.site.transaction(each.device)
    assert int(told.success["certificateSerialNumber"], 16) == reply.certificate.serial_number == int(rows[0]["serial"], 16)
    assert told.failure is None
    assert told.csr == told.success["certificateRequest"]
    each.site.nothing_wrong()


def test_what_is_withheld_is_shown_to_nobody(killed):
    """Until Intune has heard of it not even an officer can hand it on."""
    each = killed("outcome_committed")
    each.site.tenant.script("success", each.site.standin.behaviours.status(503), always=True)
    each.restart()
    [row] = each.site.certificates(each.device)
    shown = json.loads(each.server.cli("cert", "show", row["serial"], "--json"))
    assert shown["withheld"] == "until Intune has heard of it" and "pem" not in shown
    assert "BEGIN CERTIFICATE" not in each.server.cli("cert", "show", row["serial"])
    assert each.device.enroll(each.challenge).status != SUCCESS
    each.site.tenant.script("success", each.site.standin.behaviours.well(), always=True)
    reply = each.ask_until_answered()
    assert reply.certificate.serial_number == int(row["serial"], 16)
    shown = json.loads(each.server.cli("cert", "show", row["serial"], "--json"))
    assert "withheld" not in shown and "BEGIN CERTIFICATE" in shown["pem"]


def test_a_success_that_was_never_told_is_revoked_in_the_end(killed):
    """Intune stays away: what is withheld is nobody's."""
    each = killed("outcome_committed")
    each.site.tenant.script("success", each.site.standin.behaviours.status(400), always=True)
    each.restart()
    end = time.monotonic() + SECONDS
    while each.site.certificates(each.device)[0]["status"] != "revoked":
        assert time.monotonic() < end, each.server.log_tail()
        time.sleep(0.2)
    reply = each.device.enroll(each.challenge)
    assert reply.status != SUCCESS and reply.text == "the certificate of this challenge was revoked; a new challenge is needed"



def test_a_failure_is_told_once_whatever_dies(killed):
    """Policy refuses after Intune's yes, and the server dies when Intune has heard it and its message is still there."""
    each = killed("outbox_sent")
    refused = each.site.device(subject="server-1")
    assert refused.enroll(each.site.challenge(refused)).status != SUCCESS
    assert each.server.await_own_end() == -9
    assert "common_names" in each.site.await_told(refused, "failure")["errorDescription"]
    each.restart()
    await_messages(each.server.data / "postern.db", each.server.log_tail)
    assert len(each.site.asked("failure")) == 1
    each.site.nothing_wrong()
