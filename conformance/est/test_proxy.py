"""RFC 9440: a proxy that proves itself says who the device is; nobody else does."""
import base64
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.est_client import EstClient, refused
from harness.manufacturer import Manufacturer
from harness.server import Postern


def item(certificate):
    return ":" + base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode() + ":"


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    folder = tmp_path_factory.mktemp("behind")
    maker, own = Manufacturer(folder), tmp_path_factory.mktemp("proxies")
    proxy = Manufacturer(own, "Proxies").device("proxy")
    known = folder / "proxy.pem"
    known.write_bytes(proxy.certificate.public_bytes(serialization.Encoding.PEM))
    config = folder / "postern.toml"
    config.write_text(f'[est]\nproxy_certificates = ["{known}"]\n', encoding="utf-8")
    server = Postern(os.environ["POSTERN"], folder, "behind.test", options=("--config", config))
    server.start()
    try:
        document = folder / "behind.toml"
        document.write_text(f'''
[[profile]]
name = "router"
lifetime = "30d"
extended_key_usage = ["clientAuth"]
common_name = "text"
[[endpoint]]
name = "routers"
protocol = "est"
profiles = ["router"]
[[account]]
name = "factory"
endpoint = "routers"
method = "certificate"
common_names = ["*"]
trust_anchors = """
{maker.root.pem}"""
''', encoding="utf-8")
        server.apply(document)
        server.stop()
        server.start()
        yield server, maker, proxy, folder
    finally:
        server.stop()


def test_proxy_says_who(behind, tmp_path):
    server, maker, proxy, _ = behind
    est, device = EstClient(server, tmp_path), maker.device("SN-5001")
    said = [f"Client-Cert: {item(device.certificate)}", f"Client-Cert-Chain: {item(maker.issuing.certificate)}"]
    request = est.request("/CN=SN-5001")
    answer = est.enroll("routers", request, identity=proxy, headers=said)
    assert answer.status == 200, answer.text
    own = x509.load_pem_x509_certificate(answer.chain.read_bytes())
    again = est.ask("routers", "simplereenroll", request, identity=proxy, headers=[f"Client-Cert: {item(own)}"])
    assert again.status == 200, again.text
    # The proxy itself is nobody, and its chain leads nowhere without the one that it forwards.
    refused(est.enroll("routers", request, identity=proxy), 401, "credential.known")
    refused(est.enroll("routers", request, identity=proxy, headers=said[:1]), 403, "credential.chain")
    for wrong in (["Client-Cert: MIIB"], [said[0], said[0]], said[1:], ["Client-Cert: :!:"]):
        refused(est.enroll("routers", request, identity=proxy, headers=wrong), 400, "est.proxy")


def test_nobody_else_does(behind, tmp_path):
    server, maker, _, _ = behind
    est, device = EstClient(server, tmp_path), maker.device("SN-5002")
    said = [f"Client-Cert: {item(device.certificate)}", f"Client-Cert-Chain: {item(maker.issuing.certificate)}"]
    request = est.request("/CN=SN-5002")
    refused(est.enroll("routers", request, headers=said), 401, "credential.known")
    stranger = maker.device("SN-5003")
    refused(est.enroll("routers", request, identity=stranger, headers=said), 403, "device.names", "SN-5003")


def test_binding_is_not_known_behind_it(behind, tmp_path):
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID, AttributeOID
    from harness.manufacturer import new_key
    server, maker, proxy, _ = behind
    est, device = EstClient(server, tmp_path), maker.device("SN-5004")
    csr = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SN-5004")]))
           .add_attribute(AttributeOID.CHALLENGE_PASSWORD, base64.b64encode(b"x" * 32)).sign(new_key(), hashes.SHA256()))
    request = est.request("/CN=SN-5004")
    request.file.write_bytes(csr.public_bytes(serialization.Encoding.PEM))
    said = [f"Client-Cert: {item(device.certificate)}", f"Client-Cert-Chain: {item(maker.issuing.certificate)}"]
    refused(est.enroll("routers", request, identity=proxy, headers=said), 400, "proof.binding")


def test_a_file_that_is_gone_stops_the_start(behind, tmp_path):
    _, _, _, folder = behind
    own = tmp_path / "own"
    own.mkdir()
    config = own / "postern.toml"
    config.write_text(f'[est]\nproxy_certificates = ["{folder / "nothing.pem"}"]\n', encoding="utf-8")
    status, said = Postern(os.environ["POSTERN"], own, "gone.test", options=("--config", config)).start_refused()
    assert status != 0 and "nothing.pem holds no certificate" in said
