"""Each attack is what its name says: all that it breaks, and nothing else."""
import pytest
from cryptography import x509
from harness import der, pkcs10, scep_message as cms
from harness.scep_attacks import ATTACKS, GREEDY, HTTP, LEGACY, PADDINGS, RENEWALS, message_of_type, poll_by_another
from harness.scep_device import Device
from harness.scep_reply import FAIL_INFOS
from harness.scep_style import ANDROID

from responder import openssl

# What openssl alone says of each, besides the signature that holds.
UNSIGNED = {"bad_signature", "bad_digest", "no_signer", "no_certificate", "content_changed", "digest_said_wrong", "nothing", "no_der", "nested",
            "nested_indefinite", "length_2_31", "cut", "enveloped_outside"}
NO_ATTRIBUTES = {"no_signed_attributes", "unsigned_attributes_only"}


@pytest.fixture(scope="module")
def made(authority, tmp_path_factory):
    from responder import Responder
    with Responder(authority, tmp_path_factory.mktemp("attacks")) as responder:
        device = Device(responder.url, ANDROID, seed="attacks", subject=[("CN", "device.test")]).discover()
        device.enroll("right")
        yield device, responder


def verified(raw, folder):
    """Whether openssl takes the signature; openssl's words."""
    status, _, said = openssl("cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-out", folder / "content", data=raw)
    return status == 0, said


def names():
    return [*ATTACKS, *RENEWALS, *LEGACY]


@pytest.mark.parametrize("name", names())
def test_what_is_broken_is_only_that(made, name, tmp_path):
    device, _ = made
    attack = {**ATTACKS, **RENEWALS, **LEGACY}[name]
    assert attack.name == name and attack.refusal in {HTTP, *FAIL_INFOS.values()}
    raw = attack.make(device, "right").raw
    holds, said = verified(raw, tmp_path)
    broken = UNSIGNED | {"twin_certificate", "renewal_with_the_certificate_alone"}
    # Of two certificates of one name openssl tries the first; what it does with two attributes is its affair.
    assert holds is (name not in broken), said


def attributes(raw):
    info = der.whole(raw).children()[1].children()[0].children()[-1].children()[0].children()
    return [(each.children()[0].oid(), [value.raw for value in each.children()[1].children()]) for each in info[3].children()] \
        if info[3].tag == 0xA0 else []


def test_every_type_can_be_sent(made):
    device, _ = made
    for value in range(256):
        assert dict(attributes(message_of_type(device, "right", str(value)).raw))[cms.MESSAGE_TYPE] == [der.printable(str(value))]


@pytest.mark.parametrize("name, oid, count, values", [
    ("type_twice", cms.MESSAGE_TYPE, 2, 1), ("type_two_values", cms.MESSAGE_TYPE, 1, 2), ("type_absent", cms.MESSAGE_TYPE, 0, 0),
    ("transaction_id_twice", cms.TRANSACTION_ID, 2, 1), ("transaction_id_absent", cms.TRANSACTION_ID, 0, 0),
    ("nonce_twice", cms.SENDER_NONCE, 2, 1),
    ("nonce_absent", cms.SENDER_NONCE, 0, 0)])
def test_attributes_are_as_often_there(made, name, oid, count, values):
    found = [each for each in attributes(ATTACKS[name].make(made[0], "right").raw) if each[0] == oid]
    assert len(found) == count and all(len(each[1]) == values for each in found)


@pytest.mark.parametrize("name", NO_ATTRIBUTES)
def test_without_attributes(made, name):
    kinds = {oid for oid, _ in attributes(ATTACKS[name].make(made[0], "right").raw)}
    assert not kinds & {cms.MESSAGE_TYPE, cms.TRANSACTION_ID}


def content(raw, folder):
    assert verified(raw, folder)[0]
    return (folder / "content").read_bytes()


def opened(made, raw, folder):
    _, responder = made
    status, plain, said = openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-recip", responder.folder / "ra.pem", "-inkey",
                                  responder.folder / "ra.key", data=content(raw, folder))
    return plain if status == 0 else None


@pytest.mark.parametrize("name", sorted(set(PADDINGS) | {"no_recipient", "many_recipients", "password_recipient", "cipher_des-cbc", "cipher_rc2-cbc",
                                                        "content_is_no_envelope", "content_signed_twice"}))
def test_envelopes_that_do_not_open(made, name, tmp_path):
    plain = opened(made, ATTACKS[name].make(made[0], "right").raw, tmp_path)
    # A broken key padding opens to nonsense in this openssl: implicit rejection.
    assert plain is None or not plain.startswith(b"\x30\x82")


def request_in(made, raw, folder):
    return x509.load_der_x509_csr(opened(made, raw, folder))


def test_requests_inside(made, tmp_path):
    def csr(name):
        return request_in(made, ATTACKS[name].make(made[0], "right").raw, tmp_path)

    assert not csr("csr_bad_signature").is_signature_valid and not csr("csr_of_a_stolen_key").is_signature_valid
    own = made[0].key.public_key().public_numbers()
    assert csr("csr_bad_signature").public_key().public_numbers() == own != csr("csr_of_a_stolen_key").public_key().public_numbers()
    assert csr("signer_is_another_key").is_signature_valid
    assert csr("csr_md5").signature_hash_algorithm.name == "md5" and csr("key_of_512_bits").public_key().key_size == 512
    for name, oid in (("digest_sha1", "1.3.14.3.2.26"), ("cipher_des3-cbc", "1.2.840.113549.3.7")):
        message = LEGACY[name].make(made[0], "right")
        assert der.oid(oid) in message.raw and request_in(made, message.raw, tmp_path).is_signature_valid
    assert request_in(made, LEGACY["csr_sha1"].make(made[0], "right").raw, tmp_path).signature_hash_algorithm.name == "sha1"


@pytest.mark.parametrize("name, values", [("challenge_absent", [[]]), ("challenge_empty", [["1300"]]),
                                          ("challenge_twice", [["13057269676874"]] * 2),
                                          ("challenge_two_values", [["13057269676874", "13056f74686572"]]),
                                          ("challenge_and_nul", [["0c06726967687400"]])])
def test_challenges(made, name, values, tmp_path):
    raw = opened(made, ATTACKS[name].make(made[0], "right").raw, tmp_path)
    each = der.whole(raw).children()[0].children()[3].children()
    found = [[v.raw.hex() for v in a.children()[1].children()] for a in each if a.children()[0].oid() == pkcs10.CHALLENGE_PASSWORD]
    assert (found or [[]]) == [sorted(v) for v in values]


def test_renewals(made, tmp_path):
    device, _ = made
    own = x509.load_der_x509_certificate(device.certificate)
    forged = RENEWALS["renewal_by_a_forged_certificate"].make(device, "right").signer
    certificate = x509.load_der_x509_certificate(forged.certificate)
    assert certificate.issuer == own.issuer and certificate.subject == own.subject and certificate.public_key() != own.public_key()
    asked = request_in(made, RENEWALS["renewal_for_another_name"].make(device, None).raw, tmp_path)
    assert asked.subject != own.subject and asked.is_signature_valid


def test_a_poll_by_another_has_the_same_transaction(made):
    device, _ = made
    pending = device.enroll_message("right")
    stranger = poll_by_another(device, pending)
    assert stranger.expected.transaction_id == pending.expected.transaction_id and stranger.signer.certificate != pending.signer.certificate


@pytest.mark.parametrize("name", GREEDY)
def test_greedy_requests_are_well_formed(made, name):
    csr = x509.load_der_x509_csr(made[0].csr("right", extensions=GREEDY[name]))
    assert csr.is_signature_valid and len(csr.extensions) == len(GREEDY[name])
