"""A device of the EST cases: its key, the requests that it makes and what it reads in answers."""
import base64
import subprocess

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

from harness import der, pkcs10
from harness.est_connection import Connection, basic
from harness.seeded import Random

IDENTITY_LINKING = "1.2.840.113549.1.9.16.2.58"
OTP_CHALLENGE = "1.2.840.113549.1.9.16.2.56"
REVOCATION_CHALLENGE = "1.2.840.113549.1.9.16.2.57"
PKCS10, CERTS_ONLY = "application/pkcs10", "application/pkcs7-mime; smime-type=certs-only"


def new_key(kind="ec", bits=2048):
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, bits)


def request(key, name, challenges=(), attributes=(), dns=(), subject=None, **options):
    """DER of a PKCS #10. `challenges` are texts, or values of the attribute as they are."""
    values = [each if isinstance(each, bytes) else pkcs10.challenge(each) for each in challenges]
    extensions = [pkcs10.alternative_names(dns=dns)] if dns else ()
    return pkcs10.csr(key, pkcs10.name(subject if subject is not None else [("CN", name)]), Random(), challenges=values, attributes=attributes,
                      extensions=extensions, **options)


def body(octets):
    return base64.encodebytes(octets)


def text(octets):
    return base64.b64encode(octets).decode()


def certificates(answer):
    assert answer.status == 200, answer.text
    assert answer.headers["content-transfer-encoding"] == "base64"
    return load_der_pkcs7_certificates(base64.b64decode(answer.body))


def certificate(answer):
    assert answer.headers["content-type"] == CERTS_ONLY
    found = certificates(answer)
    assert len(found) == 1, "an enrollment answers one certificate"
    return found[0]


def write_pair(folder, key, issued):
    """PEM files of a certificate and its key, for a TLS handshake."""
    folder.mkdir(exist_ok=True)
    chain, private = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(issued.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, private


def openssl(*arguments, octets=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=octets, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Site:
    """The endpoints of devices.toml."""

    def __init__(self, server, accounts):
        self.server, self._accounts = server, accounts

    def url(self, endpoint):
        return self.server.est(endpoint)

    def credentials(self, account):
        secret = self._accounts[account]
        return basic(secret["user"], secret["password"])

    def password(self, account):
        return self._accounts[account]["password"]

    def connect(self, endpoint, **options):
        return Connection(self.url(endpoint), self.server.root, **options)

    def enroll(self, endpoint, octets, account=None, operation="simpleenroll", **options):
        """On a connection of its own."""
        with self.connect(endpoint, **options) as connection:
            return connection.ask("POST", operation, body(octets), **self.credentials(account or endpoint))

    def pair(self, folder, endpoint="proof-device", name="holder", kind="ec"):
        """A certificate of that endpoint and its key, as files."""
        key = new_key(kind)
        return write_pair(folder, key, certificate(self.enroll(endpoint, request(key, name))))


def refused(answer, status, check):
    assert answer.status == status, answer.text
    assert answer.text.startswith(f"{status} {check}: "), answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return answer


def linking(value):
    return pkcs10.attribute(IDENTITY_LINKING, der.utf8(value))
