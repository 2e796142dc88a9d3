"""An officer decides (docs/approval.md): PENDING, and what the poll reads afterwards."""
import os
import subprocess
from pathlib import Path

import pytest
from harness.environment import environment
from harness.officer import shown, waiting
from harness.scep_attacks import poll_by_another
from harness.scep_device import Device
from harness.scep_reply import FAILURE, PENDING, SUCCESS
from harness.scep_style import STYLES
from harness.server import Postern
from harness.suite import SUFFIX
from test_clients import StrongSwan

HERE = Path(__file__).resolve().parent


def decide(server, verb, number, *arguments):
    return server.verb("request", verb, number, *arguments, "--data", server.data)


def approve(server, name):
    number, = waiting(server, name)
    done = decide(server, "approve", number, "--message", "seen on my desk")
    assert done.returncode == 0, done
    assert f"Request {number} is approved, and its certificate issued." in done.stdout
    return number


def test_approval_poll_gets_the_certificate(new_device, client_kind, watched, server, name):
    device = new_device(client_kind, "watched")
    assert device.enroll(watched["watched"]).status == PENDING
    assert device.poll().status == PENDING
    number, = waiting(server, name)
    seen = shown(server, number)
    assert (seen["status"], seen["approval"]["content"]["subject"]) == ("pending_approval", f"CN={name}")
    assert [entry["check"] for entry in seen["approval"]["trace"] if entry["verdict"] != "pass"] == ["approval.officer"]
    approve(server, name)
    reply = device.poll()
    assert reply.status == SUCCESS
    assert reply.certificate.subject.rfc4514_string() == f"CN={name}"
    assert waiting(server, name) == []
    # Of several nodes each numbers its own records.
    actors = {record["action"]: record["actor"] for record in server.explain(str(number))}
    assert set(actors) == {"request.awaiting_approval", "request.approved", "enrollment.intent", "enrollment.issued"}
    assert actors["request.approved"].startswith("local uid ")


def test_approval_repeated_message_waits_and_is_answered(new_device, watched, server, name):
    device = new_device(endpoint="watched")
    message = device.enroll_message(watched["watched"])
    assert [device.ask(message).status for _ in range(2)] == [PENDING, PENDING]
    assert len(waiting(server, name)) == 1
    approve(server, name)
    first, again = device.ask(message), device.enroll(watched["watched"])
    assert (first.status, again.status) == (SUCCESS, SUCCESS)
    assert first.certificates == again.certificates
    assert len([row for row in server.all_certificates() if row["subject"] == f"CN={name}"]) == 1


@pytest.mark.parametrize("endpoint, text", [("watched", "an officer declined the request"), ("told", "an officer declined the request: nobody knows this one")])
def test_approval_declined(new_device, watched, server, name, endpoint, text):
    device = new_device(endpoint=endpoint)
    message = device.enroll_message(watched[endpoint])
    assert device.ask(message).status == PENDING
    device.enroll(watched[endpoint])
    number, = waiting(server, name)
    assert decide(server, "decline", number, "--message", "nobody knows this one").returncode == 0
    for reply in (device.poll(), device.ask(message)):
        assert (reply.status, reply.fail_info, reply.text) == (FAILURE, "badRequest", text)
    assert waiting(server, name, "declined") == [number]
    again = decide(server, "decline", number, "--message", "twice")
    assert again.returncode == 1 and "was declined by local uid " in again.stderr
    # Somebody thinks otherwise: whoever asks again is answered.
    assert decide(server, "approve", number).returncode == 0
    assert device.ask(message).status == SUCCESS


def test_approval_poll_of_a_stranger(new_device, watched, server, name):
    device, stranger = new_device(endpoint="watched"), new_device(endpoint="watched")
    message = device.enroll_message(watched["watched"])
    assert device.ask(message).status == PENDING
    approve(server, name)
    reply = stranger.ask(poll_by_another(stranger, message))
    assert (reply.status, reply.fail_info) == (FAILURE, "badCertId")


def test_approval_of_what_has_changed_is_void(new_device, watched, server, name, tmp_path):
    device = new_device(endpoint="watched")
    assert device.enroll(watched["watched"]).status == PENDING
    number, = waiting(server, name)
    seen = shown(server, number)["approval"]["contentHash"]
    document = tmp_path / "shorter.toml"
    try:
        text = (HERE / "approval.toml").read_text().replace("{generate = true}", '"keep"')
        document.write_text(text.replace('"30d"', '"20d"'))
        server.apply(document)
        done = decide(server, "approve", number, "--content", seen)
        assert done.returncode == 1
        assert "waits again: an officer must approve the request: since it was approved this has changed: term, profile" in done.stdout
        assert device.poll().status == PENDING
        stale = decide(server, "approve", number, "--content", seen)
        assert stale.returncode == 1 and "resolves to something else than you saw" in stale.stderr
        approve(server, name)
        certificate = device.poll().certificate
        assert (certificate.not_valid_after - certificate.not_valid_before).days == 19
    finally:
        document.write_text(text)
        server.apply(document)


def test_approval_survives_a_restart(new_device, watched, server, name):
    if not hasattr(server, "pid"):
        pytest.skip("one server alone is restarted: of several another one serves meanwhile")
    device = new_device(endpoint="watched")
    assert device.enroll(watched["watched"]).status == PENDING
    server.kill()
    server.start()
    assert device.poll().status == PENDING
    approve(server, name)
    assert device.poll().status == SUCCESS


def test_approval_lapses(tmp_path_factory, name):
    """A server of its own: its clock goes a week ahead."""
    server = Postern(os.environ["POSTERN"], tmp_path_factory.mktemp("lapse"), SUFFIX)
    server.start()
    try:
        code = server.apply(HERE / "approval.toml")["watched"]["accessCode"]
        device = Device(server.scep("watched"), STYLES["apple"], subject=[("CN", name)]).discover()
        assert device.enroll(code).status == PENDING
        server.cli("clock", "advance", "6d")
        assert device.poll().status == PENDING
        number, = waiting(server, name)
        server.cli("clock", "advance", "1d")
        reply = device.poll()
        while reply.status == PENDING:  # until a round has come by
            reply = device.poll()
        assert (reply.status, reply.fail_info, reply.text) == (FAILURE, "badRequest", "no officer decided the request in time")
        late = decide(server, "approve", number)
        assert late.returncode == 1 and f"request {number} is rejected" in late.stderr
        assert [record["action"] for record in server.explain(str(number))] == ["request.awaiting_approval", "request.lapsed"]
        assert device.enroll(code).status == PENDING  # it may ask anew
        assert waiting(server, name) != [number]
    finally:
        server.stop()


def test_approval_strongswan_waits_for_the_officer(watched, server, name, tmp_path):
    """It polls by itself until it has the certificate."""
    client = StrongSwan(server.scep("watched"), tmp_path).discover()
    client.new_key("key.pem")
    command = ["pki", "--scep", "--url", client.url, "--cacert-enc", "ra.pem", "--cacert-sig", "ra.pem", "--cacert", "ca-1.pem", "--cacert", "ca.pem",
               "--outform", "pem", "--in", "key.pem", "--dn", f"CN={name}", "--password", watched["watched"], "--interval", "1", "--maxpolltime", "60"]
    with (tmp_path / "cert.pem").open("wb") as out, (tmp_path / "words").open("wb") as words:
        running = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=out, stderr=words, env=environment())
        try:
            while not waiting(server, name):
                assert running.poll() is None, (tmp_path / "words").read_text()
            approve(server, name)
            assert running.wait(90) == 0, (tmp_path / "words").read_text()
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
    assert b"BEGIN CERTIFICATE" in (tmp_path / "cert.pem").read_bytes()
    assert "pending" in (tmp_path / "words").read_text().lower()


def test_approval_strongswan_hears_a_no(watched, server, name, tmp_path):
    client = StrongSwan(server.scep("watched"), tmp_path).discover()
    client.new_key("key.pem")
    done = client.scep("none.pem", "--in", "key.pem", "--dn", f"CN={name}", "--password", watched["watched"], "--interval", "1", "--maxpolltime", "1")
    assert done.returncode != 0  # nobody said yes in its time
    number, = waiting(server, name)
    assert decide(server, "decline", number, "--message", "no").returncode == 0
    done = client.scep("none.pem", "--in", "key.pem", "--dn", f"CN={name}", "--password", watched["watched"])
    assert done.returncode != 0
    assert "badRequest" in client.words(done)
