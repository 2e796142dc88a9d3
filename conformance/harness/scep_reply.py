"""Reads a CertRep as strictly as the strictest device: what is not exactly RFC 8894 is `Unacceptable`, with the reason."""
import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from . import der
from . import scep_message as cms
from .pkcs10 import public_key_info
from .seeded import CIPHERS, DIGEST_OIDS, ECDSA_OIDS, HASHES, RSA_OIDS, decrypt

SUCCESS, FAILURE, PENDING = "0", "2", "3"
FAIL_INFOS = {"0": "badAlg", "1": "badMessageCheck", "2": "badRequest", "3": "badTime", "4": "badCertId"}
_DIGESTS = {oid: name for name, oid in DIGEST_OIDS.items()}
_CIPHERS = {oid: (name, block) for name, (oid, _, block) in CIPHERS.items()}


class Unacceptable(Exception):
    """What no device should take."""


def require(holds, what):
    if not holds:
        raise Unacceptable(what)


@dataclass
class Expected:
    """What the device knows of its own request."""

    transaction_id: str
    nonce: bytes | None        # None where the request had none that could be repeated
    server_certificate: bytes  # the RA or CA certificate that the request was enveloped to, DER
    signer_certificate: bytes  # of the request, DER: the reply is for it
    signer_key: object
    leaf_key: object = None    # of the CSR
    digests: tuple = ("sha256", "sha512")
    ciphers: tuple = ("aes128-cbc",)
    leaf_only: bool = True
    wants: str = "certificate"  # or crl


@dataclass
class Reply:
    status: str
    fail_info: str | None = None  # badAlg …
    text: str | None = None       # failInfoText
    certificates: list = field(default_factory=list)  # DER, as they came
    crls: list = field(default_factory=list)
    digest: str = ""
    cipher: str | None = None
    raw: bytes = b""

    @property
    def certificate(self):
        return x509.load_der_x509_certificate(self.certificates[0])


def _ordered_set(node, what):
    node.expect(der.SET, what)
    values = node.children()
    require([v.raw for v in values] == sorted(v.raw for v in values), f"{what} is not in the order of DER")
    return values


def _content(node, oid, what):
    parts = node.expect(der.SEQUENCE, what).children()
    require(len(parts) == 2, f"{what} has {len(parts)} parts")
    require(parts[0].oid() == oid, f"{what} has content type {parts[0].oid()}")
    inner = parts[1].expect(0xA0, what).children()
    require(len(inner) == 1, f"{what} holds {len(inner)} values")
    return inner[0].expect(der.SEQUENCE, what).children()


def _signed_parts(raw, what):
    """(digest algorithms, eContent or None, certificates, CRLs, signers)."""
    parts = _content(der.whole(raw), cms.SIGNED_DATA, what)
    require(parts[0].integer() == 1, f"{what} has version {parts[0].integer()}")
    algorithms = _ordered_set(parts[1], f"digestAlgorithms of {what}")
    inner = parts[2].expect(der.SEQUENCE, f"the content of {what}").children()
    require(inner[0].oid() == cms.DATA and len(inner) <= 2, f"the content of {what} is no plain data")
    content = None
    if len(inner) == 2:
        wrapped = inner[1].expect(0xA0, f"eContent of {what}").children()
        require(len(wrapped) == 1, f"eContent of {what} holds {len(wrapped)} values")
        content = wrapped[0].expect(der.OCTET_STRING, f"eContent of {what}").content
    rest, certificates, crls = parts[3:], [], []
    if rest and rest[0].tag == 0xA0:
        certificates = [each.raw for each in rest.pop(0).children()]
    if rest and rest[0].tag == 0xA1:
        crls = [each.raw for each in rest.pop(0).children()]
    require(len(rest) == 1, f"{what} has {len(rest)} parts where its signers should be")
    return algorithms, content, certificates, crls, rest[0].expect(der.SET, f"signerInfos of {what}").children()


def read_degenerate(raw, what="the bag"):
    """(certificates, CRLs) of SignedData without signers, in its order."""
    algorithms, content, certificates, crls, signers = _signed_parts(raw, what)
    require(not algorithms and not signers, f"{what} is signed")
    require(content is None, f"{what} has a content")
    return certificates, crls


def _check_signature(key, algorithm, digest, signature, data):
    try:
        if isinstance(key, rsa.RSAPublicKey):
            require(algorithm in (cms.RSA_ENCRYPTION, RSA_OIDS[digest]), f"signature algorithm {algorithm} is not RSA with {digest}")
            key.verify(signature, data, padding.PKCS1v15(), HASHES[digest]())
        else:  # a CA that signs GetNextCACert; no device takes it as recipient
            require(algorithm == ECDSA_OIDS[digest], f"signature algorithm {algorithm} is not ECDSA with {digest}")
            key.verify(signature, data, ec.ECDSA(HASHES[digest]()))
    except InvalidSignature as wrong:
        raise Unacceptable("the signature does not verify") from wrong


def verify_signed(raw, server_certificate, digests):
    """(content, attributes as name -> the value's node, digest) of SignedData that this one certificate signed."""
    algorithms, content, certificates, crls, signers = _signed_parts(raw, "the reply")
    require(len(signers) == 1, f"{len(signers)} signers")
    require(not crls, "lists of revocations beside the signature")
    version, sid, digest, *rest = signers[0].expect(der.SEQUENCE, "SignerInfo").children()
    require(version.integer() == 1, f"SignerInfo has version {version.integer()}")
    require(sid.raw == cms.issuer_and_serial(server_certificate), "signed by another certificate than the request was enveloped to")
    # A bag may be empty: the device has the certificate. Another one with the same name is a trap.
    require(all(each == server_certificate for each in certificates if cms.issuer_and_serial(each) == sid.raw),
            "the signer's certificate in the reply is not the one that GetCACert gave")
    name = _DIGESTS.get(digest.children()[0].oid())
    require(name in digests, f"digest {name or digest.children()[0].oid()}, not one of {', '.join(digests)}")
    require([a.children()[0].oid() for a in algorithms] == [DIGEST_OIDS[name]], "digestAlgorithms does not name the signer's digest alone")
    require(rest and rest[0].tag == 0xA0, "there are no signed attributes")
    require(len(rest) == 3, "unsigned attributes, or parts missing, after the signed ones")
    signed, algorithm, signature = rest
    _check_signature(x509.load_der_x509_certificate(server_certificate).public_key(), algorithm.children()[0].oid(), name,
                     signature.expect(der.OCTET_STRING, "signature").content, der.tlv(der.SET, signed.content))
    attributes = {}
    for each in _ordered_set(der.Node(der.SET, signed.content, b""), "the set of attributes"):
        oid, values = each.expect(der.SEQUENCE, "an attribute").children()
        require(oid.oid() not in attributes, f"attribute {oid.oid()} is there twice")
        values = values.expect(der.SET, "the values of an attribute").children()
        require(len(values) == 1, f"attribute {oid.oid()} has {len(values)} values")
        attributes[oid.oid()] = values[0]
    require(attributes.get(cms.CONTENT_TYPE) and attributes[cms.CONTENT_TYPE].oid() == cms.DATA, "attribute contentType is not data")
    hashed = hashlib.new(name, content or b"").digest()
    require(cms.MESSAGE_DIGEST in attributes and
            attributes[cms.MESSAGE_DIGEST].expect(der.OCTET_STRING, "messageDigest").content == hashed, "messageDigest is not that of the content")
    return content, attributes, name


def _attribute(attributes, oid, tag, what):
    require(oid in attributes, f"attribute {what} is missing")
    node = attributes[oid]
    require(node.tag == tag, f"attribute {what} has tag {node.tag:#04x}, not {tag:#04x}")
    return node.content if tag == der.OCTET_STRING else node.content.decode(der.STRINGS[tag])


def open_envelope(raw, expected):
    """(what was in it, cipher): exactly one recipient, which is the certificate that signed the request."""
    version, recipients, encrypted = _content(der.whole(raw), cms.ENVELOPED_DATA, "the envelope")
    require(version.integer() == 0, f"the envelope has version {version.integer()}")
    infos = _ordered_set(recipients, "recipientInfos")
    require(len(infos) == 1, f"{len(infos)} recipients")
    number, rid, algorithm, key = infos[0].expect(der.SEQUENCE, "RecipientInfo").children()
    require(number.integer() == 0, f"RecipientInfo has version {number.integer()}")
    require(rid.raw == cms.issuer_and_serial(expected.signer_certificate), "enveloped to another certificate than signed the request")
    require(algorithm.children()[0].oid() == cms.RSA_ENCRYPTION, f"key transport {algorithm.children()[0].oid()}")
    kind, how, content = encrypted.expect(der.SEQUENCE, "EncryptedContentInfo").children()
    require(kind.oid() == cms.DATA, "the encrypted content is no plain data")
    oid, iv = how.children()
    name, block = _CIPHERS.get(oid.oid(), (oid.oid(), 0))
    require(name in expected.ciphers, f"cipher {name}, not one of {', '.join(expected.ciphers)}")
    try:
        secret = expected.signer_key.decrypt(key.expect(der.OCTET_STRING, "encryptedKey").content, padding.PKCS1v15())
    except ValueError as wrong:
        raise Unacceptable("the key of the envelope does not decrypt") from wrong
    data = content.expect(0x80, "encryptedContent").content
    require(len(secret) == CIPHERS[name][1], f"a key of {len(secret)} octets for {name}")
    require(data and len(data) % block == 0, "the encrypted content has no whole blocks")
    plain = decrypt(name, secret, iv.expect(der.OCTET_STRING, "IV").content, data)
    count = plain[-1]
    require(1 <= count <= block and plain.endswith(bytes([count]) * count), "the padding of the content is wrong")
    return plain[:-count], name


def verify(raw, expected):
    """The Reply, or Unacceptable."""
    try:
        return _verify(raw, expected)
    except (der.NotDer, UnicodeDecodeError, IndexError) as wrong:
        raise Unacceptable(f"not DER: {wrong}") from wrong


def _verify(raw, expected):
    content, attributes, digest = verify_signed(raw, expected.server_certificate, expected.digests)
    kind = _attribute(attributes, cms.MESSAGE_TYPE, der.PRINTABLE, "messageType")
    require(kind == cms.CERT_REP, f"messageType {kind}")
    require(_attribute(attributes, cms.TRANSACTION_ID, der.PRINTABLE, "transactionID") == expected.transaction_id, "another transactionID")
    if expected.nonce is None:
        require(cms.RECIPIENT_NONCE not in attributes, "a recipientNonce for a request without a nonce")
    elif len(expected.nonce) == 16 or cms.RECIPIENT_NONCE in attributes:  # another length need not be repeated
        require(_attribute(attributes, cms.RECIPIENT_NONCE, der.OCTET_STRING, "recipientNonce") == expected.nonce,
                "recipientNonce is not the nonce of the request")
    nonce = _attribute(attributes, cms.SENDER_NONCE, der.OCTET_STRING, "senderNonce")
    require(len(nonce) == 16 and nonce != expected.nonce, "senderNonce is not 16 fresh octets")
    status = _attribute(attributes, cms.PKI_STATUS, der.PRINTABLE, "pkiStatus")
    require(status in (SUCCESS, FAILURE, PENDING), f"pkiStatus {status!r}")
    reply = Reply(status, digest=digest, raw=raw)
    if status == FAILURE:
        number = _attribute(attributes, cms.FAIL_INFO, der.PRINTABLE, "failInfo")
        require(number in FAIL_INFOS, f"failInfo {number!r}")
        reply.fail_info = FAIL_INFOS[number]
        if cms.FAIL_INFO_TEXT in attributes:
            reply.text = _attribute(attributes, cms.FAIL_INFO_TEXT, der.UTF8, "failInfoText")
    else:
        require(not {cms.FAIL_INFO, cms.FAIL_INFO_TEXT} & set(attributes), "failInfo without a failure")
    if status != SUCCESS:
        require(content is None, "a content in a reply that is no success")
        return reply
    require(content is not None, "a success without content")
    plain, reply.cipher = open_envelope(content, expected)
    reply.certificates, reply.crls = read_degenerate(plain, "the content of the envelope")
    _verify_content(reply, expected)
    return reply


def _verify_content(reply, expected):
    if expected.wants == "crl":
        require(len(reply.crls) == 1 and not reply.certificates, f"{len(reply.crls)} CRLs and {len(reply.certificates)} certificates")
        return
    require(reply.certificates and not reply.crls, f"{len(reply.crls)} CRLs and {len(reply.certificates)} certificates")
    require(not expected.leaf_only or len(reply.certificates) == 1, f"{len(reply.certificates)} certificates where the leaf alone is wanted")
    if expected.leaf_key:
        info = der.whole(reply.certificates[0]).children()[0].children()[6].raw
        require(info == public_key_info(expected.leaf_key), "the first certificate is not for the key that was asked for")


# ---- to compare answers that must not differ

_PASSING = {cms.SENDER_NONCE, cms.RECIPIENT_NONCE, cms.TRANSACTION_ID, cms.SIGNING_TIME}


def _masked_attribute(node):
    oid, values = node.children()
    if oid.oid() not in _PASSING:
        return node.raw
    return der.sequence(oid.raw, der.tlv(der.SET, *(der.tlv(each.tag, bytes(len(each.content))) for each in values.children())))


def _masked_info(node):
    parts = [der.tlv(0xA0, *map(_masked_attribute, part.children())) if part.tag == 0xA0 else part.raw for part in node.children()]
    signature = node.children()[-1].expect(der.OCTET_STRING, "signature")
    return der.sequence(*parts[:-1], der.octets(bytes(len(signature.content))))


def masked(raw):
    """A reply with zeros for its nonces, transactionID, time and signature: two that mean the same are the same octets."""
    kind, wrapped = der.whole(raw).children()
    *parts, infos = wrapped.children()[0].children()
    return der.sequence(kind.raw, der.context(0, der.sequence(*(part.raw for part in parts), der.tlv(der.SET, *map(_masked_info, infos.children())))))
