"""The move from another CA: devices that hold its certificates renew here, while it says that they stand (S02)."""
import json
import os
import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from harness.predecessor import OCSP_SIGNING, REQUEST_AGENT, Authority, Predecessor
from harness.scep_device import Device
from harness.scep_reply import FAILURE, PENDING, SUCCESS
from harness.scep_style import STYLES
from test_approval import approve, decide, waiting

UNKNOWN = "the predecessor's status is not known; try again later"


@pytest.fixture
def old(tmp_path):
    with Predecessor(tmp_path) as predecessor:
        yield predecessor


@pytest.fixture
def label(name):
    return name[-60:].strip("-")


@pytest.fixture
def known(server, codes, old, label):
    """Makes the predecessor known; gives a function that imports certificates of it, and what the verb said."""

    def make(*status):
        server.cli("ca", "import", "--predecessor", label, "--cert", old.chain, *(status or ("--crl", old.crl_url)))

        def bring(*ders, endpoint="phones", fails=False):
            file = old.folder / "export.pem"
            file.write_bytes(b"".join(x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM) for der in ders))
            done = server.verb("cert", "import", "--predecessor", label, "--endpoint", endpoint, "--account", endpoint, file, "--json", "--data", server.data)
            assert done.returncode == (1 if fails else 0), done.stderr
            return json.loads(done.stdout)

        return bring

    return make


@pytest.fixture
def holder(server, name):
    """A device that holds a certificate of the predecessor."""

    def make(key, der, kind="strongswan", endpoint="phones", subject=None):
        device = Device(server.scep(endpoint), STYLES[kind], subject=[("CN", subject or name)], key=key).discover()
        device.certificate = der
        return device

    return make


def refused(reply, text, fail_info="badMessageCheck"):
    assert (reply.status, reply.fail_info) == (FAILURE, fail_info)
    assert text in reply.text, reply.text


def serial_of(der):
    """Hexadecimal, two digits an octet."""
    serial = x509.load_der_x509_certificate(der).serial_number
    return serial.to_bytes((serial.bit_length() + 7) // 8, "big").hex()


def last_why(server, event):
    """Of whichever node was asked."""
    texts = [node.log.read_text() for node in getattr(server, "nodes", [server])]
    lines = [json.loads(line) for text in texts for line in text.splitlines() if f'"event":"{event}"' in line]
    return max(lines, key=lambda line: line["ts"])["why"]


@pytest.mark.parametrize("kind", ["strongswan", "cisco"])
def test_renews_here(server, old, known, holder, name, kind):
    key, der = old.issue(name)
    assert known()(der)["added"] == 1
    device = holder(key, der, kind)
    reply = device.renew(device.new_key())
    assert reply.status == SUCCESS, reply.text
    assert reply.certificate.subject.rfc4514_string() == f"CN={name}"
    assert reply.certificate.issuer != x509.load_der_x509_certificate(der).issuer
    # Old and new are related, and the next renewal is an ordinary one.
    shown = json.loads(server.cli("cert", "show", "--external", serial_of(der), "--json"))
    assert (shown["status"], shown["subject"]) == ("replaced", f"CN={name}")
    assert shown["successor"] == [row for row in server.all_certificates() if row["subject"] == f"CN={name}"][-1]["id"]
    assert device.renew(device.new_key()).status == SUCCESS


def test_a_lost_answer_is_repeated(server, old, known, holder, name):
    key, der = old.issue(name)
    known()(der)
    device = holder(key, der)
    message = device.renew_message()
    first, second = device.ask(message), device.ask(message)
    assert first.status == second.status == SUCCESS
    assert first.certificates == second.certificates


def test_names_are_compared_as_rfc_5280_has_it(server, old, known, holder, name):
    key, der = old.issue(name.upper().replace("PHONE", "  Phone"))
    known()(der)
    assert holder(key, der).renew().status == SUCCESS
    other = holder(key, der, subject=name + "x")
    refused(other.renew(), "other names", "badRequest")


def test_revoked_at_the_predecessor(old, known, holder, name):
    key, der = old.issue(name)
    known()(der)
    old.revoke(der)
    refused(holder(key, der).renew(), "was revoked by predecessor")


def test_a_pkcsreq_signed_by_a_revoked_certificate(old, known, holder, name):
    key, der = old.issue(name)
    known()(der)
    old.revoke(der)
    refused(holder(key, der, "cisco").renew(), "was revoked by predecessor")


def test_not_imported(old, known, holder, name):
    key, der = old.issue(name)
    known()
    refused(holder(key, der).renew(), "the certificate was not issued here")


def test_imported_for_another_endpoint(old, known, holder, name):
    key, der = old.issue(name)
    assert known()(der, endpoint="old")["added"] == 1
    refused(holder(key, der).renew(), "the certificate was not issued here")


def test_expired_when_it_comes(old, known, name):
    _, der = old.issue(name, end=timedelta(days=-1))
    assert known()(der) == {"added": 0, "known": 0, "expired": 1, "bad": []}


def test_deleted_here(server, old, known, holder, name):
    key, der = old.issue(name)
    known()(der)
    certificate = x509.load_der_x509_certificate(der)
    server.cli("cert", "delete", certificate.fingerprint(hashes.SHA256()).hex())
    refused(holder(key, der).renew(), "the certificate was not issued here")


def test_it_cannot_be_revoked_here(server, old, known, name):
    _, der = old.issue(name)
    known()(der)
    done = server.verb("cert", "revoke", serial_of(der), "--data", server.data)
    assert done.returncode == 1
    assert "issued by a predecessor" in done.stderr and "cert delete" in done.stderr


@pytest.mark.parametrize("what", ["ca", "ocsp", "ra"])
def test_authorities_never_renew(old, known, name, what):
    usages = {"ocsp": [OCSP_SIGNING], "ra": [REQUEST_AGENT]}.get(what)
    made = old.issue_authority(name, *usages) if usages else old.issuing
    report = known()(made.certificate.public_bytes(serialization.Encoding.DER), fails=True)
    assert report["added"] == 0
    [bad] = report["bad"]
    assert "never renews here" in bad["why"] and bad["where"] == "line 1"


def test_another_ca_of_that_name(old, known, name):
    imposter = Authority("old issuing")
    _, der = old.issue(name, signer=imposter)
    [bad] = known()(der, fails=True)["bad"]
    assert "its signature is not one of predecessor" in bad["why"]
    _, der = old.issue(name, signer=Authority("somebody else"))
    [bad] = known()(der, fails=True)["bad"]
    assert "it was not issued by predecessor" in bad["why"]


# ---- the CRL

CRLS = {
    "away": lambda old: setattr(old, "crl_status", 404),
    "redirects": lambda old: setattr(old, "crl_status", 302),
    "expired": lambda old: setattr(old, "crl", old.make_crl(next_update=timedelta(hours=-1))),
    "of_another_ca": lambda old: setattr(old, "crl", old.make_crl(signer=old.root)),
    "wrong_signature": lambda old: setattr(old, "crl", old.make_crl(signer=Authority("x"), name=old.issuing.name)),
    "no_crl": lambda old: setattr(old, "crl", b"<html>"),
}
WHY = {"away": "answered 404", "redirects": "answered 302", "expired": "the CRL counted until", "of_another_ca": "another CA's", "wrong_signature": "not signed by",
       "no_crl": "cannot be read"}


@pytest.mark.parametrize("how", CRLS)
def test_the_status_is_not_known(server, old, known, holder, name, how):
    key, der = old.issue(name)
    known()(der)
    CRLS[how](old)
    refused(holder(key, der).renew(), UNKNOWN)
    assert WHY[how] in last_why(server, "predecessor_status_unknown")
    # Nothing is kept of it.
    old.crl, old.crl_status = None, 200
    assert holder(key, der).renew().status == SUCCESS


def test_nobody_answers(server, old, known, holder, name):
    key, der = old.issue(name)
    known("--crl", "http://127.0.0.1:1/ca.crl")(der)
    refused(holder(key, der).renew(), UNKNOWN)


def test_the_crl_is_kept(old, known, holder, name):
    pairs = [old.issue(name) for _ in range(3)]
    known()(*(der for _, der in pairs))
    for key, der in pairs:
        assert holder(key, der).renew().status == SUCCESS
    assert old.asked.count("crl") <= int(os.environ.get("CONFORMANCE_NODES", "1"))


def test_a_crl_from_a_file(server, old, known, holder, name):
    key, der = old.issue(name)
    gone_key, gone = old.issue(name)
    old.revoke(gone)
    file = old.folder / "last.crl"
    file.write_bytes(old.make_crl())
    known("--crl", file)(der, gone)
    assert holder(key, der).renew().status == SUCCESS
    refused(holder(gone_key, gone).renew(), "was revoked by predecessor")
    assert old.asked == []


def test_a_crl_file_of_somebody_else(server, old, label):
    file = old.folder / "other.crl"
    file.write_bytes(old.make_crl(signer=Authority("x"), name=old.issuing.name))
    done = server.verb("ca", "import", "--predecessor", label, "--cert", old.chain, "--crl", file, "--data", server.data)
    assert done.returncode == 1
    assert "signed by none of the predecessor's certificates" in done.stderr


# ---- OCSP

def test_ocsp(old, known, holder, name):
    key, der = old.issue(name)
    gone_key, gone = old.issue(name)
    known("--ocsp", old.ocsp_url)(der, gone)
    old.revoke(gone)
    assert holder(key, der).renew().status == SUCCESS
    refused(holder(gone_key, gone).renew(), "was revoked by predecessor")
    assert old.asked == ["ocsp", "ocsp"]


def test_ocsp_by_a_delegated_responder_without_a_nonce(old, known, holder, name):
    key, der = old.issue(name)
    known("--ocsp", old.ocsp_url)(der)
    old.responder = old.issue_authority("responder", OCSP_SIGNING)
    old.ocsp = lambda body: old.answer_ocsp(body, nonce=None)
    assert holder(key, der).renew().status == SUCCESS


OCSP_ANSWERS = {
    "unauthorised": (lambda old: lambda body: old.answer_ocsp(body, signer=old.issue_authority("device")), "not for OCSP signing"),
    "of_another_ca": (lambda old: lambda body: old.answer_ocsp(body, signer=Authority("x")), "not issued by the CA"),
    "other_nonce": (lambda old: lambda body: old.answer_ocsp(body, nonce=b"x" * 16), "another request's"),
    "other_certificate": (lambda old: lambda body: old.answer_ocsp(body, certificate=x509.load_der_x509_certificate(old.issue("other")[1])), "nothing of this certificate"),
    "try_later": (lambda old: lambda body: ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(serialization.Encoding.DER), "no answer now"),
    "no_ocsp": (lambda old: lambda body: b"hello", "cannot be read"),
}
# One that counts no more: tests/unit/crypto/ocsp_test.cpp


@pytest.mark.parametrize("how", OCSP_ANSWERS)
def test_an_ocsp_answer_that_proves_nothing(server, old, known, holder, name, how):
    key, der = old.issue(name)
    known("--ocsp", old.ocsp_url)(der)
    answer, why = OCSP_ANSWERS[how]
    old.ocsp = answer(old)
    refused(holder(key, der).renew(), UNKNOWN)
    assert why in last_why(server, "predecessor_status_unknown")


def test_ocsp_that_does_not_know_it(old, known, holder, name):
    key, der = old.issue(name)
    known("--ocsp", old.ocsp_url)(der)
    old.ocsp = lambda body: old.answer_ocsp(body, status=ocsp.OCSPCertStatus.UNKNOWN)
    refused(holder(key, der).renew(), "does not know the certificate")


def test_the_crl_stands_in_for_ocsp(old, known, holder, name):
    key, der = old.issue(name)
    gone_key, gone = old.issue(name)
    old.revoke(gone)
    known("--ocsp", old.ocsp_url, "--crl", old.crl_url)(der, gone)
    old.ocsp_status = 500
    assert holder(key, der).renew().status == SUCCESS
    refused(holder(gone_key, gone).renew(), "was revoked by predecessor")


# ---- an officer decides, days later

@pytest.fixture
def waits(watched, old, known, holder, name):
    """A device whose renewal waits for an officer, and what it renews with."""
    key, der = old.issue(name)
    known("--ocsp", old.ocsp_url)(der, endpoint="watched")
    device = holder(key, der, endpoint="watched")
    assert device.renew(device.new_key()).status == PENDING
    return device, der


def test_approved_while_the_predecessor_stands_by_it(server, old, waits, name):
    device, _ = waits
    approve(server, name)
    assert device.poll().status == SUCCESS
    assert old.asked == ["ocsp", "ocsp"], "asked when it came, and when it is issued"


def test_revoked_at_the_predecessor_before_the_officer_says_yes(server, old, waits, name):
    device, der = waits
    old.revoke(der)
    number, = waiting(server, name)
    done = decide(server, "approve", number)
    assert "was approved and is invalid: the certificate was revoked by predecessor" in done.stdout
    refused(device.poll(), "was revoked by predecessor", "badRequest")
    assert [row for row in server.all_certificates() if row["subject"] == f"CN={name}"] == []
    ended = [record for record in server.explain(str(number)) if record["action"] == "enrollment.refused"]
    assert [record["check"] for record in ended] == ["renewal.predecessor"]


def test_it_ends_before_the_officer_says_yes(server, watched, old, known, holder, name):
    """Its CA need not list it any longer then."""
    key, der = old.issue(name, end=timedelta(minutes=10))
    known("--ocsp", old.ocsp_url)(der, endpoint="watched")
    device = holder(key, der, endpoint="watched")
    assert device.renew(device.new_key()).status == PENDING
    server.cli("clock", "advance", "11m")
    number, = waiting(server, name)
    assert "was approved and is invalid: the certificate ended at" in decide(server, "approve", number).stdout
    assert old.asked == ["ocsp"]
    refused(device.poll(), "before its successor was issued", "badRequest")


def test_the_predecessor_is_removed_before_the_officer_says_yes(server, old, waits, label, name):
    device, _ = waits
    server.cli("ca", "remove", label, "--with-certificates")
    number, = waiting(server, name)
    assert "was approved and is invalid" in decide(server, "approve", number).stdout
    assert device.poll().status == FAILURE
    assert old.asked == ["ocsp"]
    assert [row for row in server.all_certificates() if row["subject"] == f"CN={name}"] == []


def test_the_predecessor_is_away_when_the_officer_says_yes(server, old, waits, name):
    device, _ = waits
    old.ocsp_status = 500
    number, = waiting(server, name)
    assert "is approved; its certificate is being made." in decide(server, "approve", number).stdout
    assert device.poll().status == PENDING
    old.ocsp_status = 200
    server.cli("clock", "advance", "31s")
    end = time.monotonic() + 60
    while (reply := device.poll()).status == PENDING:
        assert time.monotonic() < end, "it is not tried again"
        time.sleep(0.2)
    assert reply.status == SUCCESS


# ---- what it must not be taken for

def test_no_client_is_told_of_it(server, old, known, holder, name):
    key, der = old.issue(name)
    known()(der)
    bag = holder(key, der).bag
    theirs = {authority.certificate.public_bytes(serialization.Encoding.DER) for authority in (old.root, old.issuing)}
    assert not theirs & set(bag)


def test_the_list_counts_and_removal_takes_all(server, old, known, holder, name, label):
    key, der = old.issue(name)
    _, second = old.issue(name)
    bring = known()
    assert bring(der, second) == {"added": 2, "known": 0, "expired": 0, "bad": []}
    assert bring(der, second) == {"added": 0, "known": 2, "expired": 0, "bad": []}
    device = holder(key, der)
    assert device.renew().status == SUCCESS
    shown = json.loads(server.cli("ca", "show", label, "--json"))
    assert (shown["imported"], shown["left"]) == (2, 1)
    assert len(server.cli("cert", "list", "--external", "--search", name.upper(), "--json").splitlines()) == 2
    done = server.verb("ca", "remove", label, "--data", server.data)
    assert done.returncode == 1 and "--with-certificates" in done.stderr
    server.cli("ca", "remove", label, "--with-certificates")
    _, third = old.issue(name)
    late = holder(key, der)
    refused(late.renew(), "the certificate was not issued here")
    assert server.verb("ca", "show", label, "--data", server.data).returncode == 1


@pytest.mark.parametrize(("arguments", "why"), [
    (("--cert", "CHAIN"), "where the status is not known, nothing renews"),
    (("--crl", "http://127.0.0.1:1/x"), "name the predecessor's certificates"),
    (("--cert", "CHAIN", "--crl", "ldap://directory/cn=x"), "absolute http or https URL"),
    (("--cert", "LEAF", "--crl", "http://127.0.0.1:1/x"), "is no CA's certificate"),
    (("--cert", "CHAIN", "--ocsp", "http://user:word@127.0.0.1:1/x"), "without user, password and fragment"),
    (("--cert", "CHAIN", "--crl", "http://127.0.0.1:1/x#y"), "without user, password and fragment"),
    (("--cert", "CHAIN", "--crl", "http:///x"), "absolute http or https URL"),
    (("--cert", "CHAIN", "--crl", "http://127.0.0.1:1/x", "--tenant", "nobody"), "there is no tenant nobody"),
])
def test_what_a_predecessor_needs(server, old, label, arguments, why):
    leaf = old.folder / "leaf.der"
    leaf.write_bytes(old.issue("leaf")[1])
    given = [{"CHAIN": old.chain, "LEAF": leaf}.get(argument, argument) for argument in arguments]
    done = server.verb("ca", "import", "--predecessor", label, *given, "--data", server.data)
    assert done.returncode == 1
    assert why in done.stderr
