"""Every attack that the harness knows by name: refused in the protocol's words, and nothing is issued."""
import pytest
from harness.row_table import row
from harness.scep_attacks import ATTACKS, GREEDY, HTTP, RENEWALS, message_of_type, poll_by_another
from harness.scep_message import CERT_POLL, Signer, issuer_and_subject
from harness.scep_reply import FAILURE, SUCCESS


def issued(server, subject):
    return [row for row in server.all_certificates() if row["subject"] == f"CN={subject}"]


def refused(device, message, refusal):
    if refusal == HTTP:
        assert device.send(message.raw).status in (400, 413)
        return
    reply = device.ask(message)
    assert (reply.status, reply.fail_info) == (FAILURE, refusal), reply.text


def marked(attacks):
    """Their names; rows of the catalogue among those of the reference are marked."""
    return [pytest.param(name, marks=row(*(each for each in attack.row.split() if each.startswith("S")))) for name, attack in sorted(attacks.items())]


@pytest.mark.parametrize("attack", marked(ATTACKS))
def test_attack(new_device, codes, server, name, attack):
    device = new_device()
    refused(device, ATTACKS[attack].make(device, codes["phones"]), ATTACKS[attack].refusal)
    assert issued(server, name) == []


@pytest.mark.parametrize("attack", marked(RENEWALS))
def test_attack_with_a_certificate(new_device, codes, server, name, attack):
    device = new_device()
    device.enroll(codes["phones"])
    refused(device, RENEWALS[attack].make(device, codes["phones"]), RENEWALS[attack].refusal)
    assert len(issued(server, name)) == 1


@row("S01")
def test_all_256_message_types(new_device, codes, server, name):
    device = new_device()
    for value in range(256):
        if value in (17, 19, 20, 21, 22):
            continue
        reply = device.ask(message_of_type(device, codes["phones"], str(value)))
        assert (value, reply.status, reply.fail_info) == (value, FAILURE, "badRequest")
    assert issued(server, name) == []


@pytest.mark.parametrize("wish", sorted(GREEDY))
def test_greedy_request_with_the_right_challenge(new_device, codes, wish):
    device = new_device()
    device.extensions = list(GREEDY[wish])
    reply = device.enroll(codes["phones"])
    if reply.status == SUCCESS:
        present = {each.oid.dotted_string for each in reply.certificate.extensions}
        assert "1.3.6.1.4.1.311.25.2" not in present and "2.5.29.17" not in present and "1.3.6.1.4.1.311.20.2" not in present
        assert "CA:TRUE" not in str(reply.certificate.extensions)
    else:
        assert reply.fail_info == "badRequest"


@row("S12")
def test_poll_of_a_stranger(new_device, codes, name):
    victim, stranger = new_device(), new_device(subject=f"{name[:60]}-2")
    message = victim.enroll_message(codes["phones"])
    assert victim.ask(message).status == SUCCESS
    reply = stranger.ask(poll_by_another(stranger, message))
    assert (reply.status, reply.fail_info) == (FAILURE, "badCertId")


@row("S04")
def test_request_wrapped_again_by_a_certificate_holder(new_device, codes, server, name):
    """A7: a device with a certificate sends on what another one asked for, with its challenge in it, as its own."""
    relay, victim = new_device(subject=f"{name[:55]}-relay"), new_device()
    assert relay.enroll(codes["phones"]).status == SUCCESS
    message = victim.enroll_message(codes["phones"])
    wrapped = relay.message("19", victim.csr(codes["phones"]), signer=Signer(relay.certificate, relay.key), leaf_key=victim.key)
    reply = relay.ask(wrapped)
    assert (reply.status, reply.fail_info) == (FAILURE, "badMessageCheck"), reply.text
    assert "signed by another key than the one in it" in reply.text
    assert issued(server, name) == []
    assert victim.ask(message).status == SUCCESS
    # Who renews under another key may send a challenge along.
    again = relay.renew_message(relay.new_key(), codes["phones"], kind="19")
    assert relay.ask(again).status == SUCCESS


@row("S11", "S12")
def test_a_transaction_that_others_crowd(new_device, codes, server, name):
    """Its id is the hash of a public key: whoever has the access code can use it as often as they like."""
    victim = new_device()
    message = victim.enroll_message(codes["phones"])
    assert victim.ask(message).status == SUCCESS
    for each in range(21):
        crowd = new_device(subject=f"{name[:55]}-{each}")
        assert crowd.ask(crowd.enroll_message(codes["phones"], transaction_id=message.expected.transaction_id)).status == SUCCESS
    poll = victim.message(CERT_POLL, issuer_and_subject(victim.issuer, victim.subject), leaf_key=victim.key, transaction_id=message.expected.transaction_id)
    reply = victim.ask(poll)
    assert (reply.status, reply.text) == (SUCCESS, None)


@row("S02")
def test_revoked_certificate_renews_nothing(new_device, codes, server, name):
    device = new_device("strongswan")
    device.enroll(codes["phones"])
    [row] = issued(server, name)
    server.cli("cert", "revoke", row["serial"], "--reason", "1")
    reply = device.renew()
    assert (reply.status, reply.fail_info) == (FAILURE, "badMessageCheck")
    assert reply.text == "the certificate is revoked"


@row("S02")
def test_certificate_of_another_endpoint_renews_nothing_here(new_device, codes, server):
    device = new_device("strongswan", "old")
    device.enroll(codes["old"], leaf_only=False)
    device.url = server.scep("phones")
    reply = device.renew()
    assert (reply.status, reply.fail_info) == (FAILURE, "badMessageCheck")
