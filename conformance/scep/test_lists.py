"""GetCRL (RFC 8894 §3.3.5): for the holder of a certificate, where the endpoint gives it."""
import pytest
from cryptography import x509
from harness.scep_reply import FAILURE, SUCCESS
from harness.suite import node_count
from harness.waiting import until


@pytest.fixture
def holder(new_device, codes, client_kind):
    """One with a certificate of the endpoint that gives CRLs."""
    device = new_device(client_kind, "lists")
    assert device.enroll(codes["lists"]).status == SUCCESS
    return device


def crl(reply):
    assert (reply.status, len(reply.crls), reply.certificates) == (SUCCESS, 1, [])
    return x509.load_der_x509_crl(reply.crls[0])


def test_crl_of_ones_own_certificate(holder, server):
    first = crl(holder.get_crl())
    leaf = x509.load_der_x509_certificate(holder.certificate)
    issuer = x509.load_der_x509_certificate(holder.issuer)
    assert first.issuer == leaf.issuer and first.is_signature_valid(issuer.public_key())
    assert not first.get_revoked_certificate_by_serial_number(leaf.serial_number)
    server.cli("cert", "revoke", f"{leaf.serial_number:032x}")
    # The holder of a revoked certificate may still read that it is.
    def listed():
        now = crl(holder.get_crl())
        return now if now.get_revoked_certificate_by_serial_number(leaf.serial_number) else None
    # The node that revoked it says so at once; others look for new lists every second.
    second = until(listed, "the certificate is not listed") if node_count() > 1 else listed()
    assert second, "the node that revoked it does not list it"
    number = [each.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for each in (first, second)]
    assert number[0] < number[1]


def refused(reply, fail_info, text):
    assert (reply.status, reply.fail_info) == (FAILURE, fail_info) and text in reply.text, reply


def test_crl_of_anothers_certificate(new_device, codes, name):
    one, other = (new_device("android", "lists", f"{name[:50]}-{i}") for i in "12")
    for device in (one, other):
        assert device.enroll(codes["lists"]).status == SUCCESS
    refused(one.get_crl(other.certificate), "badCertId", "there is no such certificate of the key that signed the request")
    # Nor of the CA's own: serials of others tell nothing here.
    refused(one.get_crl(one.issuer), "badCertId", "there is no such certificate")


def test_crl_for_a_stranger(new_device, codes):
    holder, stranger = new_device("android", "lists"), new_device("android", "lists")
    assert holder.enroll(codes["lists"]).status == SUCCESS
    refused(stranger.get_crl(holder.certificate), "badCertId", "there is no such certificate")


def test_crl_of_another_endpoints_certificate(new_device, codes):
    device = new_device("android")
    assert device.enroll(codes["phones"]).status == SUCCESS
    device.url = device.url.replace("/phones", "/lists")
    device.discover()
    refused(device.get_crl(), "badCertId", "there is no such certificate")


def test_crl_where_nobody_switched_it_on(device, codes):
    assert device.enroll(codes["phones"]).status == SUCCESS
    refused(device.get_crl(), "badRequest", "this endpoint gives no CRLs; each is at the URL in its certificate")
