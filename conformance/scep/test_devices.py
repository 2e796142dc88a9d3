"""What devices of each kind do: enroll, ask again, renew, fetch."""
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from harness import pki, scep_message as cms
from harness.row_table import row
from harness.scep_reply import FAILURE, SUCCESS
from harness.suite import node_count


def pem(der):
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM).decode()


def subject(reply):
    return reply.certificate.subject.rfc4514_string()


def test_enroll(device, codes, server, name, tmp_path):
    reply = device.enroll(codes["phones"])
    assert (reply.status, reply.text) == (SUCCESS, None)
    assert subject(reply) == f"CN={name}"
    assert reply.certificate.public_key().public_numbers() == device.key.public_key().public_numbers()
    [usage] = reply.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert usage == x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")
    leaf, chain = tmp_path / "leaf.pem", tmp_path / "chain.pem"
    leaf.write_text(pem(reply.certificates[0]))
    chain.write_text("".join(map(pem, device.bag)))
    holds, said = pki.verify(leaf, chain, server.root, tmp_path)
    assert holds, said


@row("S11")
def test_lost_answer_is_repeated(device, codes, server, name):
    message = device.enroll_message(codes["phones"])
    first, second = device.ask(message), device.ask(message)
    assert first.status == second.status == SUCCESS
    assert first.certificates == second.certificates
    again = device.enroll(codes["phones"])  # of the same key: another message, the same request
    assert again.certificates == first.certificates
    assert len([row for row in server.all_certificates() if row["subject"] == f"CN={name}"]) == 1


def test_renew_with_a_new_key(device, codes):
    old = device.enroll(codes["phones"]).certificate
    reply = device.renew(device.new_key(), codes["phones"])
    assert reply.status == SUCCESS
    assert reply.certificate.serial_number != old.serial_number
    assert reply.certificate.subject == old.subject
    assert reply.certificate.public_key().public_numbers() != old.public_key().public_numbers()


@row("S06")
def test_wrong_challenge(device, codes, server, name):
    reply = device.enroll(codes["phones"][::-1])
    assert (reply.status, reply.fail_info, reply.text) == (FAILURE, "badRequest", "the challenge is not known at this endpoint")
    assert [row for row in server.all_certificates() if row["subject"] == f"CN={name}"] == []


@pytest.mark.parametrize("kind", ["cisco", "strongswan"])
def test_renew_with_the_old_certificate_and_the_same_key(new_device, codes, kind):
    device = new_device(kind)
    old = device.enroll(codes["phones"]).certificate
    reply = device.renew()
    assert reply.status == SUCCESS
    assert reply.certificate.serial_number != old.serial_number
    assert reply.certificate.public_key().public_numbers() == old.public_key().public_numbers()


def test_get_cert_of_the_own_key(new_device, codes):
    device = new_device()
    own = device.enroll(codes["phones"])
    assert device.get_cert().certificates == own.certificates


@row("S12")
def test_get_cert_of_somebody_else(new_device, codes, name):
    device, other = new_device(), new_device(subject=f"{name[:60]}-2")
    device.enroll(codes["phones"])
    theirs = other.enroll(codes["phones"])
    reply = device.get_cert(theirs.certificates[0])
    assert (reply.status, reply.fail_info) == (FAILURE, "badCertId")


def test_old_devices_where_they_are_allowed(new_device, codes):
    device = new_device(endpoint="old")
    reply = device.ask(device.enroll_message(codes["old"], digest="sha1", cipher="des3-cbc", leaf_only=False))
    assert reply.status == SUCCESS
    issuer = x509.load_der_x509_certificate(reply.certificates[1])
    assert reply.certificate.issuer == issuer.subject


@row("S10")
@pytest.mark.parametrize("knobs", [{"digest": "sha1"}, {"cipher": "des3-cbc"}], ids=["sha1", "3des"])
def test_old_algorithms_elsewhere(new_device, codes, knobs):
    device = new_device()
    reply = device.ask(device.enroll_message(codes["phones"], **knobs))
    assert (reply.status, reply.fail_info) == (FAILURE, "badAlg")


@row("S03")
def test_no_renewal_where_it_is_off(new_device, codes):
    device = new_device("strongswan", "strict")
    device.style = replace(device.style, post=True)
    assert "Renewal" not in device.caps
    assert device.enroll(codes["strict"]).status == SUCCESS
    reply = device.ask(device.renew_message(kind=cms.RENEWAL_REQ))
    assert reply.status == FAILURE
    reply = device.ask(device.renew_message(kind=cms.PKCS_REQ))
    assert (reply.fail_info, reply.text) == ("badRequest", "the request has no challenge")


def test_no_get_where_it_is_off(new_device, codes):
    device = new_device("strongswan", "strict")  # sends messages by GET
    answer = device.http("operation=PKIOperation&message=" + "AAAA")
    assert answer.status == 405


def test_name_outside_the_account(new_device, codes, name):
    reply = new_device(subject="domain-controller").enroll(codes["phones"])
    assert (reply.status, reply.fail_info) == (FAILURE, "badRequest")
    assert reply.text == "the common name is none that account phones may ask for (common_names)"


@row("S06")
def test_too_many_wrong_challenges_slow_down_that_key_alone(new_device, codes, name):
    guesser, neighbour = new_device(), new_device(subject=f"{name[:60]}-2")
    texts = [guesser.enroll(f"guess {i}").text for i in range(5 * node_count())]  # each node counts for itself
    assert texts[0] == "the challenge is not known at this endpoint"
    assert texts[-1].startswith("too many wrong challenges for this key from this address; wait ")
    assert guesser.enroll(codes["phones"]).status == SUCCESS  # what was drawn is no guess
    assert neighbour.enroll(codes["phones"]).status == SUCCESS
