"""The CA of the stand-in's listeners, made anew at each start, and one that nobody trusts."""
import ipaddress
import ssl
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# The names that Microsoft's services have in its clouds: the proxy of the stand-in leads them here.
ENTRA_HOSTS = ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"]
GRAPH_HOSTS = ["graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"]
INTUNE_HOSTS = ["fef.standin.manage.microsoft.com", "fef.standin.manage.microsoft.us"]


def _named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject, issuer, key):
    now = datetime.utcnow()
    # Years on both sides: laboratory clocks wander.
    return (x509.CertificateBuilder().subject_name(_named(subject)).issuer_name(_named(issuer)).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1000))
            .not_valid_after(now + timedelta(days=4000)))


def _authority(label):
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    certificate = (_builder(label, label, key).add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False).sign(key, hashes.SHA256()))
    return label, key, certificate


def _leaf(authority, names, folder, label):
    """A server context; its files stay in the folder."""
    issuer, ca_key, _ = authority
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives = [x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    certificate = (_builder(label, issuer, key).add_extension(x509.SubjectAlternativeName(alternatives), False).add_extension(usage, True)
                   .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
                   .sign(ca_key, hashes.SHA256()))
    path = folder / f"{label}.pem"
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class Certificates:
    """`good` is trusted by ca.pem; `stranger` is of a CA that is not; `misnamed` is trusted, for another name."""

    def __init__(self, folder):
        authority = _authority("Stand-in CA")
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(authority[2].public_bytes(Encoding.PEM))
        # 127.0.0.2 is the trap: that nobody comes there must not be the merit of its certificate.
        names = ["localhost", "127.0.0.1", "127.0.0.2", "*.standin.test", *ENTRA_HOSTS, *GRAPH_HOSTS, *INTUNE_HOSTS]
        self.good = _leaf(authority, names, folder, "good")
        self.misnamed = _leaf(authority, ["elsewhere.example"], folder, "misnamed")
        self.stranger = _leaf(_authority("Stranger CA"), names, folder, "stranger")
