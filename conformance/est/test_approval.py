"""An officer decides (docs/approval.md): 202, what the poll reads afterwards, and who does not."""
import pytest

from harness.officer import waiting
from harness.row_table import row
from programs import Curl, StrongSwan
from strict.probe import Endpoint, Probe, Target


def decide(server, verb, name, message):
    number, = waiting(server, name)
    done = server.verb("request", verb, number, "--message", message, "--data", server.data)
    assert done.returncode == 0, done
    return number


@pytest.fixture
def device(server, fleet, name):
    """Asks as the account fleet-watched; its common name is the case's."""
    with Probe(Target(Endpoint(server.est("fleet-watched"), fleet["fleet-watched"]), str(server.root)), name) as probe:
        probe.common_name = name
        yield probe


def pending(device, answer):
    device.status(answer, 202)
    wait = answer.get("Retry-After")
    assert wait.isdigit() and 30 <= int(wait) <= 86400
    assert answer.media_type in ("", "text/plain") and b"BEGIN" not in answer.body


def test_approval_poll_gets_the_certificate(device, server, name):
    """The CSR's octets differ each time: on TLS 1.3, bound to each connection."""
    key = device.key()
    for _ in range(2):
        wire = device.connect(tls="1.3")
        pending(device, device.enroll(device.bound_csr(wire, key), wire=wire))
    number = decide(server, "approve", name, "seen on my desk")
    wire = device.connect(tls="1.2")
    made = device.certificate(device.enroll(device.bound_csr(wire, key), wire=wire), key)
    again = device.certificate(device.enroll(device.csr(key)), key)
    assert again == made
    assert waiting(server, name) == []
    assert {each["action"] for each in server.explain(str(number))} >= {"request.awaiting_approval", "request.approved", "enrollment.issued"}
    assert len(server_has(server, name)) == 1


def server_has(server, name):
    return [each for each in server.all_certificates() if each["subject"] == f"CN={name}"]


@row("E09")
def test_approval_another_key_is_judged_by_itself(device, server, name):
    key, other = device.key(), device.key()
    pending(device, device.enroll(device.csr(key)))
    first, = waiting(server, name)
    decide(server, "approve", name, "this one")
    pending(device, device.enroll(device.csr(other)))
    second, = waiting(server, name)
    assert first != second
    device.certificate(device.enroll(device.csr(key)), key)


@row("E09")
def test_approval_other_names_are_judged_by_themselves(device, server, name):
    from harness import pkcs10
    key = device.key()
    pending(device, device.enroll(device.csr(key)))
    decide(server, "approve", name, "this one")
    other = pkcs10.name([("CN", name + "-boss")])
    pending(device, device.enroll(device.csr(key, other)))
    assert len(waiting(server, name + "-boss")) == 1 and server_has(server, name + "-boss") == []
    assert device.certificate(device.enroll(device.csr(key)), key).subject.rfc4514_string() == f"CN={name}"


@row("E09")
def test_approval_another_client_is_not_given_it(device, server, fleet, name):
    """The same octets by another account, and by nobody."""
    key = device.key()
    csr = device.csr(key)
    pending(device, device.enroll(csr))
    decide(server, "approve", name, "this one")
    pending(device, device.enroll(csr, user=fleet["fleet-stranger"]))
    device.status(device.enroll(csr, user=""), 401)
    device.certificate(device.enroll(csr), key)


def test_approval_declined(device, server, name):
    key = device.key()
    pending(device, device.enroll(device.csr(key)))
    decide(server, "decline", name, "nobody knows this one")
    answer = device.status(device.enroll(device.csr(key)), 403)
    assert "an officer declined the request" in answer.text and len(answer.text.splitlines()) == 1
    assert server_has(server, name) == []


def test_approval_curl_asks_until_it_is_answered(server, fleet, name, tmp_path):
    curl = Curl(server, tmp_path)
    curl.new_key()
    url, body = server.est("fleet-watched") + "/simpleenroll", curl.request(name)
    status, text = curl.post(url, body, "-u", fleet["fleet-watched"])
    assert status == 202 and text.startswith("202 pending: "), text
    decide(server, "approve", name, "seen")
    status, text = curl.post(url, body, "-u", fleet["fleet-watched"])
    assert status == 200, text
    curl.unpack("answer")
    assert curl.subject() == f"CN={name}"


def test_approval_strongswan_asks_again_with_its_password(server, fleet, name, tmp_path):
    """Its own poll shows neither password nor certificate (5.9.8) and is refused: it is started again."""
    client = StrongSwan(server, tmp_path, "fleet-watched")
    client.new_key()
    request = client.request(name)
    early = client.est(request, "--userpass", fleet["fleet-watched"], "--interval", "1", "--maxpolltime", "1", output="none.pem")
    assert early.returncode != 0 and "pending" in client.words(early), client.words(early)
    decide(server, "approve", name, "seen")
    done = client.est(request, "--userpass", fleet["fleet-watched"])
    assert done.returncode == 0, client.words(done)
    assert client.subject() == f"CN={name}"


def test_approval_bouncycastle_is_told_when_to_come_again(server, fleet, classes, name, tmp_path):
    from programs import BouncyCastle
    user, _, password = fleet["fleet-watched"].partition(":")
    status, said = BouncyCastle(server, tmp_path, classes).ask("enroll", "fleet-watched", f"subject=CN={name}", f"user={user}", f"password={password}")
    assert status == 0 and 0 < int(said["pending"]) <= 86400, said
    assert len(waiting(server, name)) == 1
