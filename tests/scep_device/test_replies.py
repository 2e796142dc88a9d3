"""What a reply does wrong, the device says; each row fails when its check is taken out of scep_reply."""
import pytest
from harness import pkcs10
from harness.scep_device import Device
from harness.scep_reply import Unacceptable
from harness.scep_style import ANDROID, APPLE, WINDOWS

ANY = {"status": "answers 500", "type": "type text/html", "signature": "signature does not verify", "no_signer": "0 signers",
       "two_signers": "2 signers", "other_signer": "another certificate than the request was enveloped to",
       "named_ra": "not the one that GetCACert gave", "sha1": "digest sha1", "digest": "messageDigest", "no_attributes": "no signed attributes",
       "unsigned": "unsigned attributes", "type_integer": "messageType has tag 0x02", "type_utf8": "messageType has tag 0x0c",
       "request": "messageType 19", "nonce": "recipientNonce is not", "no_nonce": "recipientNonce is missing",
       "no_own_nonce": "senderNonce is missing", "echo": "senderNonce is not 16 fresh", "short_nonce": "senderNonce is not 16 fresh",
       "transaction": "another transactionID", "status_7": "pkiStatus '7'", "no_status": "pkiStatus is missing",
       "status_twice": "is there twice", "nonce_twice": "is there twice", "two_values": "has 2 values", "ber": "indefinite length",
       "trailing": "octets follow", "cut": "breaks off"}
SUCCESS = {"two_recipients": "2 recipients", "other_recipient": "enveloped to another certificate", "oaep": "key transport 1.2.840.113549.1.1.7",
           "cipher": "cipher des3-cbc", "no_content": "success without content", "content_anyway": "not DER",
           "other_key": "not for the key that was asked for", "leaf_and_ca": "2 certificates where the leaf alone",
           "no_certificate": "0 certificates", "fail_info_too": "failInfo without a failure"}
FAILURE = {"content_anyway": "a content in a reply that is no success", "content_empty": "a content in a reply that is no success",
           "fail_info_9": "failInfo '9'", "no_fail_info": "failInfo is missing", "text_printable": "failInfoText has tag 0x13"}


@pytest.fixture(scope="module")
def key():
    return Device("http://127.0.0.1", ANDROID, seed="replies").key


def device(responder, key, style=ANDROID):
    return Device(responder.url, style, seed="r", key=key).discover()


def refuses(responder, key, fault, reason):
    each = device(responder, key)
    responder.faults = {fault}
    with pytest.raises(Unacceptable, match=reason):
        each.enroll("c")


@pytest.mark.parametrize("fault", ANY)
def test_a_wrong_reply(responder, key, fault):
    refuses(responder, key, fault, ANY[fault])


@pytest.mark.parametrize("fault", SUCCESS)
def test_a_wrong_success(responder, key, fault):
    refuses(responder, key, fault, SUCCESS[fault])


@pytest.mark.parametrize("fault", FAILURE)
def test_a_wrong_failure(responder, key, fault):
    responder.fail_info = "2"
    refuses(responder, key, fault, FAILURE[fault])


def test_a_wrong_pending(responder, key):
    responder.pending = True
    refuses(responder, key, "content_empty", "a content in a reply that is no success")
    refuses(responder, key, "fail_info_too", "failInfo without a failure")


@pytest.mark.parametrize("number, name", enumerate(["badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId"]))
def test_a_failure_is_read_exactly(responder, key, number, name):
    responder.fail_info = str(number)
    reply = device(responder, key).enroll("c")
    assert (reply.status, reply.fail_info, reply.text, reply.certificates) == ("2", name, "no such challenge", [])


def test_a_failure_needs_no_text(responder, key):
    responder.fail_info, responder.faults = "2", {"no_text"}
    assert device(responder, key).enroll("c").text is None


def test_more_than_the_leaf_where_it_is_allowed(responder, key):
    responder.faults = {"leaf_and_ca"}
    assert device(responder, key).enroll("c", leaf_only=False).certificates[1] == responder.authority.ca


# ---- GetCACert


def test_a_single_ca(responder, key):
    responder.bag, responder.type = [responder.authority.plain_ca], "application/x-x509-ca-cert"
    for style in (APPLE, WINDOWS, ANDROID):
        each = device(responder, key, style)
        assert each.recipient == each.issuer == responder.authority.plain_ca


def test_the_ra_is_found_wherever_it_stands(responder, key):
    bag = responder.bag
    for style in (APPLE, WINDOWS, ANDROID):
        for order in (bag, bag[::-1]):
            responder.bag = order
            each = device(responder, key, style)
            assert (each.recipient, each.issuer) == (responder.authority.ra, responder.authority.ca)


def refuses_bag(responder, key, style, reason):
    with pytest.raises(Unacceptable, match=reason):
        device(responder, key, style)


def test_apple_wants_chains_that_end_in_one_certificate(responder, key):
    responder.bag = [responder.authority.ra, responder.authority.ca, responder.authority.root, responder.authority.plain_ca]
    refuses_bag(responder, key, APPLE, "chains of the bag end in 2")


def test_apple_wants_an_ra_in_a_bag(responder, key):
    responder.bag = [responder.authority.ca, responder.authority.root]
    refuses_bag(responder, key, APPLE, "candidate RA")


def test_windows_wants_one_that_may_encrypt(responder, key):
    responder.bag = [responder.authority.ca, responder.authority.root]
    refuses_bag(responder, key, WINDOWS, "0x8010002c")


def test_apple_takes_an_intermediate_with_both_usages_if_it_stands_first(responder, key):
    authority = responder.authority
    both = [pkcs10.basic_constraints(True), pkcs10.key_usage("keyCertSign", "digitalSignature", "keyEncipherment")]
    above = pkcs10.certificate(authority.other_key, pkcs10.name([("CN", "Over")]), authority.random, both, issuer=authority.root_name,
                               issuer_key=authority.root_key)
    responder.bag = [above, *responder.bag]
    assert device(responder, key, APPLE).recipient == above
    assert device(responder, key, ANDROID).recipient == above
    responder.bag = [*responder.bag[1:], above]
    assert device(responder, key, APPLE).recipient == authority.ra


def test_a_bag_must_be_what_its_type_says(responder, key):
    responder.type = "application/octet-stream"
    refuses_bag(responder, key, ANDROID, "type application/octet-stream")
    responder.type, responder.bag = "application/x-x509-ca-cert", [responder.authority.ra + b"\0"]
    refuses_bag(responder, key, ANDROID, "octets follow")
