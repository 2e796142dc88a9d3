"""Messages that a SCEP server must refuse, by name: what scep.md calls attacks, as a device with the right challenge would send them.

Each entry of ATTACKS makes a Message from a discovered Device and the challenge that would be right; `refusal` is the
failInfo that the answer names, or HTTP where there is nothing to answer to: the status is 400, or 413 beyond the limit of
the body. Those that need a certificate first are RENEWALS; LEGACY is refused where the profile does not allow it by name.
Where the reference says only that it is refused, `refusal` is badRequest.
"""
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Callable

from . import der, pkcs10, scep_message as cms
from .scep_device import BEGIN, DAYS, Message
from .seeded import rsa_key

HTTP = "HTTP 400"
ATTACKS, RENEWALS, LEGACY = {}, {}, {}


@dataclass(frozen=True)
class Attack:
    name: str
    row: str       # of the reference
    refusal: str   # failInfo, or HTTP
    make: Callable  # (device, challenge) -> Message


def attack(row, refusal, table=None):
    def add(function):
        (ATTACKS if table is None else table)[function.__name__] = Attack(function.__name__, row, refusal, function)
        return function
    return add


def _add(name, row, refusal, make, table=None):
    (ATTACKS if table is None else table)[name] = Attack(name, row, refusal, make)


def _stranger(device, name="stranger"):
    """A key that is not the device's, in a self-signed certificate with the same subject."""
    key = rsa_key(device.random.child(name), 2048)
    return cms.Signer(pkcs10.certificate(key, device.subject, device.random, begin=BEGIN, days=DAYS), key)


# ---- A2, S01: the type of a message

def _type(value):
    def make(device, challenge):
        return device.enroll_message(challenge, attributes=lambda each: cms.replaced(each, cms.MESSAGE_TYPE, [der.printable(value)]))
    return make


def message_of_type(device, challenge, value):
    """A request that would be right, but for its messageType: any text."""
    return _type(value)(device, challenge)


for _value in ("18", "3", "0", "1", "2", "16", "23", "99", "255", "256", "019", " 19", "19 ", "+19", "", "1 9", "4294967315"):
    _add(f"type_{_value}", "A2 S01", "badRequest", _type(_value))


def _attributes(*steps):
    """Attributes replaced: (OID, list of values, list of values …), none removes it."""
    def make(device, challenge):
        def edit(each):
            for oid, *value_sets in steps:
                each = cms.replaced(each, oid, *[[v(device) if callable(v) else v for v in values] for values in value_sets])
            return each
        return device.enroll_message(challenge, attributes=edit)
    return make


def _own_id(device):
    return der.printable(device.style.transaction_id(device.key))


_19 = der.printable("19")
_add("type_absent", "A9 S01", "badRequest", _attributes((cms.MESSAGE_TYPE,)))
_add("type_twice", "A9 S01", "badRequest", _attributes((cms.MESSAGE_TYPE, [_19], [_19])))
_add("type_two_values", "A9 S01", "badRequest", _attributes((cms.MESSAGE_TYPE, [_19, der.printable("17")])))
_add("type_integer", "A9 S01", "badRequest", _attributes((cms.MESSAGE_TYPE, [der.integer(19)])))
_add("type_utf8", "A9", "badRequest", _attributes((cms.MESSAGE_TYPE, [der.utf8("19")])))
_add("transaction_id_absent", "§2", HTTP, _attributes((cms.TRANSACTION_ID,)))
_add("transaction_id_empty", "A11", HTTP, _attributes((cms.TRANSACTION_ID, [der.printable("")])))
_add("transaction_id_twice", "A9", HTTP, _attributes((cms.TRANSACTION_ID, [_own_id], [_own_id])))
_add("transaction_id_two_values", "A9", HTTP, _attributes((cms.TRANSACTION_ID, [_own_id, der.printable("other")])))
_add("transaction_id_octets", "A9", HTTP, _attributes((cms.TRANSACTION_ID, [der.octets(b"transaction")])))
_add("transaction_id_long", "A11", HTTP, _attributes((cms.TRANSACTION_ID, [der.printable("A" * 10240)])))
_add("transaction_id_control", "A11", HTTP, _attributes((cms.TRANSACTION_ID, [der.printable("a\r\nlevel=info forged=1\x1b[31m\0")])))
_add("nonce_absent", "§1.3", "badRequest", _attributes((cms.SENDER_NONCE,)))
_add("nonce_short", "§1.3", "badRequest", _attributes((cms.SENDER_NONCE, [der.octets(b"short")])))
_add("nonce_long", "§1.3", "badRequest", _attributes((cms.SENDER_NONCE, [der.octets(b"l" * 4096)])))
_add("nonce_printable", "A9", "badRequest", _attributes((cms.SENDER_NONCE, [der.printable("1234567890123456")])))
_add("nonce_twice", "A9", "badRequest", _attributes((cms.SENDER_NONCE, [der.octets(b"1" * 16)], [der.octets(b"1" * 16)])))


# ---- S05, A8: who signed

def _signed(**knobs):
    return lambda device, challenge: device.enroll_message(challenge, signed=knobs)


_add("bad_signature", "S05", "badMessageCheck", _signed(bad_signature=True))
_add("bad_digest", "S05", "badMessageCheck", _signed(bad_digest=True))
_add("two_signers", "S05", "badMessageCheck", lambda device, challenge: device.enroll_message(challenge, infos=lambda info: [info, info]))
_add("no_signed_attributes", "S05", HTTP, _signed(signed_attributes=False))
_add("no_signer", "S05", HTTP, lambda device, challenge: device.enroll_message(challenge, infos=lambda info: []))
_add("no_certificate", "S05", "badMessageCheck", lambda device, challenge: device.enroll_message(challenge, certificates=[]))


@attack("A9", HTTP)
def unsigned_attributes_only(device, challenge):
    """What should be signed stands beside the signature."""
    wanted = cms.request_attributes("19", device.style.transaction_id(device.key), bytes(16))
    return device.enroll_message(challenge, attributes=lambda each: [], signed={"unsigned": wanted})


@attack("A8", "badMessageCheck")
def twin_certificate(device, challenge):
    """Another certificate with the signer's issuer and serial comes first; the signature is the stranger's."""
    own = device.self_signed
    serial = der.whole(cms.issuer_and_serial(own)).children()[1].integer()
    stranger = rsa_key(device.random.child("twin"), 2048)
    subject = der.whole(own).children()[0].children()[5].raw
    twin = pkcs10.certificate(stranger, subject, device.random, begin=BEGIN, days=DAYS, serial=serial)
    return device.enroll_message(challenge, signer=cms.Signer(twin, stranger), certificates=[own, twin])


@attack("A7 S04", "badMessageCheck")
def signer_is_another_key(device, challenge):
    """A relay wraps what it saw into its own envelope."""
    return device.enroll_message(challenge, signer=_stranger(device))


@attack("S05", "badMessageCheck")
def content_changed(device, challenge):
    """The envelope is another than the one that was signed."""
    message = device.enroll_message(challenge, ber=False)
    other = cms.envelope(device.csr(challenge), [device.recipient], device.random)
    info = der.whole(message.raw).children()[1].children()[0].children()[-1].children()[0].raw
    raw = cms.signed_data(other, [info], [device.self_signed])
    return replace(message, raw=raw)


# ---- the request inside

def _csr(refusal_row, refusal, name, **knobs):
    _add(name, refusal_row, refusal, lambda device, challenge: device.enroll_message(csr=device.csr(challenge, **{
        key: value(device, challenge) if callable(value) else value for key, value in knobs.items()})))


_csr("A6", "badRequest", "csr_bad_signature", bad_signature=True)
_csr("A6 A7", "badMessageCheck", "csr_of_a_stolen_key", spki_of=lambda device, _: _stranger(device).key)
_csr("S06", "badRequest", "challenge_absent", challenges=())
_csr("S06", "badRequest", "challenge_empty", challenges=lambda *_: [pkcs10.challenge("", der.PRINTABLE)])
_csr("S06", "badRequest", "challenge_twice", challenges=lambda _, right: [pkcs10.challenge(right), pkcs10.challenge(right)])
_csr("S06", "badRequest", "challenge_and_another", challenges=lambda _, right: [pkcs10.challenge("wrong"), pkcs10.challenge(right)])
_csr("S06", "badRequest", "challenge_wrong", challenges=lambda _, right: [pkcs10.challenge(right + "x")])
_csr("S06", "badRequest", "challenge_other_case", challenges=lambda _, right: [pkcs10.challenge(right.swapcase())])
_csr("S06", "badRequest", "challenge_and_nul", challenges=lambda _, right: [der.tlv(der.UTF8, right.encode() + b"\0")])
_csr("S06", "badRequest", "challenge_integer", challenges=lambda *_: [der.integer(1)])
_csr("S06", "badRequest", "challenge_too_long", challenges=lambda *_: [pkcs10.challenge("c" * 17000)])
_csr("S06", "badRequest", "challenge_two_values", challenges=(),
     attributes=lambda _, right: [pkcs10.attribute(pkcs10.CHALLENGE_PASSWORD, pkcs10.challenge(right), pkcs10.challenge("other"))])


@attack("A14", "badRequest")
def csr_and_more(device, challenge):
    return device.enroll_message(csr=device.csr(challenge) + b"\0")


@attack("A14", "badMessageCheck")
def csr_is_none(device, _):
    """Like an envelope that does not open: what came out of it is nobody's affair."""
    return device.enroll_message(csr=b"this is no request")


# ---- S10, A13: what is too weak, or is not SCEP

for _digest in ("md5",):
    _add(f"digest_{_digest}", "S10 A13", "badAlg", lambda device, challenge, d=_digest: device.enroll_message(challenge, digest=d))
for _cipher in ("des-cbc", "rc2-cbc"):
    _add(f"cipher_{_cipher}", "S10 A13", "badAlg", lambda device, challenge, c=_cipher: device.enroll_message(challenge, cipher=c))
_csr("A13", "badAlg", "csr_md5", digest="md5")


@attack("A13", "badAlg")
def key_of_512_bits(device, challenge):
    """All is right, and everybody can compute the key."""
    key = rsa_key(device.random.child("weak"), 512)
    signer = cms.Signer(pkcs10.certificate(key, device.subject, device.random, begin=BEGIN, days=DAYS), key)
    return device.message(cms.PKCS_REQ, device.csr(challenge, key), signer=signer, leaf_key=key, digest="sha256")


_add("digest_sha1", "S10", "badAlg", lambda device, challenge: device.enroll_message(challenge, digest="sha1"), LEGACY)
_add("cipher_des3-cbc", "S10", "badAlg", lambda device, challenge: device.enroll_message(challenge, cipher="des3-cbc"), LEGACY)
_add("csr_sha1", "S10", "badAlg", lambda device, challenge: device.enroll_message(csr=device.csr(challenge, digest="sha1")), LEGACY)


@attack("A13", "badMessageCheck")
def digest_said_wrong(device, challenge):
    """SHA-256 was named, SHA-1 was meant."""
    return device.enroll_message(challenge, digest="sha1", signed={"digest_name": "sha256"})


# ---- A15, S13: four ways for an envelope not to open, whose answers must be the same

def _envelope(**knobs):
    return lambda device, challenge: device.enroll_message(challenge, envelope={
        key: value(device) if callable(value) else value for key, value in knobs.items()})


PADDINGS = ("padding_of_key", "padding_of_content", "key_for_another", "recipient_is_another")
_add("padding_of_key", "A15 S13", "badMessageCheck", _envelope(key_padding=1))
_add("padding_of_content", "A15 S13", "badMessageCheck", _envelope(content_padding=0))
_add("key_for_another", "A15 S13", "badMessageCheck", _envelope(encrypt_to=lambda device: _stranger(device).certificate))
_add("recipient_is_another", "A15 S13", "badMessageCheck",
     lambda device, challenge: device.enroll_message(challenge, recipients=[_stranger(device).certificate]))
_add("many_recipients", "A14", "badRequest",
     lambda device, challenge: device.enroll_message(challenge, recipients=[_stranger(device).certificate] * 300))
_add("no_recipient", "A14", "badRequest", lambda device, challenge: device.enroll_message(challenge, recipients=[]))
_add("password_recipient", "A14", "badAlg", lambda device, challenge: device.enroll_message(
    challenge, recipients=[], envelope={"recipient_infos": [cms.password_recipient(device.random, 2 ** 31 - 1)]}))


# ---- A14, S14: shapes

def _raw(function):
    def make(device, challenge):
        message = device.enroll_message(challenge)
        return Message(function(device, message.raw), message.expected, message.signer)
    return make


def _nested(depth, inner=b"\5\0"):
    for _ in range(depth):
        inner = der.sequence(inner)
    return inner


_add("nothing", "A14", HTTP, _raw(lambda *_: b""))
_add("no_der", "A14", HTTP, _raw(lambda *_: b"\xff" * 64))
_add("nested", "A14 S14", HTTP, _raw(lambda *_: _nested(1000)))
_add("nested_indefinite", "A14 S14", HTTP, _raw(lambda *_: b"\x30\x80" * 50000))
_add("length_2_31", "A14 S14", HTTP, _raw(lambda _, raw: b"\x30\x84\x7f\xff\xff\xff" + raw[4:]))
_add("trailing", "A14", HTTP, _raw(lambda _, raw: raw + b"\0"))
_add("cut", "A14 S14", HTTP, _raw(lambda _, raw: raw[:len(raw) // 2]))
_add("enveloped_outside", "§2", HTTP, _raw(lambda device, _: cms.envelope(b"x", [device.recipient], device.random)))
_add("ten_thousand_certificates", "A14", HTTP,
     lambda device, challenge: device.enroll_message(challenge, certificates=[device.self_signed] * 10000))
_add("content_is_no_envelope", "§2", "badRequest",
     lambda device, challenge: device.enroll_message(challenge, content=device.csr(challenge)))
_add("content_signed_twice", "§2", "badRequest",
     lambda device, challenge: device.enroll_message(challenge, content=device.enroll_message(challenge).raw))


# ---- A4, A5, S02: renewals; the device has a certificate

def _renewal(name, refusal, row, make):
    _add(name, row, refusal, make, RENEWALS)


_renewal("renewal_self_signed", "badMessageCheck", "A4 S02", lambda device, challenge: device.renew_message(
    kind=cms.RENEWAL_REQ, challenge=challenge, signer=cms.Signer(device.self_signed, device.key)))
_renewal("renewal_by_a_forged_certificate", "badMessageCheck", "A4 S02", lambda device, challenge: device.renew_message(
    kind=cms.RENEWAL_REQ, challenge=challenge, signer=forged(device)))
_renewal("renewal_with_the_certificate_alone", "badMessageCheck", "A4 A7", lambda device, challenge: device.renew_message(
    kind=cms.RENEWAL_REQ, challenge=challenge, signer=cms.Signer(device.certificate, _stranger(device).key)))
_renewal("renewal_for_another_name", "badRequest", "A5", lambda device, challenge: device.renew_message(
    kind=cms.RENEWAL_REQ, csr=device.csr(None, subject=pkcs10.name([("CN", "domain-controller.test")]))))


def forged(device):
    """A certificate with the name of the CA that the CA never signed."""
    begin = datetime.utcnow().replace(microsecond=0) - timedelta(days=1)
    key = rsa_key(device.random.child("forged"), 2048)
    issuer = der.whole(device.issuer).children()[0].children()[5].raw
    return cms.Signer(pkcs10.certificate(key, device.subject, device.random, begin=begin, issuer=issuer, issuer_key=key), key)


def poll_by_another(device, pending):
    """A12: asks for what another device waits for. `pending` is that device's Message."""
    stranger = _stranger(device)
    return device.message(cms.CERT_POLL, cms.issuer_and_subject(device.issuer, device.subject), signer=stranger,
                          transaction_id=pending.expected.transaction_id)


# ---- A17: what a right challenge must not buy; granted without it, or refused, as the profile says

GREEDY = {
    "ca": [pkcs10.basic_constraints(True), pkcs10.key_usage("keyCertSign", "cRLSign")],
    "any_purpose": [pkcs10.extended_key_usage(pkcs10.ANY_PURPOSE, pkcs10.SERVER_AUTH)],
    "sid_extension": [pkcs10.sid_extension("S-1-5-21-1-2-3-500")],
    "sid_uri": [pkcs10.alternative_names(uri=["tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"])],
    "upn": [pkcs10.alternative_names(upn=["administrator@corp.test"])],
    "template": [pkcs10.template_name("DomainController")],
    "many_names": [pkcs10.alternative_names(dns=[f"n{i}.test" for i in range(5000)])],
}
