#!/usr/bin/python3
"""Makes the files of this folder anew: authorities, keys, and messages as SCEP clients send them.

The CMS layers come from the openssl command line (3.0) or from the small encoder below, which shares
nothing with Postern. What real clients send is captured by capture.py. Run it in the folder; every key is
for tests alone. Needs: openssl, python3-cryptography.
"""
import datetime
import hashlib
import subprocess
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

HERE = Path(__file__).resolve().parent
WORK = Path(tempfile.mkdtemp(prefix="postern-scep-"))
FROM = datetime.datetime(2026, 1, 1)
UNTIL = datetime.datetime(2056, 1, 1)
CHALLENGE = "correct horse"

SHA256 = "2.16.840.1.101.3.4.2.1"
DIGESTS = {"md5": ("1.2.840.113549.2.5", hashes.MD5), "sha1": ("1.3.14.3.2.26", hashes.SHA1), "sha256": (SHA256, hashes.SHA256),
           "sha384": ("2.16.840.1.101.3.4.2.2", hashes.SHA384), "sha512": ("2.16.840.1.101.3.4.2.3", hashes.SHA512)}
SCEP = "2.16.840.1.113733.1.9."


# ---- An encoder of its own ------------------------------------------------------------------------

def length(n):
    if n < 0x80:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def tlv(tag, *parts):
    content = b"".join(parts)
    return bytes([tag]) + length(len(content)) + content


def endless(tag, *parts):
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def oid(text):
    arcs = [int(a) for a in text.split(".")]
    out = bytearray()
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        piece = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            piece.append(0x80 | (arc & 0x7F))
        out += bytes(reversed(piece))
    return tlv(6, bytes(out))


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def sequence(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *sorted(parts))


def printable(text):
    return tlv(0x13, text.encode())


def octets(content):
    return tlv(4, content)


def pieces(tag, content, size):
    """A string in pieces of an indefinite one, as Apple and OpenSSL's streams write it."""
    return endless(tag, *[octets(content[i:i + size]) for i in range(0, len(content), size)])


NULL = tlv(5)


# ---- Keys and certificates -------------------------------------------------------------------------

def new_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def name(*pairs):
    return x509.Name([x509.NameAttribute(o, v) for o, v in pairs])


def cn(text):
    return name((NameOID.COMMON_NAME, text))


def usage(*bits):
    fields = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
              "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{f: f in bits for f in fields})


def certificate(subject, key, issuer, signer, extensions=(), serial=None, digest=None):
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(serial or x509.random_serial_number()).not_valid_before(FROM).not_valid_after(UNTIL)
    for extension, critical in extensions:
        made = made.add_extension(extension, critical)
    return made.sign(signer, digest or hashes.SHA256())


def ca_extensions(key):
    return [(x509.BasicConstraints(True, None), True), (usage("key_cert_sign", "crl_sign", "digital_signature"), True),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)]


def ra_extensions(key):
    return [(usage("digital_signature", "key_encipherment"), True), (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)]


def der(thing):
    return thing.public_bytes(serialization.Encoding.DER)


def pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM)


def write(file, content):
    (HERE / file).write_bytes(content)


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


# ---- Messages --------------------------------------------------------------------------------------

def run(*command):
    subprocess.run(command, check=True, capture_output=True)


def csr(key, subject, challenge=CHALLENGE, tag=0x13, extensions=(), attributes=(), digest="sha256"):
    """A PKCS #10 request with the challenge in a string of that tag."""
    parts = list(attributes)
    if challenge is not None:
        content = challenge.encode("utf-16-be" if tag == 0x1E else "latin-1" if tag == 0x14 else "utf-8")
        parts.append(sequence(oid("1.2.840.113549.1.9.7"), tlv(0x31, tlv(tag, content))))
    if extensions:
        each = [sequence(oid(o), octets(v)) for o, v in extensions]
        parts.append(sequence(oid("1.2.840.113549.1.9.14"), tlv(0x31, sequence(*each))))
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    info = sequence(integer(0), subject.public_bytes(), spki, tlv(0xA0, *sorted(parts)))
    with_rsa = {"sha256": "1.2.840.113549.1.1.11", "sha1": "1.2.840.113549.1.1.5"}[digest]
    signature = key.sign(info, padding.PKCS1v15(), DIGESTS[digest][1]())
    return sequence(info, sequence(oid(with_rsa), NULL), tlv(3, b"\0" + signature))


def enveloped(content, recipient, *options, transport=()):
    """By openssl, with its options: -aes128, -stream ...; `transport` gives those of the recipient's key."""
    (WORK / "content").write_bytes(content)
    (WORK / "recipient.pem").write_bytes(pem(recipient))
    run("openssl", "cms", "-encrypt", "-binary", "-in", WORK / "content", "-outform", "DER", "-out", WORK / "out", *options,
        "-recip", WORK / "recipient.pem", *(word for option in transport for word in ("-keyopt", option)))
    return (WORK / "out").read_bytes()


def attributes(message_type="19", transaction=None, nonce=b"\x5a" * 16, more=()):
    out = []
    if message_type is not None:
        out.append((SCEP + "2", printable(message_type)))
    out.append((SCEP + "7", printable(transaction or "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334")))
    if nonce is not None:
        out.append((SCEP + "5", octets(nonce)))
    return out + list(more)


def signed(content, signed_attributes, key, cert, digest="sha256", bag=None, ber=False, with_digest_oid=False, unsigned=(), twice=False):
    """SignedData over id-data; `ber`: indefinite lengths and a string in pieces, as Apple sends them."""
    digest_oid, method = DIGESTS[digest]
    hashed = hashlib.new(digest, content).digest()
    each = [("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.7.1")), ("1.2.840.113549.1.9.4", octets(hashed))] + list(signed_attributes)
    attribute_list = sorted(sequence(oid(o), tlv(0x31, v)) for o, v in each)
    signature = key.sign(tlv(0x31, *attribute_list), padding.PKCS1v15(), method())
    issuer = cert.issuer.public_bytes()
    algorithm = {"sha256": "1.2.840.113549.1.1.11", "md5": "1.2.840.113549.1.1.4"}[digest] if with_digest_oid else "1.2.840.113549.1.1.1"
    digest_algorithm = sequence(oid(digest_oid), NULL)
    signer = sequence(integer(1), sequence(issuer, integer(cert.serial_number)), digest_algorithm, tlv(0xA0, *attribute_list),
                      sequence(oid(algorithm), NULL), octets(signature),
                      *([tlv(0xA1, *[sequence(oid(o), tlv(0x31, v)) for o, v in unsigned])] if unsigned else []))
    signers = tlv(0x31, *([signer] * (2 if twice else 1)))
    certificates = b"".join(der(c) for c in (bag or [cert]))
    data = oid("1.2.840.113549.1.7.1")
    if ber:
        inner = endless(0x30, data, endless(0xA0, pieces(0x24, content, 1000)))
        body = endless(0x30, integer(1), tlv(0x31, digest_algorithm), inner, endless(0xA0, certificates), signers)
        return endless(0x30, oid("1.2.840.113549.1.7.2"), endless(0xA0, body))
    inner = sequence(data, tlv(0xA0, octets(content)))
    body = sequence(integer(1), tlv(0x31, digest_algorithm), inner, tlv(0xA0, certificates), signers)
    return sequence(oid("1.2.840.113549.1.7.2"), tlv(0xA0, body))


def self_signed(key, subject, extensions=None, serial=None, digest=None):
    if extensions is None:
        extensions = [(usage("digital_signature", "key_encipherment"), True)]
    return certificate(subject, key, subject, key, extensions, serial, digest)


# ---- The files -------------------------------------------------------------------------------------

root_key, issuer_key, ra_key, old_ra_key, device_key, other_key = (new_key() for _ in range(6))
root_name, issuer_name = cn("Postern Test Root"), cn("Postern Test Issuing CA")
root = certificate(root_name, root_key, root_name, root_key, ca_extensions(root_key))
issuer = certificate(issuer_name, issuer_key, root_name, root_key, ca_extensions(issuer_key))
ra = certificate(cn("Postern Test RA"), ra_key, issuer_name, issuer_key, ra_extensions(ra_key))
old_ra = certificate(cn("Postern Test RA"), old_ra_key, issuer_name, issuer_key, ra_extensions(old_ra_key))
ra_without_usage = certificate(cn("Postern Test RA"), ra_key, issuer_name, issuer_key, [])
ra_of_root = certificate(cn("Postern Test RA"), ra_key, root_name, root_key, ra_extensions(ra_key))
ec_key = ec.generate_private_key(ec.SECP256R1())
ra_with_ec = certificate(cn("Postern Test RA"), ec_key, issuer_name, issuer_key, ra_extensions(ec_key))
lone_ca = certificate(cn("Lone CA"), root_key, cn("Lone CA"), root_key, [
    (x509.BasicConstraints(True, None), True), (usage("key_cert_sign", "crl_sign", "digital_signature", "key_encipherment"), True)])

for file, made in {"root": root, "issuer": issuer, "ra": ra, "ra-old": old_ra, "ra-without-usage": ra_without_usage, "ra-of-root": ra_of_root,
                   "ra-with-ec-key": ra_with_ec, "lone-ca": lone_ca}.items():
    write(f"{file}.der", der(made))
for file, made in {"issuer": issuer_key, "ra": ra_key, "ra-old": old_ra_key, "device": device_key}.items():
    write(f"{file}.key.pem", key_pem(made))

device_name = name((NameOID.ORGANIZATION_NAME, "Example"), (NameOID.COMMON_NAME, "device-7"))
device = self_signed(device_key, device_name)
write("device.der", der(device))
plain = csr(device_key, device_name)
on_record = certificate(device_name, device_key, issuer_name, issuer_key, ra_extensions(device_key))
write("device-issued.der", der(on_record))

# As clients send them. The envelope's options are openssl's.
write("sscep.der", signed(enveloped(plain, ra, "-aes128"), attributes(), device_key, device))
write("sscep-legacy.der", signed(enveloped(csr(device_key, device_name, digest="sha1"), ra, "-des3"), attributes(), device_key, device, "sha1"))
# Apple: a certificate of another subject for the same key, indefinite lengths throughout.
apple = self_signed(device_key, cn("6B1F8E0A-55C1-4C6A-9C0F-0D1F1C7F2A11"), digest=hashes.SHA256())
fingerprint = hashlib.sha1(device_key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)).hexdigest()
write("apple.der", signed(enveloped(plain, ra, "-aes128", "-stream"), attributes(transaction=fingerprint.upper()), device_key, apple, ber=True))
# Windows: a critical authorityKeyIdentifier, the CSP's attributes, a challenge of Intune's size.
windows_key = new_key()
windows_name = cn("SCEP-4f0c")
aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(windows_key.public_key())
windows = self_signed(windows_key, windows_name, [(aki, True), (usage("digital_signature", "key_encipherment"), True)])
sealed = (hashlib.sha512(b"challenge").hexdigest() * 32)[:4000]
windows_csr = csr(windows_key, cn("7d2d5bd9-0e0b-4c3b-9f6a-1f1f7a3f0c11"), sealed, extensions=[
    ("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.2"))), ("2.5.29.15", tlv(3, b"\x05\xa0")),
    ("2.5.29.17", sequence(tlv(0x86, b"tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500")))],
    attributes=[sequence(oid("1.3.6.1.4.1.311.13.2.3"), tlv(0x31, tlv(0x16, b"10.0.22631.2"))),
                sequence(oid("1.3.6.1.4.1.311.21.20"), tlv(0x31, sequence(integer(5), tlv(0x0C, b"host"), tlv(0x0C, b"SYSTEM"), tlv(0x0C, b"dmclient.exe"))))])
write("windows.der", signed(enveloped(windows_csr, ra, "-aes256"), attributes(transaction="64B1A3E0"), windows_key, windows, with_digest_oid=True))
# Cisco IOS: serialNumber and unstructuredName in the subject.
cisco_name = name((NameOID.SERIAL_NUMBER, "FTX1234A0BC"), (x509.ObjectIdentifier("1.2.840.113549.1.9.2"), "router.example"))
cisco_key = new_key()
write("cisco.der", signed(enveloped(csr(cisco_key, cisco_name), ra, "-aes128"), attributes(), cisco_key, self_signed(cisco_key, cisco_name, serial=1)))
# RSAES-OAEP, AES-192, and a recipient named by its key identifier.
oaep = ("rsa_padding_mode:oaep",)
write("oaep.der", signed(enveloped(plain, ra, "-aes256", transport=oaep), attributes(), device_key, device))
write("oaep-sha256.der", signed(enveloped(plain, ra, "-aes256", transport=(*oaep, "rsa_oaep_md:sha256", "rsa_mgf1_md:sha1")),
                                attributes(), device_key, device))
write("aes192.der", signed(enveloped(plain, ra, "-aes192"), attributes(), device_key, device))
write("by-key-identifier.der", signed(enveloped(plain, ra, "-aes128", "-keyid"), attributes(), device_key, device))
write("for-old-ra.der", signed(enveloped(plain, old_ra, "-aes128"), attributes(), device_key, device))
write("sha512.der", signed(enveloped(plain, ra, "-aes128"), attributes(), device_key, device, "sha512"))
# A RenewalReq with a new key, and a PKCSReq signed with the old certificate as macOS and Cisco send it.
new_device_key = new_key()
renewal = csr(new_device_key, device_name, None)
write("renewal.der", signed(enveloped(renewal, ra, "-aes128"), attributes("17"), device_key, on_record, bag=[on_record, issuer]))
write("renewal-as-pkcsreq.der", signed(enveloped(renewal, ra, "-aes128"), attributes("19"), device_key, on_record))
# The other messages.
names = sequence(issuer.subject.public_bytes(), device_name.public_bytes())
serial = sequence(issuer.subject.public_bytes(), integer(on_record.serial_number))
write("cert-poll.der", signed(enveloped(names, ra, "-aes128"), attributes("20"), device_key, device))
write("get-cert.der", signed(enveloped(serial, ra, "-aes128"), attributes("21"), device_key, on_record))
write("get-crl.der", signed(enveloped(serial, ra, "-aes128"), attributes("22"), device_key, on_record))
# Every string type of a challenge (the bare requests).
for file, tag, text in (("printable", 0x13, CHALLENGE), ("utf8", 0x0C, "geheim-\u00fc-\u20ac"), ("ia5", 0x16, "a@b"), ("t61", 0x14, "caf\u00e9"),
                        ("bmp", 0x1E, "geheim-\u00fc"), ("4000", 0x13, sealed), ("16k", 0x13, "x" * 16384), ("16k-and-one", 0x13, "x" * 16385),
                        ("16k-in-bmp", 0x1E, "y" * 16384)):
    write(f"challenge-{file}.csr", csr(device_key, device_name, text, tag))
write("sha1.csr", csr(device_key, device_name, digest="sha1"))
# What nobody may get because a CSR asks for it (A17).
write("greedy.csr", csr(device_key, device_name, extensions=[
    ("2.5.29.19", sequence(tlv(1, b"\xff"))), ("2.5.29.15", tlv(3, b"\x01\x06")), ("2.5.29.37", sequence(oid("2.5.29.37.0"))),
    ("1.3.6.1.4.1.311.25.2", sequence(tlv(0xA0, oid("1.3.6.1.4.1.311.25.2.1"), tlv(0xA0, octets(b"S-1-5-21-1-2-3-500"))))),
    ("1.3.6.1.4.1.311.20.2", tlv(0x1E, "DomainController".encode("utf-16-be"))),
    ("2.5.29.17", sequence(tlv(0x86, b"Tag:Microsoft.com,2022-09-14:SID:S-1-5-21-1-2-3-500"), tlv(0x82, b"a.example")))]))

# Refused: algorithms (A13).
write("bad-md5.der", signed(enveloped(plain, ra, "-aes128"), attributes(), device_key, device, "md5"))
legacy = ("-provider", "legacy", "-provider", "default")
write("bad-des.der", signed(enveloped(plain, ra, "-des", *legacy), attributes(), device_key, device))
write("bad-rc2.der", signed(enveloped(plain, ra, "-rc2-40", *legacy), attributes(), device_key, device))
for bits in (512, 1024):
    short = new_key(bits)
    write(f"bad-rsa{bits}.der", signed(enveloped(csr(short, device_name), ra, "-aes128"), attributes(), short, self_signed(short, device_name)))
write("bad-gcm.der", signed(enveloped(plain, ra, "-aes-128-gcm"), attributes(), device_key, device))
# Other recipients.
(WORK / "content").write_bytes(plain)
for file, options in (("pwri", ("-pwri_password", "secret")),
                      ("kekri", ("-secretkey", "00112233445566778899aabbccddeeff", "-secretkeyid", "01"))):
    run("openssl", "cms", "-encrypt", "-binary", "-in", WORK / "content", "-outform", "DER", "-out", WORK / "out", "-aes128", *options)
    write(f"bad-{file}.der", signed((WORK / "out").read_bytes(), attributes(), device_key, device))
write("bad-kari.der", signed(enveloped(plain, ra_with_ec, "-aes128"), attributes(), device_key, device))
write("bad-recipient.der", signed(enveloped(plain, issuer, "-aes128"), attributes(), device_key, device))
# Keys that do not belong together (A7), and two certificates of one name with two keys, in both orders (A8).
write("bad-other-key.der", signed(enveloped(csr(other_key, device_name), ra, "-aes128"), attributes(), device_key, device))
twin = certificate(device_name, other_key, device_name, other_key, [(usage("digital_signature", "key_encipherment"), True)], serial=device.serial_number)
write("twins.der", signed(enveloped(plain, ra, "-aes128"), attributes(), device_key, device, bag=[twin, device]))
write("twins-reversed.der", signed(enveloped(plain, ra, "-aes128"), attributes(), device_key, device, bag=[device, twin]))
write("bad-two-signers.der", signed(enveloped(plain, ra, "-aes128"), attributes(), device_key, device, twice=True))
# Unsigned attributes say what the signed ones should, and an attribute with two values (A9).
write("bad-unsigned.der", signed(enveloped(plain, ra, "-aes128"), attributes(None), device_key, device, unsigned=[(SCEP + "2", printable("19"))]))
write("bad-two-values.der", signed(enveloped(plain, ra, "-aes128"), attributes(None, more=[(SCEP + "2", printable("19") + printable("18"))]), device_key, device))
print("made", len(list(HERE.glob("*.der"))) + len(list(HERE.glob("*.csr"))), "files")
