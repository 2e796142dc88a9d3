"""Names, extensions, PKCS #10 requests and self-signed certificates made octet by octet (RFC 2986, RFC 5280), right or wrong."""
import hashlib
import ipaddress
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization

from . import der
from .seeded import sign, signature_algorithm

TYPES = {"CN": "2.5.4.3", "SN": "2.5.4.4", "serialNumber": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8",
         "O": "2.5.4.10", "OU": "2.5.4.11", "E": "1.2.840.113549.1.9.1", "DC": "0.9.2342.19200300.100.1.25",
         "unstructuredName": "1.2.840.113549.1.9.2"}
USAGES = {"digitalSignature": 0, "nonRepudiation": 1, "keyEncipherment": 2, "dataEncipherment": 3, "keyAgreement": 4,
          "keyCertSign": 5, "cRLSign": 6}
SUBJECT_KEY_ID, KEY_USAGE, SUBJECT_ALT_NAME, BASIC_CONSTRAINTS, AUTHORITY_KEY_ID, EXTENDED_KEY_USAGE = (
    "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.35", "2.5.29.37")
CLIENT_AUTH, SERVER_AUTH, EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.4"
ANY_PURPOSE = "2.5.29.37.0"
CHALLENGE_PASSWORD, EXTENSION_REQUEST = "1.2.840.113549.1.9.7", "1.2.840.113549.1.9.14"
SID_EXTENSION, UPN, TEMPLATE_NAME = "1.3.6.1.4.1.311.25.2", "1.3.6.1.4.1.311.20.2.3", "1.3.6.1.4.1.311.20.2"


def name(parts, tag=der.UTF8):
    """`parts` are (type, text) in order, or (type, text, string tag)."""
    sets = []
    for kind, text, *own in parts:
        natural = der.PRINTABLE if kind in ("C", "serialNumber") else der.IA5 if kind in ("E", "DC") else tag
        sets.append(der.set_of(der.sequence(der.oid(TYPES.get(kind, kind)), der.string(own[0] if own else natural, text))))
    return der.sequence(*sets)


def public_key_info(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_key_bits(key):
    """What the BIT STRING of the SubjectPublicKeyInfo holds: key identifiers are made of it."""
    return der.whole(public_key_info(key)).children()[1].content[1:]


def extension(oid, value, critical=False):
    return der.sequence(der.oid(oid), *([der.boolean(True)] if critical else []), der.octets(value))


def key_usage(*names, critical=True):
    return extension(KEY_USAGE, der.named_bits(*(USAGES[each] for each in names)), critical)


def extended_key_usage(*oids, critical=False):
    return extension(EXTENDED_KEY_USAGE, der.sequence(*map(der.oid, oids)), critical)


def basic_constraints(ca, critical=True):
    return extension(BASIC_CONSTRAINTS, der.sequence(*([der.boolean(True)] if ca else [])), critical)


def alternative_names(dns=(), email=(), uri=(), upn=(), ip=(), critical=False):
    each = [der.context(2, text.encode(), constructed=False) for text in dns]
    each += [der.context(1, text.encode(), constructed=False) for text in email]
    each += [der.context(6, text.encode(), constructed=False) for text in uri]
    each += [der.context(7, ipaddress.ip_address(text).packed, constructed=False) for text in ip]
    each += [der.context(0, der.oid(UPN), der.context(0, der.utf8(text))) for text in upn]
    return extension(SUBJECT_ALT_NAME, der.sequence(*each), critical)


def sid_extension(sid):
    """szOID_NTDS_CA_SECURITY_EXT, which makes its owner whoever has the SID (KB5014754)."""
    other = der.context(0, der.oid(SID_EXTENSION + ".1"), der.context(0, der.octets(sid.encode())))
    return extension(SID_EXTENSION, der.sequence(other))


def template_name(text):
    return extension(TEMPLATE_NAME, der.string(der.BMP, text))


def attribute(oid, *values):
    return der.sequence(der.oid(oid), der.set_of(*values))


def challenge(text, tag=None):
    """Printable where it can be, as most writers do."""
    plain = all(c.isascii() and (c.isalnum() or c in " '()+,-./:=?") for c in text)
    return der.string(tag or (der.PRINTABLE if plain else der.UTF8), text)


def csr(key, subject, random, challenges=(), extensions=(), digest="sha256", attributes=(), spki_of=None, bad_signature=False):
    """DER of a CertificationRequest.

    challenges  values of challengePassword (`challenge`), one attribute each: two make a doubled attribute
    attributes  complete further attributes
    spki_of     another key, whose public half stands in the request that `key` signs
    """
    each = [attribute(CHALLENGE_PASSWORD, value) for value in challenges] + list(attributes)
    if extensions:
        each.append(attribute(EXTENSION_REQUEST, der.sequence(*extensions)))
    asked = der.sequence(der.integer(0), subject, public_key_info(spki_of or key), der.context(0, *sorted(each)))
    return der.sequence(asked, signature_algorithm(key, digest), der.bits(_signature(key, digest, asked, random, bad_signature)))


def _signature(key, digest, data, random, bad):
    made = sign(key, digest, data, random)
    return made[:-1] + bytes([made[-1] ^ 1]) if bad else made


def key_id(key):
    return hashlib.sha1(public_key_bits(key)).digest()


def certificate(key, subject, random, extensions=(), digest="sha256", begin=None, days=365, serial=None, issuer=None, issuer_key=None,
                bad_signature=False):
    """DER of a certificate, self-signed unless `issuer` (a name) and `issuer_key` are given. `begin` is naive UTC."""
    begin = begin or datetime.utcnow().replace(microsecond=0) - timedelta(hours=1)
    if serial is None:
        serial = random.below(1 << 127)
    signer = issuer_key or key
    algorithm = signature_algorithm(signer, digest)
    content = der.sequence(der.context(0, der.integer(2)), der.integer(serial), algorithm, issuer or subject,
                           der.sequence(der.time(begin), der.time(begin + timedelta(days=days))), subject, public_key_info(key),
                           *([der.context(3, der.sequence(*extensions))] if extensions else []))
    return der.sequence(content, algorithm, der.bits(_signature(signer, digest, content, random, bad_signature)))
