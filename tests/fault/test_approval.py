"""SIGKILL between an officer's yes and the certificate: the yes is carried out once, and the device gets it."""
import json
import signal
from pathlib import Path

import pytest

from harness.environment import faulty_executable
from harness.scep_device import Device
from harness.scep_reply import PENDING, SUCCESS
from harness.scep_style import STYLES

DOCUMENT = Path(__file__).resolve().parents[2] / "conformance/scep/approval.toml"
# All that an issue passes; those before the intent leave it approved, those after it an intent.
POINTS = ("authorised", "linted", "intent_committed", "sent", "signed", "checked", "outcome_committed")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_kill_after_the_yes_loses_nothing(new_place, engine, point):
    server = new_place(engine, faulty_executable()).server
    server.start()
    code = server.apply(DOCUMENT)["watched"]["accessCode"]
    device = Device(server.scep("watched"), STYLES["windows"], subject=[("CN", "phone-1")]).discover()
    assert device.enroll(code).status == PENDING
    number = json.loads(server.cli("request", "list", "--status", "pending_approval", "--json"))["id"]
    server.stop()

    server.variables = {"POSTERN_FAIL": f"{point}:kill"}  # its first passage in that life is this issue's
    server.start()
    answer = server.verb("request", "approve", number, "--data", server.data)
    assert answer.returncode != 0, "the officer was answered by a process that had ended"
    assert server.await_own_end() == -signal.SIGKILL

    server.variables = {}
    server.start()
    reply = device.poll()
    while reply.status == PENDING:
        reply = device.poll()
    assert reply.status == SUCCESS
    mine = [row for row in server.all_certificates() if row["subject"] == "CN=phone-1"]
    assert [(row["status"], int(row["serial"], 16)) for row in mine] == [("issued", reply.certificate.serial_number)]
    actions = [record["action"] for record in server.explain(str(number))]
    assert [actions.count(action) for action in ("request.approved", "enrollment.issued")] == [1, 1]
    assert actions.count("enrollment.settled") == (1 if POINTS.index("intent_committed") <= POINTS.index(point) < POINTS.index("outcome_committed") else 0)
