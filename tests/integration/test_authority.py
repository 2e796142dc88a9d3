"""The CA as relying parties see it: chain and CRL over plain HTTP."""
import json
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from harness import pki
from harness.clients import Lego
from harness.load import enroll
from harness.wire import ask

NET_SECONDS = 60


def obtained(server, serial):
    return x509.load_pem_x509_certificate(json.loads(server.cli("cert", "show", serial, "--json"))["pem"].encode())


def crl_url(certificate):
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    return points[0].full_name[0].value


def number(crl):
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def fetch(url):
    answer = ask(url)
    assert answer.status == 200
    return answer, x509.load_der_x509_crl(answer.body)


def test_a_revocation_raises_the_number_of_the_crl_and_is_listed(server, tmp_path):
    serial = enroll(server, tmp_path)[0][1]
    url = crl_url(obtained(server, serial))
    answer, before = fetch(url)
    assert answer.headers["Content-Type"] == "application/pkix-crl"
    assert before.get_revoked_certificate_by_serial_number(int(serial, 16)) is None
    server.cli("cert", "revoke", serial, "--reason", "1")
    end = time.monotonic() + NET_SECONDS
    entry = None
    while entry is None:
        assert time.monotonic() < end, "the revoked certificate is not on the CRL"
        after = fetch(url)[1]
        entry = after.get_revoked_certificate_by_serial_number(int(serial, 16))
    assert number(after) > number(before)
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.key_compromise


def test_a_crl_that_the_client_has_is_not_sent_again(server, tmp_path):
    url = crl_url(obtained(server, enroll(server, tmp_path)[0][1]))
    answer, _ = fetch(url)
    again = ask(url, If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_the_files_of_the_ca(server, tmp_path):
    leaf = obtained(server, enroll(server, tmp_path)[0][1])
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    issuer_url = next(d.access_location.value for d in access
                      if d.access_method == x509.AuthorityInformationAccessOID.CA_ISSUERS)
    assert issuer_url.startswith("http://")
    answer = ask(issuer_url)
    assert answer.headers["Content-Type"] == "application/pkix-cert"
    issuer = x509.load_der_x509_certificate(answer.body)
    assert issuer.subject == leaf.issuer
    root_crl = fetch(crl_url(issuer))[1]
    folder = issuer_url.rpartition("/")[0]
    root_pem = Path(server.root).read_bytes()
    assert ask(folder + "/root.pem").body == root_pem
    assert ask(folder + "/chain.pem").body.endswith(root_pem)
    root = x509.load_pem_x509_certificate(root_pem)
    assert root_crl.is_signature_valid(root.public_key())
    assert ask(folder + "/other.pem").status == 404


@pytest.mark.parametrize("issuing_key, size", [("rsa-2048", 2048), ("rsa-3072", 3072)])
def test_an_rsa_issuing_ca_below_a_p384_root(new_server, issuing_key, size, tmp_path):
    server = new_server()
    config = server.data.parent / "postern.toml"
    config.write_text(f'[ca]\nname = "Example"\nroot_key = "ec-p384"\nissuing_key = "{issuing_key}"\n')
    server.options = ("--config", config)
    server.start()
    run = Lego(server, tmp_path).issue("rsa." + server.suffix)
    assert run.status == 0, run.output
    holds, said = pki.verify(run.certificate, run.chain, server.root, tmp_path)
    assert holds, said
    issuing = x509.load_pem_x509_certificate(run.chain.read_bytes())
    root = x509.load_pem_x509_certificate(Path(server.root).read_bytes())
    assert isinstance(issuing.public_key(), rsa.RSAPublicKey) and issuing.public_key().key_size == size
    assert isinstance(root.public_key().curve, ec.SECP384R1)
    assert "O=Example" in root.subject.rfc4514_string()
