"""Who makes devices: a small CA that gives each an IDevID of IEEE 802.1AR, and look-alikes of other CAs.

  maker = Manufacturer(folder, "Example Devices")
  device = maker.device("4711")            # device.key, device.chain: PEM files; device.certificate
"""
from datetime import datetime, timedelta
from types import SimpleNamespace

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

PEM = serialization.Encoding.PEM
FOREVER = datetime(9999, 12, 31, 23, 59, 59)
HARDWARE_MODULE_NAME = ObjectIdentifier("1.3.6.1.5.5.7.8.4")
CMC_RA = ObjectIdentifier("1.3.6.1.5.5.7.3.28")


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def name_of(**attributes):
    oids = {"cn": NameOID.COMMON_NAME, "serial": NameOID.SERIAL_NUMBER, "o": NameOID.ORGANIZATION_NAME}
    return x509.Name([x509.NameAttribute(oids[word], value) for word, value in attributes.items() if value is not None])


def hardware_module(serial):
    """SEQUENCE {hwType 1.3.6.1.4.1.6175.10.1, hwSerialNum}, as an otherName."""
    octets = serial.encode()
    kind = bytes.fromhex("06092b06010401b01f0a01")
    content = kind + bytes([4, len(octets)]) + octets
    return x509.SubjectAlternativeName([x509.OtherName(HARDWARE_MODULE_NAME, bytes([0x30, len(content)]) + content)])


class Authority:
    """A name, a key and a certificate."""

    def __init__(self, name, signer=None, end=FOREVER):
        self.key, self.name = new_key(), name if isinstance(name, x509.Name) else name_of(cn=name)
        by = signer or self
        self.certificate = self.build(self.name, self.key.public_key(), by, [(x509.BasicConstraints(True, None), True)], end=end)

    @staticmethod
    def build(name, public_key, by, extensions=(), begin=None, end=FOREVER):
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(by.name).public_key(public_key)
                   .serial_number(x509.random_serial_number()).not_valid_before(begin or datetime.utcnow() - timedelta(days=2))
                   .not_valid_after(end))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(by.key, hashes.SHA256())

    @property
    def pem(self):
        return self.certificate.public_bytes(PEM).decode()


class Manufacturer:
    def __init__(self, folder, name="Example Devices"):
        self.folder = folder
        self.root = Authority(f"{name} Root")
        self.issuing = Authority(f"{name} Issuing", self.root)
        self._count = 0

    def device(self, serial=None, cn=None, key=None, issuer=None, send=(), extensions=(), **dates):
        """`issuer`: another Authority than the issuing one; `send`: what goes with the leaf instead of its issuer's certificate."""
        self._count += 1
        key = key or new_key()
        by = issuer or self.issuing
        certificate = Authority.build(name_of(cn=cn or "factory device", serial=serial), key.public_key(), by, extensions, **dates)
        chain, private = self.folder / f"device-{self._count}.pem", self.folder / f"device-{self._count}.key"
        sent = send if send or issuer else (self.issuing,)
        chain.write_bytes(certificate.public_bytes(PEM) + b"".join(each.certificate.public_bytes(PEM) for each in sent))
        private.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return SimpleNamespace(certificate=certificate, chain=chain, key=private, serial=serial)
