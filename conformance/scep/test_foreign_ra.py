"""SCEP endpoints of a CA behind a command: real strongSwan and simulated devices, at once and after the CA has taken its time."""
import json
import time

import pytest
from harness import scep_backend
from harness.backends import StandInCa
from harness.scep_device import Device
from harness.scep_reply import PENDING, SUCCESS
from harness.scep_style import STYLES
from harness.wire import ask
from test_clients import StrongSwan

SECONDS = 60


def until(condition, what):
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


@pytest.fixture
def foreign(server, name, tmp_path):
    """Describes a stand-in CA and its endpoint: (CA, URL, code)."""
    def make(**plan):
        ca = StandInCa(tmp_path / "ca", name[-30:].strip("-"))
        ca.behave(**plan)
        path = tmp_path / "foreign.toml"
        path.write_text(scep_backend.document(ca, scep_backend.by_profile(ca)))
        report = json.loads(server.cli("apply", path, "--json"))
        [code] = [secret["accessCode"] for secret in report["secrets"] if secret.get("accessCode")]
        return ca, server.scep(f"{ca.name}-scep"), code
    return make


def caps(url):
    return ask(url + "?operation=GetCACaps").status


def enrolls(kind, url, code):
    device = Device(url, STYLES[kind], subject=[("CN", "phone-1")]).discover()
    reply = device.enroll(code)
    assert (reply.status, reply.certificate.issuer.rfc4514_string()) == (SUCCESS, "CN=issuing")


@pytest.mark.parametrize("kind", ["apple", "windows", "android", "cisco"])
def test_foreign_ca_at_once(foreign, kind):
    _, url, code = foreign()
    until(lambda: caps(url) == 200, "no RA certificate")
    enrolls(kind, url, code)


def test_foreign_ca_strongswan(foreign, tmp_path):
    _, url, code = foreign()
    until(lambda: caps(url) == 200, "no RA certificate")
    client = StrongSwan(url, tmp_path).discover()
    client.new_key("key.pem")
    done = client.scep("cert.pem", "--in", "key.pem", "--dn", "CN=gateway-1", "--password", code)
    assert done.returncode == 0, client.words(done)
    assert "Issued certificate is trusted" in client.words(done)


def test_foreign_ca_after_pending(foreign):
    ca, url, code = foreign(issue="pending", poll="pending")
    until(lambda: ca.submissions(), "the RA's certificate is not asked for")
    until(lambda: caps(url) == 503, "it is there, or nowhere")
    ca.behave(issue="pending")
    until(lambda: caps(url) == 200, "no RA certificate")
    device = Device(url, STYLES["apple"], subject=[("CN", "phone-1")]).discover()
    assert device.enroll(code).status == PENDING
    assert until(lambda: (now := device.poll()).status == SUCCESS and now, "the device's does not come")
    assert set(ca.submissions().values()) == {1}
