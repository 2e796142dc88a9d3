"""The CA that somebody moves away from: it issues, publishes a CRL, answers OCSP, and errs when told to.

  with Predecessor(folder) as old:
      key, der = old.issue("printer-7")
      old.revoke(der)
      old.crl = old.make_crl(next_update=timedelta(hours=-1))
"""
import functools
import http.server
import threading
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
SHA256 = hashes.SHA256
REQUEST_AGENT = ObjectIdentifier("1.3.6.1.4.1.311.20.2.1")


def new_key():
    return rsa.generate_private_key(65537, 2048)


@functools.lru_cache
def kept_key(role):
    """Each run has one key a role: to make RSA keys is most of what these cases cost, and on a busy machine minutes."""
    return new_key()


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A name, a key and a certificate."""

    def __init__(self, name, signer=None, key=None):
        self.key, self.name = key or new_key(), name_of(name)
        by = signer or self
        self.certificate = self.build(self.name, self.key.public_key(), by, [(x509.BasicConstraints(True, None), True)])

    @staticmethod
    def build(name, public_key, by, extensions=(), begin=timedelta(days=-20), end=timedelta(days=20)):
        now = datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(by.name).public_key(public_key)
                   .serial_number(x509.random_serial_number()).not_valid_before(now + begin).not_valid_after(now + end))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(by.key, SHA256())

    @property
    def pem(self):
        return self.certificate.public_bytes(PEM)


class Predecessor:
    def __init__(self, folder, name="old"):
        self.folder = folder
        self.root = Authority(f"{name} root", key=kept_key("root"))
        self.issuing = Authority(f"{name} issuing", self.root, key=kept_key("issuing"))
        self.revoked = {}
        self.crl = None           # octets; None: made when asked for
        self.crl_status = 200
        self.ocsp = None          # a function from the request to the octets of the answer; None: as the records say
        self.ocsp_status = 200
        self.responder = None     # an Authority that answers in the CA's place, its certificate sent along
        self.asked = []           # "crl" and "ocsp", in order
        self.chain = folder / f"{name}-chain.pem"
        self.chain.write_bytes(self.root.pem + self.issuing.pem)

    # ---- issuance

    def issue(self, name, *, key=None, extensions=(), signer=None, **validity):
        """The device's key, and its certificate in DER."""
        key = key or new_key()
        certificate = Authority.build(name_of(name) if isinstance(name, str) else name, key.public_key(), signer or self.issuing, extensions, **validity)
        return key, certificate.public_bytes(DER)

    def issue_authority(self, name, *usages):
        """A certificate with a purpose that no device has, as an Authority."""
        made = Authority.__new__(Authority)
        made.key, made.name = new_key(), name_of(name)
        extensions = [(x509.ExtendedKeyUsage(usages), False)] if usages else []
        made.certificate = Authority.build(made.name, made.key.public_key(), self.issuing, extensions)
        return made

    def revoke(self, der):
        self.revoked[x509.load_der_x509_certificate(der).serial_number] = datetime.utcnow() - timedelta(minutes=1)

    # ---- status

    def make_crl(self, signer=None, next_update=timedelta(days=1), number=None, name=None):
        now = datetime.utcnow()
        self.number = number or getattr(self, "number", 0) + 1
        by = signer or self.issuing
        builder = (x509.CertificateRevocationListBuilder().issuer_name(name or by.name).last_update(now - timedelta(days=2)).next_update(now + next_update)
                   .add_extension(x509.CRLNumber(self.number), False))
        for serial, when in self.revoked.items():
            builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when).build())
        return builder.sign(by.key, SHA256()).public_bytes(DER)

    def answer_ocsp(self, body, *, status=None, signer=None, nonce=True, certificate=None, next_update=timedelta(hours=1)):
        request = ocsp.load_der_ocsp_request(body)
        now = datetime.utcnow()
        when = self.revoked.get(request.serial_number)
        status = status or (ocsp.OCSPCertStatus.REVOKED if when else ocsp.OCSPCertStatus.GOOD)
        by = signer or self.responder or self.issuing
        about = certificate or self._certificate_of(request.serial_number)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=about, issuer=self.issuing.certificate, algorithm=hashes.SHA1(), cert_status=status, this_update=now - timedelta(minutes=1),
            next_update=now + next_update, revocation_time=when or (now if status == ocsp.OCSPCertStatus.REVOKED else None), revocation_reason=None)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, by.certificate)
        if by is not self.issuing:
            builder = builder.certificates([by.certificate])
        if nonce is True:
            sent = request.extensions.get_extension_for_class(x509.OCSPNonce).value
            builder = builder.add_extension(sent, False)
        elif nonce:
            builder = builder.add_extension(x509.OCSPNonce(nonce), False)
        return builder.sign(by.key, SHA256()).public_bytes(DER)

    def _certificate_of(self, serial):
        """The builder wants a certificate where the protocol has a serial."""
        now = datetime.utcnow()
        return (x509.CertificateBuilder().subject_name(name_of("any")).issuer_name(self.issuing.name).public_key(self.issuing.key.public_key()).serial_number(serial)
                .not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(self.issuing.key, SHA256()))

    # ---- its address

    @property
    def base(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def crl_url(self):
        return self.base + "/ca.crl"

    @property
    def ocsp_url(self):
        return self.base + "/ocsp"

    def __enter__(self):
        old = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                old.asked.append("crl")
                self.give(old.crl_status, old.crl if old.crl is not None else old.make_crl())

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/ocsp-request"
                old.asked.append("ocsp")
                self.give(old.ocsp_status, (old.ocsp or old.answer_ocsp)(body))

            def give(self, status, content):
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                if status // 100 == 3:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING
