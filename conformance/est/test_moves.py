"""Certificates of other CAs whose status is asked there: a predecessor's that renew, a manufacturer's that enroll."""
import json
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.est_client import refused, subject
from harness.predecessor import Predecessor

PEM = serialization.Encoding.PEM


@pytest.fixture
def old(tmp_path):
    with Predecessor(tmp_path, "maker") as predecessor:
        yield predecessor


@pytest.fixture
def held(old):
    """Makes a device that holds a certificate of it."""

    def make(name):
        key, der = old.issue(name)
        chain, private = old.folder / f"{name}.pem", old.folder / f"{name}.key"
        chain.write_bytes(x509.load_der_x509_certificate(der).public_bytes(PEM) + old.issuing.pem)
        private.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return SimpleNamespace(chain=chain, key=private, der=der)

    return make


def test_imported_certificate_renews_while_it_stands(est, server, old, held, name):
    device, other = held("gate-1"), held("gate-2")
    server.cli("ca", "import", "--predecessor", "old-gates", "--cert", old.chain, "--ocsp", old.ocsp_url)
    listed = old.folder / "export.pem"
    listed.write_bytes(x509.load_der_x509_certificate(device.der).public_bytes(PEM))
    done = json.loads(server.cli("cert", "import", "--predecessor", "old-gates", "--endpoint", "routers", "--account", "operator", listed, "--json"))
    assert done["added"] == 1
    refused(est.reenroll("routers", est.request("/CN=gate-1/O=More"), device), 403, "renewal.names")
    refused(est.reenroll("routers", est.request("/CN=gate-2"), other), 403, "renewal.record")
    refused(est.reenroll("listed", est.request("/CN=gate-1"), device), 403, "renewal.record")
    answer = est.reenroll("routers", est.request("/CN=gate-1"), device)
    assert answer.status == 200 and subject(answer) == "CN=gate-1", answer.text
    assert est.reenroll("routers", est.request("/CN=gate-1"), answer).status == 200
    old.revoke(device.der)
    refused(est.reenroll("routers", est.request("/CN=gate-1"), device), 403, "renewal.predecessor")


def test_manufacturer_says_what_was_revoked(est, server, old, held):
    server.cli("ca", "import", "--predecessor", "maker-ca", "--cert", old.chain, "--ocsp", old.ocsp_url)
    document = old.folder / "maker.toml"
    document.write_text("".join(f'''
[[endpoint]]
name = "{name}"
protocol = "est"
profiles = ["router"]
[[account]]
name = "{name}"
endpoint = "{name}"
method = "certificate"
common_names = ["*"]
device_serial = "common-name"
revocation = "{who}"
trust_anchors = """
{old.root.pem.decode()}"""
''' for name, who in (("asked", "maker-ca"), ("asked-nobody", "gone"))), encoding="utf-8")
    server.apply(document)
    good, bad = held("unit-1"), held("unit-2")
    old.revoke(bad.der)
    assert est.enroll("asked", est.request("/CN=unit-1"), identity=good).status == 200
    refused(est.enroll("asked", est.request("/CN=unit-2"), identity=bad), 403, "credential.revoked")
    refused(est.enroll("asked-nobody", est.request("/CN=unit-1"), identity=good), 403, "credential.revoked", "there is no predecessor gone")
    old.ocsp_status = 500
    refused(est.enroll("asked", est.request("/CN=unit-1"), identity=good), 403, "credential.revoked")
