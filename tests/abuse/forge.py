"""PKCS #10 requests made octet by octet (RFC 2986), right or wrong."""
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.jose import Key

SEQUENCE, SET, OCTETS, BITS, UTF8, PRINTABLE, T61, BMP = 0x30, 0x31, 0x04, 0x03, 0x0C, 0x13, 0x14, 0x1E
CN, O = "2.5.4.3", "2.5.4.10"  # noqa: E741  (the field's own abbreviation)
SAN, EKU, KEY_USAGE, BASIC = "2.5.29.17", "2.5.29.37", "2.5.29.15", "2.5.29.19"
EXTENSION_REQUEST, CHALLENGE_PASSWORD, UNSTRUCTURED_NAME = ("1.2.840.113549.1.9.14", "1.2.840.113549.1.9.7",
                                                           "1.2.840.113549.1.9.2")
ECDSA_SHA256, ECDSA_SHA1, RSA_SHA256 = "1.2.840.10045.4.3.2", "1.2.840.10045.4.1", "1.2.840.113549.1.1.11"


def tlv(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def oid(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    content = b""
    for arc in [40 * arcs[0] + arcs[1], *arcs[2:]]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return tlv(0x06, content)


def attribute_value(kind, value, tag=UTF8):
    octets = value.encode("utf-16-be" if tag == BMP else "latin-1" if tag == T61 else "utf-8") if isinstance(value, str) else value
    return tlv(SEQUENCE, oid(kind), tlv(tag, octets))


def rdn(kind, value, tag=UTF8):
    return tlv(SET, attribute_value(kind, value, tag))


def extension(kind, value, critical=b""):
    return tlv(SEQUENCE, oid(kind), critical, tlv(OCTETS, value))


def names(*general_names):
    return extension(SAN, tlv(SEQUENCE, *general_names))


def dns(name):
    return tlv(0x82, name.encode())


def other_name(kind, text):
    return tlv(0xA0, oid(kind), tlv(0xA0, tlv(UTF8, text.encode())))


def purposes(*kinds):
    return extension(EKU, tlv(SEQUENCE, *map(oid, kinds)))


def attribute(kind, *values):
    return tlv(SEQUENCE, oid(kind), tlv(SET, *values))


def wishes(*extensions):
    return attribute(EXTENSION_REQUEST, tlv(SEQUENCE, *extensions))


def spki(key):
    return key.private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def csr(subject=b"", attributes=b"", key=None, version=b"\x02\x01\x00", algorithm=ECDSA_SHA256, signer=None,
        sign=None, after=b"", public=None):
    """`subject` are RDNs, `attributes` attributes; `sign` replaces the signature of the information;
    `after` follows the signature within the request."""
    key = key or Key()
    info = tlv(SEQUENCE, version, tlv(SEQUENCE, subject), public or spki(key), tlv(0xA0, attributes))
    sign = sign or (lambda octets: (signer or key).private.sign(octets, ec.ECDSA(hashes.SHA256())))
    return tlv(SEQUENCE, info, tlv(SEQUENCE, oid(algorithm)), tlv(BITS, b"\0", sign(info)), after)
