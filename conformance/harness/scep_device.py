"""A SCEP device: it asks as one kind of device does (scep_style), and judges answers as the strictest would (scep_reply).

  device = Device("http://127.0.0.1:8080/scep/phones", APPLE, subject=[("CN", "phone")], seed="one")
  device.discover()
  reply = device.enroll("the challenge")

With a seed every octet that it sends repeats, nonces, keys and paddings included. What a test wants otherwise is a
knob of `csr` and `message`; octets of any kind go through `send`.
"""
import base64
import http.client
import re
import ssl
import urllib.parse
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace

from . import der, pkcs10, scep_message as cms, scep_reply, scep_select
from .scep_reply import Expected, Unacceptable, require
from .scep_style import Style
from .seeded import Random, rsa_key

PKI_MESSAGE = "application/x-pki-message"
# Of the self-signed certificate, whatever the clock of the machine: a device after its reset has none either.
BEGIN, DAYS = datetime(2020, 1, 1), 365 * 40
SECONDS = 60


@dataclass
class Message:
    """A PKIOperation, and what the answer to it must be like."""

    raw: bytes
    expected: Expected
    signer: cms.Signer


def query_of(raw, how):
    """The `message` of a GET: base64, percent-encoded as the device does; `spaces` and `urlsafe` are what some make of it."""
    text = base64.b64encode(raw).decode()
    if how == "lines":
        text = "\n".join(re.findall(".{1,64}", text)) + "\n"
    return {"percent": lambda: urllib.parse.quote(text, safe=""), "lines": lambda: urllib.parse.quote(text, safe=""),
            "equals": lambda: text.replace("=", "%3D"), "raw": lambda: text,
            "spaces": lambda: text.replace("+", "%20"), "urlsafe": lambda: text.replace("+", "-").replace("/", "_")}[how]()


class Device:
    """One device with one key. `root` is the PEM file of the CA of the TLS listener."""

    def __init__(self, url, style: Style, *, subject=(("CN", "device"),), extensions=(), key=None, seed=None, root=None, key_bits=2048):
        self.url, self.style, self.root = url.rstrip("/"), style, root
        self.random = Random(None if seed is None else f"{style.name}/{seed}")
        self.key = key or rsa_key(self.random.child("key"), key_bits)
        self.key_bits, self.renewals = key_bits, 0
        self.subject, self.extensions = pkcs10.name(subject, style.string), list(extensions)
        self.caps, self.bag, self.recipient, self.issuer = set(), [], None, None
        self.certificate = None  # DER, once there is one
        self._waiting = None     # the Message that a poll is about
        self.self_signed = self._sign_itself()

    def _sign_itself(self):
        random = self.random.child("signer")
        subject = pkcs10.name([("CN", random.uuid())]) if self.style.signer == "uuid" else self.subject
        serial = random.below(1 << 63)
        return pkcs10.certificate(self.key, subject, random, self.style.signer_extensions(self.key, subject, serial), begin=BEGIN, days=DAYS,
                                  serial=serial)

    # ---- HTTP

    def _connection(self):
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme == "http":
            made = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
        else:
            context = ssl.create_default_context(cafile=self.root)
            if self.style.tls12:
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            made = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=SECONDS, context=context)
        if self.style.http10:
            made._http_vsn, made._http_vsn_str = 10, "HTTP/1.0"  # the class has no other way to say so
        return made

    def http(self, query, body=None, headers=()):
        """One exchange: status, content type, body. `query` is sent as it stands."""
        parts = urllib.parse.urlsplit(self.url)
        connection = self._connection()
        try:
            connection.putrequest("GET" if body is None else "POST", parts.path + self.style.suffix + "?" + query, skip_host=True,
                                  skip_accept_encoding=True)
            if not self.style.http10:
                connection.putheader("Host", parts.netloc)
            if self.style.user_agent:
                connection.putheader("User-Agent", self.style.user_agent)
            if body is not None:
                connection.putheader("Content-Type", self.style.content_type)
                connection.putheader("Content-Length", str(len(body)))
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return SimpleNamespace(status=answer.status, type=answer.headers.get_content_type(), headers=answer.headers, body=answer.read())
        finally:
            connection.close()

    def _ask(self, operation):
        message = f"&message={urllib.parse.quote(self.style.ca_message)}" if self.style.ca_message else ""
        answer = self.http(f"operation={operation}{message}")
        require(answer.status == 200, f"{operation} answers {answer.status}")
        return answer

    # ---- before the first message

    def get_ca_caps(self):
        """Lines are split at LF and compared whole, as Apple's tool does."""
        self.caps = set(self._ask("GetCACaps").body.decode("ascii").split("\n")) - {""}
        return self.caps

    def get_ca_cert(self):
        """The bag in its order (DER); chooses whom to envelope to."""
        answer = self._ask("GetCACert")
        require(answer.type in (scep_select.CA_CERT, scep_select.CA_RA_CERT), f"GetCACert has type {answer.type}")
        try:
            self.bag = ([der.whole(answer.body).raw] if answer.type == scep_select.CA_CERT
                        else scep_reply.read_degenerate(answer.body, "GetCACert")[0])
        except der.NotDer as wrong:
            raise Unacceptable(f"GetCACert: {wrong}") from wrong
        self.recipient = scep_select.recipient(self.style.rule, self.bag, answer.type)
        self.issuer = scep_select.issuing_ca(self.bag, self.recipient)
        return self.bag

    def get_next_ca_cert(self):
        """The certificates of the CA to come (DER), signed by the CA of today."""
        answer = self._ask("GetNextCACert")
        require(answer.type == "application/x-x509-next-ca-cert", f"GetNextCACert has type {answer.type}")
        try:
            return scep_reply.read_degenerate(scep_reply.verify_signed(answer.body, self.issuer, ("sha256", "sha384", "sha512"))[0])[0]
        except der.NotDer as wrong:
            raise Unacceptable(f"GetNextCACert: {wrong}") from wrong

    def discover(self):
        for step in (self.get_ca_caps, self.get_ca_cert) if self.style.caps_first else (self.get_ca_cert, self.get_ca_caps):
            step()
        return self

    # ---- messages

    def csr(self, challenge=None, key=None, **knobs):
        """DER. The knobs are those of pkcs10.csr; `challenge` may be text or a complete value."""
        values = [] if challenge is None else [pkcs10.challenge(challenge) if isinstance(challenge, str) else challenge]
        knobs = {"subject": self.subject, "challenges": values, "extensions": self.extensions, **knobs}
        return pkcs10.csr(key or self.key, random=self.random, **knobs)

    def message(self, kind, plain, *, signer=None, leaf_key=None, transaction_id=None, nonce=None, digest=None, cipher=None, ber=None,
                recipients=None, attributes=None, certificates=None, infos=None, envelope=None, signed=None, content=None, wants="certificate",
                leaf_only=True):
        """A PKIOperation of any kind, right unless told otherwise.

        plain         what goes into the envelope
        attributes    a function from the list of (OID, [values]) to the one that is signed
        certificates  the bag beside the signature; the signer's alone if None
        infos         a function from the SignerInfo to a list of them
        envelope      further arguments of scep_message.envelope
        signed        further arguments of scep_message.signer_info
        content       octets in place of the envelope
        """
        signer = signer or cms.Signer(self.self_signed, self.key)
        transaction_id = self.style.transaction_id(leaf_key or self.key) if transaction_id is None else transaction_id
        nonce = self.random.octets(16) if nonce is None else nonce
        digest, cipher = digest or self.style.digest(self.caps), cipher or self.style.cipher(self.caps)
        ber = self.style.ber if ber is None else ber
        if content is None:
            content = cms.envelope(plain, [self.recipient] if recipients is None else recipients, self.random, cipher, ber=ber, **(envelope or {}))
        each = cms.request_attributes(kind, transaction_id, nonce)
        each = attributes(each) if attributes else each
        # An answer can only repeat what it could read.
        told = [values[0] for oid, values in each if oid == cms.SENDER_NONCE and len(values) == 1 and values[0][0] == der.OCTET_STRING]
        nonce = der.whole(told[0]).content if len(told) == 1 else None
        info = cms.signer_info(content, signer, each, self.random, digest, **(signed or {}))
        bag = [signer.certificate] if certificates is None else certificates
        raw = cms.signed_data(content, infos(info) if infos else [info], bag, digest, ber=ber)
        expected = Expected(transaction_id, nonce, self.recipient, signer.certificate, signer.key, leaf_key, tuple({digest, "sha256"}), (cipher,),
                            leaf_only, wants)
        return Message(raw, expected, signer)

    def send(self, raw, headers=()):
        """The HTTP answer to a PKIOperation, posted or not as the device does."""
        if self.style.post and {"POSTPKIOperation", "SCEPStandard"} & self.caps:
            return self.http("operation=PKIOperation", raw, headers)
        return self.http("operation=PKIOperation&message=" + query_of(raw, self.style.query), headers=headers)

    def ask(self, message):
        """The Reply to a message, or Unacceptable."""
        answer = self.send(message.raw)
        require(answer.status == 200, f"PKIOperation answers {answer.status}")
        require(answer.type == PKI_MESSAGE, f"PKIOperation has type {answer.type}")
        return scep_reply.verify(answer.body, message.expected)

    # ---- operations

    def enroll_message(self, challenge=None, csr=None, **knobs):
        return self.message(cms.PKCS_REQ, csr or self.csr(challenge), leaf_key=self.key, **knobs)

    def enroll(self, challenge=None, **knobs):
        return self._obtain(self.enroll_message(challenge, **knobs))

    def renew_message(self, key=None, challenge=None, kind=None, csr=None, **knobs):
        """Signed by the certificate it has. `key`: of the new one; kind None is what the style does."""
        key = key or self.key
        if kind is None:
            kind = cms.RENEWAL_REQ if self.style.renewal == "renewal" else cms.PKCS_REQ
        knobs = {"signer": cms.Signer(self.certificate, self.key), **knobs}
        return self.message(kind, csr or self.csr(challenge, key), leaf_key=key, **knobs)

    def new_key(self):
        """For a renewal with another key."""
        self.renewals += 1
        return rsa_key(self.random.child(f"key{self.renewals}"), self.key_bits)

    def renew(self, key=None, challenge=None, **knobs):
        if self.style.renewal == "challenge":  # iOS, Windows and Android begin anew
            if key:
                self.key = key
                self.self_signed = self._sign_itself()
            return self.enroll(challenge, **knobs)
        return self._obtain(self.renew_message(key, challenge, **knobs), key)

    def poll(self, **knobs):
        """Asks again for what is pending: same transaction, same signer."""
        require(self._waiting, "nothing is pending")
        first = self._waiting[0]
        knobs = {"signer": first.signer, "leaf_key": first.expected.leaf_key, "transaction_id": first.expected.transaction_id, **knobs}
        return self._obtain(self.message(cms.CERT_POLL, cms.issuer_and_subject(self.issuer, self.subject), **knobs), self._waiting[1], first)

    def get_cert(self, certificate=None, **knobs):
        return self.ask(self.message(cms.GET_CERT, cms.issuer_and_serial(certificate or self.certificate), **self._as_owner(knobs)))

    def get_crl(self, certificate=None, **knobs):
        return self.ask(self.message(cms.GET_CRL, cms.issuer_and_serial(certificate or self.certificate), wants="crl", **self._as_owner(knobs)))

    def _as_owner(self, knobs):
        return {"signer": cms.Signer(self.certificate, self.key), **knobs} if self.certificate else knobs

    def _obtain(self, message, key=None, first=None):
        reply = self.ask(message)
        if reply.status == scep_reply.SUCCESS:
            self.certificate, self.key, self._waiting = reply.certificates[0], key or self.key, None
        elif reply.status == scep_reply.PENDING:
            self._waiting = (first or message, key)
        else:
            self._waiting = None
        return reply
