"""The issuing CA is succeeded: GetNextCACert before, both RAs in the overlap, the old one until its end (RFC 8894 §4.7, §5)."""
import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from harness import scep_message
from harness.scep_device import Device
from harness.scep_reply import FAILURE, SUCCESS, Unacceptable
from harness.scep_style import STYLES
from harness.wire import ask

SECONDS = 30


@pytest.fixture(params=["sqlite", "postgres"])
def laboratory(request, new_server):
    """Started, with the access code of its SCEP endpoint as `code`."""
    options = {}
    if request.param == "postgres":
        options["options"] = ("--store", request.getfixturevalue("cluster").database().url)
    server = new_server(**options)
    server.start()
    server.code = (server.data / "first-account").read_text().split('access_code = "')[1].split('"')[0]
    return server


def until(condition, what):
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


def in_days(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def device(server, kind="android", **options):
    return Device(server.scep(), STYLES[kind], subject=[("CN", "phone")], **options).discover()


def roles(server):
    return [row["role"] for row in json.loads(server.cli("ca", "authorities", "--json", *server.options))["authorities"]]


def prepare(server, days=30):
    made = json.loads(server.cli("ca", "rollover", "--at", in_days(days), "--json"))
    until(lambda: "GetNextCACert" in device(server).caps, "the capability does not appear")
    return made


def issuer(reply):
    return reply.certificate.issuer.rfc4514_string()


def asked_of(device, ra):
    """A request like any other, encrypted for another certificate, whose answer must be signed by that."""
    device.recipient = ra
    return device


def crl(server, key_id):
    answer = ask(f"{server.scep().split('/scep')[0]}/crl/{key_id}/0.crl")
    assert answer.status == 200
    return x509.load_der_x509_crl(answer.body)


def test_before_there_is_a_successor(laboratory):
    server = laboratory
    assert roles(server) == ["root", "issuing"]
    each = device(server)
    assert "GetNextCACert" not in each.caps
    answer = each.http("operation=GetNextCACert")
    assert (answer.status, answer.body) == (404, b"there is no next CA certificate\n")


def test_the_whole_way(laboratory):
    server = laboratory
    early, overlapping = device(server), device(server)
    old_ra = early.recipient
    made = prepare(server)
    assert roles(server) == ["root", "issuing", "successor"]

    # Signed by the CA of today: the device verifies it with the issuer that it knows.
    next_ra, next_ca, root = early.get_next_ca_cert()
    assert root == x509.load_pem_x509_certificate((server.data / "root.pem").read_bytes()).public_bytes(Encoding.DER)
    ca = x509.load_der_x509_certificate(next_ca)
    assert ca.subject.rfc4514_string() == "CN=Postern Issuing CA 2,O=Postern"
    assert ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex() == made["authority"]
    again = early.http("operation=GetNextCACert").body
    assert again == early.http("operation=GetNextCACert").body  # one signature serves all who ask

    # recipientInfo selects who issues: nothing changes for who does not ask.
    assert device(server).recipient == old_ra
    before = early.enroll(server.code)
    assert (before.status, issuer(before)) == (SUCCESS, "CN=Postern Issuing CA,O=Postern")
    asking = asked_of(device(server), next_ra).enroll(server.code)
    assert (asking.status, issuer(asking)) == (SUCCESS, "CN=Postern Issuing CA 2,O=Postern")
    assert ask(f"{server.scep().split('/scep')[0]}/ca/{made['authority']}.cer").body == next_ca

    server.cli("clock", "advance", "31d")
    until(lambda: device(server).recipient == next_ra, "the successor does not take over")
    assert roles(server) == ["root", "former", "issuing"]
    newest = device(server)
    assert "GetNextCACert" not in newest.caps and newest.issuer == next_ca
    assert issuer(newest.enroll(server.code)) == "CN=Postern Issuing CA 2,O=Postern"
    # Who discovered before is still read, and answered by whom it knows; the former CA issues no more.
    late = overlapping.enroll(server.code)
    assert (late.status, issuer(late)) == (SUCCESS, "CN=Postern Issuing CA 2,O=Postern")

    # The former CA still answers for what it issued.
    former = before.certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier.hex()
    number = crl(server, former).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    server.cli("cert", "revoke", f"{before.certificate.serial_number:032x}")
    until(lambda: crl(server, former).get_revoked_certificate_by_serial_number(before.certificate.serial_number), "the former CA's CRL lacks it")
    assert crl(server, former).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number > number
    assert crl(server, made["authority"]).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number >= 1

    # S16: the old RA is read until its end.
    server.cli("clock", "advance", "340d")

    def answer():
        try:
            each = device(server)
            return each.ask(each.message(scep_message.PKCS_REQ, each.csr(server.code), leaf_key=each.key, recipients=[old_ra]))
        except Unacceptable:  # the old one still answers, or the next is on its way
            return None

    refused = until(lambda: (reply := answer()) and reply.status == FAILURE and reply, "the old RA is still read")
    assert refused.fail_info == "badMessageCheck"


def test_it_outlasts_a_restart(laboratory):
    server = laboratory
    prepare(server)
    expected = device(server).get_next_ca_cert()
    server.stop()
    assert roles(server) == ["root", "issuing", "successor"]
    server.start()
    assert device(server).get_next_ca_cert() == expected
    assert asked_of(device(server), expected[0]).enroll(server.code).status == SUCCESS


def refused(server, at):
    done = server.verb("ca", "rollover", "--at", at, "--data", server.data)
    assert done.returncode == 1
    return done.stderr


def withdraw(server):
    return server.verb("ca", "rollover", "--withdraw", "--json", "--data", server.data)


def test_one_that_is_withdrawn(laboratory):
    server = laboratory
    made = prepare(server)
    next_ra = device(server).get_next_ca_cert()[0]
    early = asked_of(device(server), next_ra).enroll(server.code)
    assert issuer(early) == "CN=Postern Issuing CA 2,O=Postern"
    assert json.loads(withdraw(server).stdout) == {"authority": made["authority"]}
    assert roles(server) == ["root", "issuing", "withdrawn"]
    each = device(server)
    assert "GetNextCACert" not in each.caps and each.http("operation=GetNextCACert").status == 404
    # Who holds its RA is still read, and issued to by the CA of today.
    asking = asked_of(device(server), next_ra).enroll(server.code)
    assert (asking.status, issuer(asking)) == (SUCCESS, "CN=Postern Issuing CA,O=Postern")
    # What it issued is revoked like any other.
    server.cli("cert", "revoke", f"{early.certificate.serial_number:032x}")
    until(lambda: crl(server, made["authority"]).get_revoked_certificate_by_serial_number(early.certificate.serial_number), "its CRL lacks it")
    server.stop()
    assert roles(server) == ["root", "issuing", "withdrawn"]
    server.start()
    server.cli("clock", "advance", "31d")
    assert roles(server) == ["root", "issuing", "withdrawn"]
    late = device(server).enroll(server.code)
    assert (late.status, issuer(late)) == (SUCCESS, "CN=Postern Issuing CA,O=Postern")
    # The next one is another one.
    again = prepare(server, 62)
    assert again["authority"] != made["authority"] and roles(server) == ["root", "issuing", "successor", "withdrawn"]
    assert x509.load_der_x509_certificate(device(server).get_next_ca_cert()[1]).subject.rfc4514_string() == "CN=Postern Issuing CA 3,O=Postern"


def test_what_is_no_rollover_is_refused(laboratory):
    server = laboratory
    assert "takes over in the future" in refused(server, in_days(-1))
    assert "before the successor would take over" in refused(server, in_days(366 * 21))
    assert "expected a time" in refused(server, "soon")
    assert roles(server) == ["root", "issuing"]
    assert "nobody would issue in between" in refused(server, in_days(366 * 11))
    assert "no successor waits" in withdraw(server).stderr
    done = server.verb("ca", "rollover", "--data", server.data)
    assert done.returncode != 0 and "--at or --withdraw" in done.stderr
    prepare(server)
    assert server.verb("ca", "rollover", "--at", in_days(60), "--withdraw", "--data", server.data).returncode != 0
    assert "a successor waits already" in refused(server, in_days(60))
    assert roles(server) == ["root", "issuing", "successor"]
    # Once it has taken over, the next one may be prepared.
    server.cli("clock", "advance", "31d")
    until(lambda: roles(server) == ["root", "former", "issuing"], "it does not take over")
    assert "no successor waits" in withdraw(server).stderr
    assert roles(server) == ["root", "former", "issuing"]
    prepare(server, 62)
    assert roles(server) == ["root", "former", "issuing", "successor"]
    made = device(server).get_next_ca_cert()
    assert x509.load_der_x509_certificate(made[1]).subject.rfc4514_string() == "CN=Postern Issuing CA 3,O=Postern"
