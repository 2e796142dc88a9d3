"""What a reply does wrong, the device says; each row fails when its check is taken out of scep_reply."""
import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from harness import der, pkcs10, scep_message as cms
from harness.scep_attacks import ATTACKS
from harness.scep_device import Device
from harness.scep_reply import Unacceptable, masked, verify_signed
from harness.scep_style import ANDROID, APPLE, WINDOWS

from responder import definite, edited, openssl

ANY = {"status": "answers 500", "type": "type text/html", "signature": "signature does not verify", "no_signer": "0 signers",
       "two_signers": "2 signers", "other_signer": "another certificate than the request was enveloped to",
       "named_ra": "not the one that GetCACert gave", "sha1": "digest sha1", "digest": "messageDigest", "no_attributes": "no signed attributes",
       "unsigned": "unsigned attributes", "type_integer": "messageType has tag 0x02", "type_utf8": "messageType has tag 0x0c",
       "request": "messageType 19", "nonce": "recipientNonce is not", "no_nonce": "recipientNonce is missing",
       "no_own_nonce": "senderNonce is missing", "echo": "senderNonce is not 16 fresh", "short_nonce": "senderNonce is not 16 fresh",
       "transaction": "another transactionID", "status_7": "pkiStatus '7'", "no_status": "pkiStatus is missing",
       "status_twice": "is there twice", "nonce_twice": "is there twice", "two_values": "has 2 values", "ber": "indefinite length",
       "trailing": "octets follow", "cut": "breaks off", "unsorted": "not in the order of DER", "content_type": "contentType is not data"}
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


def more(*extra):
    """A node with further parts at its end."""
    return lambda node: der.tlv(node.tag, node.content, *extra)


def put(octets):
    return lambda _: octets


SIGNED, ENVELOPED = [1, 0], [1, 0]  # from the ContentInfo down
INFO = [*SIGNED, -1, 0]
REPLY = {
    "three_parts": ([], more(der.null()), "has 3 parts"),
    "other_type": ([0], put(der.oid(cms.ENVELOPED_DATA)), "has content type"),
    "two_contents": ([1], more(der.sequence()), "holds 2 values"),
    "version": ([*SIGNED, 0], put(der.integer(3)), "the reply has version 3"),
    "no_data": ([*SIGNED, 2, 0], put(der.oid(cms.SIGNED_DATA)), "is no plain data"),
    "content_parts": ([*SIGNED, 2], more(der.null()), "is no plain data"),
    "two_strings": ([*SIGNED, 2, 1], more(der.octets(b"")), "eContent of the reply holds 2"),
    "more": (SIGNED, more(der.set_of()), "where its signers should be"),
    "crl": ([*SIGNED, 3], lambda node: node.raw + der.context(1, der.sequence()), "lists of revocations"),
    "info_version": ([*INFO, 0], put(der.integer(3)), "SignerInfo has version 3"),
    "digests": ([*SIGNED, 1], lambda node: der.set_of(node.content, der.sequence(der.oid("1.3.14.3.2.26"))), "digestAlgorithms does not name"),
    "other_digests": ([*SIGNED, 1], put(der.set_of(der.sequence(der.oid("1.3.14.3.2.26")))), "digestAlgorithms does not name"),
    "algorithm": ([*INFO, 4], put(der.sequence(der.oid("1.2.840.10045.4.3.2"))), "is not RSA with sha256"),
}
ENVELOPE = {
    "version": ([*ENVELOPED, 0], put(der.integer(2)), "the envelope has version 2"),
    "other_type": ([0], put(der.oid(cms.SIGNED_DATA)), "has content type"),
    "recipient_version": ([*ENVELOPED, 1, 0, 0], put(der.integer(2)), "RecipientInfo has version 2"),
    "no_data": ([*ENVELOPED, 2, 0], put(der.oid(cms.SIGNED_DATA)), "encrypted content is no plain data"),
    "half_a_block": ([*ENVELOPED, 2, 2], lambda node: der.tlv(0x80, node.content[:-1]), "no whole blocks"),
    "nothing": ([*ENVELOPED, 2, 2], put(der.tlv(0x80)), "no whole blocks"),
    "key": ([*ENVELOPED, 1, 0, 3], put(der.octets(bytes(256))), "does not decrypt"),
}
BAG = {
    "signed": ([*SIGNED, -1], put(der.set_of(der.sequence())), "is signed"),
    "digests": ([*SIGNED, 1], put(der.set_of(der.sequence())), "is signed"),
    "content": ([*SIGNED, 2], more(der.context(0, der.octets(b"x"))), "has a content"),
    "crl": ([*SIGNED, 3], lambda node: node.raw + der.context(1, der.sequence()), "1 CRLs and 1 certificates"),
}
SHAPES = {**{f"reply {name}": ("edit_reply", *how) for name, how in REPLY.items()},
          **{f"envelope {name}": ("edit_envelope", *how) for name, how in ENVELOPE.items()},
          **{f"bag {name}": ("edit_bag", *how) for name, how in BAG.items()}}


@pytest.mark.parametrize("name", SHAPES)
def test_a_wrong_shape(responder, key, name):
    where, path, change, reason = SHAPES[name]
    each = device(responder, key)
    setattr(responder, where, lambda octets: edited(octets, path, change))
    with pytest.raises(Unacceptable, match=reason):
        each.enroll("c")


@pytest.mark.parametrize("last", [0, 17, 2])
def test_a_wrong_padding_of_the_content(responder, key, last):
    each = device(responder, key)
    responder.envelope_knobs = {"content_padding": last}
    with pytest.raises(Unacceptable, match="padding of the content"):
        each.enroll("c")


def test_a_key_of_another_length(responder, key):
    each = device(responder, key)
    wrong = key.public_key().encrypt(bytes(24), padding.PKCS1v15())
    responder.edit_envelope = lambda octets: edited(octets, [*ENVELOPED, 1, 0, 3], put(der.octets(wrong)))
    with pytest.raises(Unacceptable, match="a key of 24 octets for aes128-cbc"):
        each.enroll("c")


def test_a_crl_comes_alone(responder, key):
    each = device(responder, key)
    each.enroll("c")
    responder.edit_bag = lambda octets: cms.degenerate([responder.authority.ra], [responder.authority.crl()])
    with pytest.raises(Unacceptable, match="1 CRLs and 1 certificates"):
        each.get_crl()


def test_only_a_nonce_that_was_sent_comes_back(responder, key):
    each = device(responder, key)
    responder.fail_info = "2"
    assert each.ask(ATTACKS["nonce_absent"].make(each, "c")).fail_info == "badRequest"
    assert each.ask(ATTACKS["nonce_short"].make(each, "c")).fail_info == "badRequest"
    responder.faults = {"no_nonce"}
    assert each.ask(ATTACKS["nonce_short"].make(each, "c")).fail_info == "badRequest"
    responder.faults = {"nonce"}
    with pytest.raises(Unacceptable, match="for a request without a nonce"):
        each.ask(ATTACKS["nonce_absent"].make(each, "c"))
    with pytest.raises(Unacceptable, match="is not the nonce of the request"):
        each.ask(ATTACKS["nonce_short"].make(each, "c"))


def test_a_long_transaction_id_is_read(responder, key):
    assert device(responder, key).enroll("c", transaction_id="A" * 200).status == "0"


def test_masked_replies_are_the_same_if_they_mean_the_same(responder, key):
    responder.fail_info = "1"
    each = device(responder, key)
    one, other = each.enroll("c", transaction_id="A" * 40), each.enroll("c", transaction_id="B" * 40)
    assert one.raw != other.raw and len(masked(one.raw)) == len(one.raw)
    assert masked(one.raw) == masked(other.raw)
    responder.fail_info = "2"
    assert masked(each.enroll("c").raw) != masked(one.raw)
    responder.fail_info, responder.faults = "1", {"no_text"}
    assert masked(each.enroll("c").raw) != masked(one.raw)


def test_what_openssl_signs_and_envelopes_is_read(responder, key):
    """The reader is not only the inverse of the writer beside it."""
    each, folder, ra = device(responder, key), responder.folder, responder.authority.ra
    for words, digests in (((), ("sha256",)), (("-md", "sha512"), ("sha512",)), (("-nocerts",), ("sha256",))):
        status, raw, said = openssl("cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", folder / "ra.pem", "-inkey",
                                    folder / "ra.key", *words, data=b"content")
        assert status == 0, said
        assert verify_signed(definite(raw)[0], ra, digests)[0] == b"content"
        with pytest.raises(Unacceptable, match="digest sha"):
            verify_signed(definite(raw)[0], ra, ("sha384",))
    assert each.enroll("c").cipher == "aes128-cbc", "whose envelope openssl made"


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


def test_a_bag_is_not_empty_and_its_recipient_has_an_rsa_key(responder, key):
    responder.bag = []
    refuses_bag(responder, key, ANDROID, "gave no certificate")
    responder.bag = [responder.authority.ca]
    refuses_bag(responder, key, ANDROID, "no RSA key")
    responder.bag, responder.type = [b"\x30\0"], "application/x-x509-ca-cert"
    refuses_bag(responder, key, ANDROID, "gave no certificate")


@pytest.mark.parametrize("operation", ["get_ca_caps", "get_ca_cert", "get_next_ca_cert"])
def test_the_other_operations_have_a_status(responder, key, operation):
    each = device(responder, key)
    responder.faults = {"status"}
    with pytest.raises(Unacceptable, match="answers 500"):
        getattr(each, operation)()


def test_the_next_ca_is_judged_too(responder, key):
    each = device(responder, key)
    responder.faults = {"type"}
    with pytest.raises(Unacceptable, match="GetNextCACert has type text/html"):
        each.get_next_ca_cert()
    responder.faults, responder.edit_reply = set(), lambda octets: edited(octets, [*INFO, 4], put(der.sequence(der.oid(cms.RSA_ENCRYPTION))))
    with pytest.raises(Unacceptable, match="is not ECDSA with sha256"):
        each.get_next_ca_cert()
