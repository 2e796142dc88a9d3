"""A device's life, from its factory certificate to its revocation: one server of its own, whose clock goes forward."""
import base64
import json
import os
import time
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509

from harness import der, pkcs10
from harness.manufacturer import Manufacturer
from harness.row_table import row
from harness.server import Postern
from harness.suite import SUFFIX
from strict.attributes import TEMPLATE, elements, of
from strict.probe import Endpoint, Probe, Target, certificates

SECONDS = 60  # bounds a hang
DOCUMENT = """
[[profile]]
name = "machine"
lifetime = "10d"
keys = ["ec-p256"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN", "serialNumber"]
require_binding = true
renew_after_expiry = "5d"

[[endpoint]]
name = "machines"
protocol = "est"
profiles = ["machine"]

[[account]]
name = "factory"
endpoint = "machines"
method = "certificate"
common_names = ["*"]
serial_numbers = ["*"]
first_use = true
trust_anchors = '''
{anchor}'''
"""
SERIAL = "SN-7001"


@pytest.fixture
def world(tmp_path_factory):
    """(the server, a device as it left the factory, what it asks with)."""
    folder = tmp_path_factory.mktemp("life")
    maker = Manufacturer(folder)
    server = Postern(os.environ["POSTERN"], folder, SUFFIX)
    server.start()
    try:
        document = folder / "life.toml"
        document.write_text(DOCUMENT.format(anchor=maker.root.pem), encoding="utf-8")
        server.apply(document)
        with Probe(Target(Endpoint(server.est("machines")), str(server.root)), "life") as probe:
            probe.common_name = SERIAL
            yield server, maker.device(SERIAL), probe
    finally:
        server.stop()


def until(condition, what):
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


def subject(probe):
    return probe.subject(("serialNumber", SERIAL))


def ask(probe, files, key, operation, tls="1.3", bound=True):
    """Bound to its connection, as the template asks."""
    wire = probe.connect(identity=files, tls=tls)
    text = base64.b64encode(wire.binding()).decode()
    csr = pkcs10.csr(key, subject(probe), probe.random, challenges=[pkcs10.challenge(text)] if bound else [])
    return probe.enroll(csr, operation, wire=wire, user="")


def certified(probe, files, operation, tls="1.3"):
    """The next certificate, of a new key."""
    key = probe.key()
    return probe.owner(probe.certificate(ask(probe, files, key, operation, tls), key), key)


def refused(probe, answer, status, check):
    probe.status(answer, status)
    assert answer.text.startswith(f"{status} {check}: "), answer.text


def authorities(probe):
    return [x509.load_der_x509_certificate(each) for each in certificates(probe.get("cacerts"))]


@row("E03", "E04", "E05")
def test_life(world):
    server, device, probe = world
    factory = (device.chain, device.key)

    # csrattrs tells it what to ask for.
    template, = of(elements(probe), TEMPLATE)
    asked = template[0].raw
    assert all(der.oid(each) in asked for each in (pkcs10.TYPES["CN"], pkcs10.TYPES["serialNumber"], "1.2.840.10045.3.1.7", pkcs10.CHALLENGE_PASSWORD))

    # Its first certificate, by the manufacturer's, bound to the connection and not without.
    refused(probe, ask(probe, factory, probe.key(), "simpleenroll", bound=False), 400, "proof.binding")
    refused(probe, ask(probe, factory, probe.key(), "simplereenroll"), 403, "renewal.record")
    key = probe.key()
    first = probe.owner(probe.certificate(ask(probe, factory, key, "simpleenroll"), key), key)
    records = json.dumps(server.explain(f"{first.certificate.serial_number:032x}"))
    assert "manufacturer" in records and SERIAL in records

    # Before its end.
    second = certified(probe, first.files, "simplereenroll", "1.2")
    assert second.certificate.serial_number != first.certificate.serial_number

    # After its end, within the grace, by simplereenroll alone.
    server.cli("clock", "advance", "12d")
    refused(probe, ask(probe, second.files, probe.key(), "simpleenroll"), 403, "renewal.validity")
    third = certified(probe, second.files, "simplereenroll")

    # The CA is succeeded: cacerts shows both, then who issued before still re-enrolls, and gets a certificate of the new one.
    before = authorities(probe)
    begins = datetime.now(timezone.utc) + timedelta(days=14)
    made = json.loads(server.cli("ca", "rollover", "--at", begins.strftime("%Y-%m-%dT%H:%M:%SZ"), "--json"))
    overlap = until(lambda: len(now := authorities(probe)) > len(before) and now, "cacerts lacks the successor")
    assert overlap[-1] == before[-1] and set(before) < set(overlap)
    successor = next(each for each in overlap if each not in before)
    assert successor.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex() == made["authority"]
    assert third.certificate.issuer == before[0].subject
    server.cli("clock", "advance", "3d")
    until(lambda: authorities(probe)[0] == successor, "the successor does not take over")
    fourth = certified(probe, third.files, "simplereenroll")
    assert fourth.certificate.issuer == successor.subject

    # Revoked: nothing renews it, and no password or factory certificate of another key makes it good.
    server.cli("cert", "revoke", f"{fourth.certificate.serial_number:032x}")
    for operation in ("simplereenroll", "simpleenroll"):
        refused(probe, ask(probe, fourth.files, probe.key(), operation), 403, "renewal.status")
    statuses = {int(each["serial"], 16): each["status"] for each in server.all_certificates() if SERIAL in each["subject"]}
    assert statuses[fourth.certificate.serial_number] == "revoked" and len(statuses) == 4
