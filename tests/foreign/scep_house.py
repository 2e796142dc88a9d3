"""SCEP endpoints whose certificates come from a CA behind a command, and what their devices and operators see."""
import time
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from harness import scep_backend
from harness.backends import StandInCa
from harness.scep_device import Device
from harness.scep_style import STYLES
from harness.wire import ask

SECONDS = 60


class ScepHouse:
    def __init__(self, server, folder, name, ra, **plan):
        """`ra` is what the endpoint's document says of its RA; `plan` how the CA behaves from the start."""
        self.server, self.folder, self.name = server, folder, name
        self.ca = StandInCa(folder / "ca", name)
        self.ca.behave(**plan)
        self.code = None
        self.describe(ra)

    def text(self, ra, own_profile=True):
        return scep_backend.document(self.ca, ra, own_profile)

    def describe(self, ra):
        path = self.folder / "scep.toml"
        path.write_text(self.text(ra))
        secrets = self.server.apply(path)
        self.code = secrets[self.name + "-scep"]["accessCode"] if secrets else self.code

    def refused(self, text):
        """What apply says of a document that it does not take."""
        path = self.folder / "refused.toml"
        path.write_text(text)
        done = self.server.verb("apply", path, "--data", self.server.data)
        assert done.returncode == 1, done.stdout
        return done.stderr

    @property
    def url(self):
        return self.server.scep(self.name + "-scep")

    def caps(self):
        return ask(self.url + "?operation=GetCACaps")

    def until(self, condition, what):
        end = time.monotonic() + SECONDS
        while not (found := condition()):
            assert time.monotonic() < end, f"{what}\n{self.server.log_tail()}"
            time.sleep(0.1)
        return found

    def ready(self):
        self.until(lambda: self.caps().status == 200, "no RA certificate")
        return self

    def device(self, kind, subject="phone"):
        return Device(self.url, STYLES[kind], subject=[("CN", subject)]).discover()

    def said(self, event):
        """Lines of the log with that event about this endpoint's backend or source."""
        lines = [line for line in self.server.log.read_text().splitlines() if f'"event":"{event}"' in line]
        return [line for line in lines if self.name in line]

    def ra_by_hand(self, *, bits=2048, usage=("digital_signature", "key_encipherment"), days=90, begin=-1, key=None):
        """PEM files of an RA that the CA's people made: (key, certificates with chain)."""
        key = key or rsa.generate_private_key(65537, bits)
        issuing, root = ((self.ca.home / name).read_bytes() for name in ("issuing.pem", "root.pem"))
        ca = x509.load_pem_x509_certificate(issuing)
        ca_key = serialization.load_pem_private_key((self.ca.home / "issuing.key").read_bytes(), None)
        flags = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
                 "encipher_only", "decipher_only"]
        now = datetime.utcnow()
        made = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "RA by hand")])).issuer_name(ca.subject)
                .public_key(key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now + timedelta(days=begin)).not_valid_after(now + timedelta(days=days))
                .add_extension(x509.KeyUsage(**{flag: flag in usage for flag in flags}), True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False).sign(ca_key, hashes.SHA256()))
        number = len(list(self.folder.glob("hand*.key")))
        key_file, chain_file = self.folder / f"hand{number}.key", self.folder / f"hand{number}.pem"
        key_file.touch(0o600)
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        pem = made.public_bytes(serialization.Encoding.PEM)
        chain_file.write_bytes(pem + issuing + root)
        return key_file, chain_file

    def bring(self, key_file, chain_file, endpoint=None):
        return self.server.verb("scep", "ra", "import", endpoint or self.name + "-scep", "--key", key_file, "--cert", chain_file, "--data", self.server.data)


def ec_key():
    return ec.generate_private_key(ec.SECP256R1())
