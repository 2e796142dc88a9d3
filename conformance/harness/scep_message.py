"""CMS and SCEP messages made octet by octet (RFC 5652, RFC 8894), right or wrong on purpose."""
import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from . import der
from .seeded import CIPHERS, DIGEST_OIDS, ECDSA_OIDS, encrypt, oaep_padded, pkcs1_padded, rsa_raw, sign

DATA, SIGNED_DATA, ENVELOPED_DATA = (f"1.2.840.113549.1.7.{n}" for n in (1, 2, 3))
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = (f"1.2.840.113549.1.9.{n}" for n in (3, 4, 5))
RSA_ENCRYPTION, RSAES_OAEP, MGF1 = (f"1.2.840.113549.1.1.{n}" for n in (1, 7, 8))
_SCEP = "2.16.840.1.113733.1.9."
MESSAGE_TYPE, PKI_STATUS, FAIL_INFO, SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION_ID = (f"{_SCEP}{n}" for n in range(2, 8))
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"
CERT_REP, RENEWAL_REQ, UPDATE_REQ, PKCS_REQ, CERT_POLL, GET_CERT, GET_CRL = "3", "17", "18", "19", "20", "21", "22"


@dataclass
class Signer:
    """A certificate (DER) and the key that signs for it, which is another's in some attacks."""

    certificate: bytes
    key: object


def _fields(certificate):
    fields = der.whole(certificate).children()[0].children()
    return fields[1:] if fields[0].tag == 0xA0 else fields


def issuer_and_serial(certificate):
    serial, _, issuer = _fields(certificate)[:3]
    return der.sequence(issuer.raw, serial.raw)


def issuer_and_subject(issuer_certificate, subject):
    """What CertPoll carries: the name of the CA and the subject that was asked for."""
    return der.sequence(_fields(issuer_certificate)[4].raw, subject)


def content_info(oid, content, ber=False):
    return der.sequence(der.oid(oid), der.context(0, content, indefinite=ber), indefinite=ber)


def _octets(tag, value, ber):
    """A primitive string, or the pieces that streaming writers send."""
    return der.chunked(tag, value, 1024) if ber else der.tlv(tag, value)


def _transported(key, certificate, random, transport, kind):
    public_key = x509.load_der_x509_certificate(certificate).public_key()
    size = (public_key.key_size + 7) // 8
    if transport == "pkcs1":
        return der.sequence(der.oid(RSA_ENCRYPTION), der.null()), rsa_raw(public_key, pkcs1_padded(key, size, random, kind))
    digest = transport.removeprefix("oaep-")  # oaep-sha1, oaep-sha256
    hashed = der.sequence(der.oid(DIGEST_OIDS[digest]), der.null())
    parameters = der.sequence() if digest == "sha1" else der.sequence(
        der.context(0, hashed), der.context(1, der.sequence(der.oid(MGF1), hashed)))
    return der.sequence(der.oid(RSAES_OAEP), parameters), rsa_raw(public_key, oaep_padded(key, size, random, digest))


def password_recipient(random, iterations):
    """A PasswordRecipientInfo whose key nobody can unwrap: only what it costs to try is of interest."""
    pbkdf2 = der.sequence(der.oid("1.2.840.113549.1.5.12"), der.sequence(der.octets(random.octets(8)), der.integer(iterations)))
    wrap = der.sequence(der.oid("1.2.840.113549.1.9.16.3.9"),
                        der.sequence(der.oid(CIPHERS["aes128-cbc"][0]), der.octets(random.octets(16))))
    parts = pbkdf2[2:] if pbkdf2[1] < 0x80 else pbkdf2[3:]
    return der.context(3, der.integer(0), der.context(0, parts), wrap, der.octets(random.octets(32)))


def envelope(plain, recipients, random, cipher="aes128-cbc", *, ber=False, transport="pkcs1", key_padding=2, content_padding=None,
             encrypt_to=None, recipient_infos=()):
    """DER or BER of a ContentInfo with EnvelopedData.

    recipients       certificates (DER), one KeyTransRecipientInfo each
    transport        pkcs1, oaep-sha1, oaep-sha256
    key_padding      block type of the PKCS #1 padding; anything but 2 is broken
    content_padding  the last octet of the content's padding; None is right
    encrypt_to       a certificate whose key is used in place of the named recipient's
    recipient_infos  further complete RecipientInfos
    """
    oid, key_size, block = CIPHERS[cipher]
    key, iv = random.octets(key_size), random.octets(block)
    infos = []
    for certificate in recipients:
        algorithm, encrypted = _transported(key, encrypt_to or certificate, random, transport, key_padding)
        infos.append(der.sequence(der.integer(0), issuer_and_serial(certificate), algorithm, der.octets(encrypted)))
    missing = block - len(plain) % block
    padded = plain + bytes([missing]) * missing
    if content_padding is not None:
        padded = padded[:-1] + bytes([content_padding])
    # RC2's parameters name its version, of which 58 means 128 bits (RFC 2268 §6).
    parameters = der.sequence(der.integer(58), der.octets(iv)) if cipher == "rc2-cbc" else der.octets(iv)
    encrypted = der.sequence(der.oid(DATA), der.sequence(der.oid(oid), parameters),
                             _octets(0x80, encrypt(cipher, key, iv, padded), ber), indefinite=ber)
    plain_rsa = not recipient_infos
    content = der.sequence(der.integer(0 if plain_rsa else 3), der.set_of(*infos, *recipient_infos), encrypted, indefinite=ber)
    return content_info(ENVELOPED_DATA, content, ber)


def signer_info(content, signer, attributes, random, digest, *, bad_signature=False, bad_digest=False, signed_attributes=True,
                unsigned=(), digest_name=None):
    """`attributes` are (OID, [values]); contentType and messageDigest are added unless they are among them.

    signed_attributes  False: the signature is over the content itself, and the attributes are nowhere
    unsigned           (OID, [values]) that nobody signed
    digest_name        another digest than `digest` to be named in the message
    """
    named = {oid for oid, _ in attributes}
    hashed = hashlib.new(digest, content).digest()
    each = list(attributes)
    if CONTENT_TYPE not in named:
        each.append((CONTENT_TYPE, [der.oid(DATA)]))
    if MESSAGE_DIGEST not in named:
        each.append((MESSAGE_DIGEST, [der.octets(hashed[:-1] + bytes([hashed[-1] ^ 1]) if bad_digest else hashed)]))
    encoded = [der.sequence(der.oid(oid), der.set_of(*values)) for oid, values in each]
    made = sign(signer.key, digest, der.set_of(*encoded) if signed_attributes else content, random)
    if bad_signature:
        made = made[:-1] + bytes([made[-1] ^ 1])
    is_ec = isinstance(signer.key, ec.EllipticCurvePrivateKey)
    algorithm = der.sequence(der.oid(ECDSA_OIDS[digest])) if is_ec else der.sequence(der.oid(RSA_ENCRYPTION), der.null())
    loose = [der.sequence(der.oid(oid), der.set_of(*values)) for oid, values in unsigned]
    return der.sequence(der.integer(1), issuer_and_serial(signer.certificate), _digest(digest_name or digest),
                        *([der.context(0, *sorted(encoded))] if signed_attributes else []), algorithm, der.octets(made),
                        *([der.context(1, *sorted(loose))] if loose else []))


def _digest(name):
    return der.sequence(der.oid(DIGEST_OIDS[name]), der.null())


def signed_data(content, infos, certificates, digest="sha256", *, ber=False, crls=()):
    """A ContentInfo with SignedData. `content` None leaves eContent out; `infos` are complete SignerInfos."""
    inner = der.sequence(der.oid(DATA), indefinite=ber) if content is None else der.sequence(
        der.oid(DATA), der.context(0, _octets(der.OCTET_STRING, content, ber), indefinite=ber), indefinite=ber)
    parts = [der.integer(1), der.set_of(*([_digest(digest)] if infos else [])), inner]
    if certificates:
        parts.append(der.context(0, *certificates))
    if crls:
        parts.append(der.context(1, *crls))
    return content_info(SIGNED_DATA, der.sequence(*parts, der.set_of(*infos), indefinite=ber), ber)


def degenerate(certificates=(), crls=()):
    """SignedData that nobody signed, as GetCACert and CertRep carry it (RFC 8894 §3.4). The order stays."""
    return signed_data(None, [], list(certificates), crls=crls)


def request_attributes(kind, transaction_id, nonce):
    return [(MESSAGE_TYPE, [der.printable(kind)]), (TRANSACTION_ID, [der.printable(transaction_id)]), (SENDER_NONCE, [der.octets(nonce)])]


def replaced(attributes, oid, *value_sets):
    """The attributes with each `oid` as often as there are lists of values: none removes it, two double it."""
    return [each for each in attributes if each[0] != oid] + [(oid, list(values)) for values in value_sets]
