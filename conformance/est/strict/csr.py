"""Keys, algorithms and contents that nobody should get a certificate for (est.md §2, §6)."""
import hashlib
from types import SimpleNamespace

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.x509.oid import NameOID
from harness import der, pkcs10

from .probe import Deviation, row

MICROSOFT_EXTENSIONS = "1.3.6.1.4.1.311.2.1.14"
RSA, SHA256_RSA = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"


def _signed(p, key, digest=hashes.SHA256()):
    """By the library: of keys that pkcs10.csr does not sign with."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, p.common_name)])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, digest).public_bytes(serialization.Encoding.DER)


def _key_of(spki):
    """What pkcs10.csr takes as `spki_of`."""
    return SimpleNamespace(public_key=lambda: SimpleNamespace(public_bytes=lambda *_: spki))


def _rsa_info(modulus, exponent):
    numbers = der.sequence(der.integer(modulus), der.integer(exponent))
    return der.sequence(der.sequence(der.oid(RSA), der.null()), der.bits(numbers))


@row("6", "CSRs signed over MD5 and SHA-1", "400 or 403")
def old_digests(p):
    for digest in ("md5", "sha1"):
        p.refused(p.enroll(p.csr(p.key("rsa2048"), digest=digest)), 400, 403)
    p.refused(p.enroll(p.csr(digest="sha1")), 400, 403)


@row("6", "RSA of 1024 bits", "400 or 403")
def small_rsa(p):
    p.refused(p.enroll(p.csr(p.key("rsa1024"))), 400, 403)


@row("6", "RSA of 16 392 and of 60 000 bits", "400, 403 or 413, at once")
def large_rsa(p):
    for modulus in ((1 << 16_391) | p.random.below(1 << 16_000) | 1, int.from_bytes(b"\x91" * 7_500, "big")):
        p.refused(p.enroll(p.csr(p.key("rsa2048"), spki_of=_key_of(_rsa_info(modulus, 65537)))), 400, 403, 413)


@row("6", "RSA with exponent 1, which anybody can sign for", "400 or 403")
def exponent_one(p):
    modulus = p.key("rsa2048").public_key().public_numbers().n
    asked = der.sequence(der.integer(0), p.subject(), _rsa_info(modulus, 1), der.context(0))
    info = der.sequence(der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.null()), der.octets(hashlib.sha256(asked).digest()))
    signature = b"\0\1" + b"\xff" * (256 - len(info) - 3) + b"\0" + info
    p.refused(p.enroll(der.sequence(asked, der.sequence(der.oid(SHA256_RSA), der.null()), der.bits(signature))), 400, 403)


@row("6", "DSA", "400 or 403")
def dsa_key(p):
    p.refused(p.enroll(_signed(p, dsa.generate_private_key(1024))), 400, 403)


@row("6", "secp256k1, Brainpool and P-521, which the profile does not have", "400 or 403")
def other_curves(p):
    for curve in (ec.SECP256K1(), ec.BrainpoolP256R1(), ec.SECP521R1()):
        p.refused(p.enroll(_signed(p, ec.generate_private_key(curve))), 400, 403)


@row("2", "P-256 by explicit parameters", "400 or 403")
def explicit_curve(p):
    prime = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    generator = bytes.fromhex("046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C2964FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5")
    b = bytes.fromhex("5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B")
    curve = der.sequence(der.integer(1), der.sequence(der.oid("1.2.840.10045.1.1"), der.integer(prime)), der.sequence(der.octets((prime - 3).to_bytes(32, "big")), der.octets(b)),
                         der.octets(generator), der.integer(order), der.integer(1))
    key = p.key()
    spki = der.sequence(der.sequence(der.oid("1.2.840.10045.2.1"), curve), der.bits(pkcs10.public_key_bits(key)))
    p.refused(p.enroll(p.csr(key, spki_of=_key_of(spki))), 400, 403)


@row("6", "a point that is not on its curve; no point", "400 or 403")
def point_off_the_curve(p):
    for point in (b"\4" + b"\1" * 64, b"\0", b""):
        spki = der.sequence(der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7")), der.bits(point))
        p.refused(p.enroll(p.csr(p.key(), spki_of=_key_of(spki))), 400, 403)


# ---- what is smuggled in

def _names_of(certificate):
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _not_copied(p, csr, has):
    """Refused, or issued without it."""
    answer = p.enroll(csr)
    if answer.status != 200:
        p.refused(answer, 400, 403)
        return
    if has(p.certificate(answer)):
        raise Deviation("it stands in the certificate")


ADMIN = "administrator.elsewhere.example"


def _names_admin(certificate):
    return any(ADMIN in str(each.value) for each in _names_of(certificate))


@row("6", "a second extensionRequest, one attribute with two values, an extension twice", "400")
def second_extension_request(p):
    extensions = der.sequence(pkcs10.alternative_names(dns=[ADMIN]))
    first = der.sequence(pkcs10.key_usage("digitalSignature"))
    doubled = [pkcs10.alternative_names(dns=["a.example"]), pkcs10.alternative_names(dns=[ADMIN])]
    p.refused(p.enroll(p.csr(attributes=[pkcs10.attribute(pkcs10.EXTENSION_REQUEST, first), pkcs10.attribute(pkcs10.EXTENSION_REQUEST, extensions)])), 400)
    p.refused(p.enroll(p.csr(attributes=[pkcs10.attribute(pkcs10.EXTENSION_REQUEST, first, extensions)])), 400)
    p.refused(p.enroll(p.csr(extensions=doubled)), 400)


@row("6", "a name by Microsoft's attribute for extensions (1.3.6.1.4.1.311.2.1.14)", "400 or 403, or not in the certificate")
def microsoft_extension_attribute(p):
    extensions = der.sequence(pkcs10.alternative_names(dns=[ADMIN]))
    _not_copied(p, p.csr(attributes=[pkcs10.attribute(MICROSOFT_EXTENSIONS, extensions)]), _names_admin)


@row("6", "names of another's host, a wildcard, a URI, a mailbox, a principal, an address, a directory name", "400 or 403, or not in the certificate")
def other_kinds_of_names(p):
    kinds = [{"dns": [ADMIN]}, {"dns": ["*.elsewhere.example"]}, {"uri": [f"https://{ADMIN}/"]}, {"email": [f"root@{ADMIN}"]}, {"upn": [f"root@{ADMIN}"]}, {"ip": ["192.0.2.1"]}]
    for each in kinds:
        _not_copied(p, p.csr(extensions=[pkcs10.alternative_names(**each)]), _names_of)
    directory = pkcs10.extension(pkcs10.SUBJECT_ALT_NAME, der.sequence(der.context(4, pkcs10.name([("CN", ADMIN)]))))
    _not_copied(p, p.csr(extensions=[directory]), _names_of)
    _not_copied(p, p.csr(extensions=[pkcs10.alternative_names(dns=["a.example\0.elsewhere.example"])]), _names_of)
    return "none in a certificate"


@row("6", "NUL, a line end and a wildcard in the CN; two CNs; emailAddress in the subject", "400 or 403, or not in the certificate")
def strange_subjects(p):
    cn = p.common_name
    for parts in ([("CN", cn + "\0.example", der.UTF8)], [("CN", cn + "\nx", der.UTF8)], [("CN", "*." + ADMIN)], [("CN", cn), ("CN", ADMIN)], [("CN", cn), ("E", f"root@{ADMIN}")]):
        text = parts[-1][1]
        _not_copied(p, p.csr(subject=pkcs10.name(parts)), lambda made, text=text: any(text == each.value for each in made.subject))
    return "none in a certificate"


@row("6", "CA:TRUE, keyCertSign, OCSP signing, a certificate policy", "400 or 403, or not in the certificate")
def authority(p):
    def powerful(made):
        for extension in made.extensions:
            value = extension.value
            if isinstance(value, x509.BasicConstraints) and value.ca or isinstance(value, x509.KeyUsage) and (value.key_cert_sign or value.crl_sign):
                return True
            if isinstance(value, x509.ExtendedKeyUsage) and x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING in value or isinstance(value, x509.CertificatePolicies):
                return True
        return False
    policy = pkcs10.extension("2.5.29.32", der.sequence(der.sequence(der.oid("2.23.140.1.1"))))
    for extension in (pkcs10.basic_constraints(True), pkcs10.key_usage("keyCertSign", "cRLSign"), pkcs10.extended_key_usage("1.3.6.1.5.5.7.3.9"),
                      pkcs10.extended_key_usage("1.3.6.1.5.5.7.3.28"), policy):
        _not_copied(p, p.csr(extensions=[extension]), powerful)
    return "none in a certificate"


@row("6", "an extension that nobody knows, critical", "400 or 403, or not in the certificate")
def unknown_extension(p):
    oid = x509.ObjectIdentifier("1.2.3.4.5.6")
    _not_copied(p, p.csr(extensions=[pkcs10.extension("1.2.3.4.5.6", der.null(), critical=True)]), lambda made: any(each.oid == oid for each in made.extensions))


@row("6", "101 and 1 500 names", "400, 403 or 413")
def names_in_plenty(p):
    for count in (101, 1500):
        p.refused(p.enroll(p.csr(extensions=[pkcs10.alternative_names(dns=[f"h{i}.example" for i in range(count)])])), 400, 403, 413)


@row("6", "PKCS #10 of version 1 and of no version", "400")
def version_of_the_request(p):
    key = p.key()
    from harness.seeded import sign, signature_algorithm
    for first in ((der.integer(1),), ()):
        asked = der.sequence(*first, p.subject(), pkcs10.public_key_info(key), der.context(0))
        p.refused(p.enroll(der.sequence(asked, signature_algorithm(key, "sha256"), der.bits(sign(key, "sha256", asked, p.random)))), 400)
