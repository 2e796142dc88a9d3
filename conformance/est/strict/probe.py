"""The means of a row: a server, connections to it, requests, and what must be true of an answer."""
import base64
import functools
import itertools
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness import der, pkcs10
from harness.http_wire import Answer, BadAnswer, Closed, Connection
from harness.seeded import Random, ec_key, rsa_key

PEM = serialization.Encoding.PEM
PKCS10 = "application/pkcs10"
SIGNED_DATA, DATA = "1.2.840.113549.1.7.2", "1.2.840.113549.1.7.1"
WELL_KNOWN = "/.well-known/est"


class Deviation(Exception):
    """What was seen instead of what is expected."""


class NotOffered(Exception):
    """Why the row says nothing of this server."""


@dataclass
class Row:
    name: str
    section: str     # of est.md
    sends: str
    expected: str
    run: object


ROWS = []


def row(section, sends, expected):
    """Adds a row: a function of a Probe, which may return what was seen."""
    def add(function):
        assert all(known.name != function.__name__ for known in ROWS), function.__name__
        ROWS.append(Row(function.__name__, section, sends, expected, function))
        return function
    return add


@dataclass
class Endpoint:
    """`url` ends in the label or, for the endpoint without one, in /.well-known/est. `user`: "name:password"."""

    url: str
    user: str = ""

    @property
    def place(self):
        parts = urlsplit(self.url)
        return parts.hostname, parts.port or 443

    @property
    def path(self):
        path = urlsplit(self.url).path.rstrip("/")
        return path if WELL_KNOWN in path else path + WELL_KNOWN

    @property
    def label(self):
        return self.path.partition(WELL_KNOWN)[2].lstrip("/")


@dataclass
class Target:
    """A server and what of it cannot be asked.

    main       where most is asked
    others     role -> Endpoint: `elsewhere`, another endpoint; `bound`, which requires channel binding; `pending`, which
               answers 202; `keys`, which makes keys; `revoked`: see `revoke`
    cacert     PEM file of the root of its TLS certificate
    suffix     DNS names below it are issued where they are asked for; "" none
    revoke     a function of a serial number in hex, or None
    """

    main: Endpoint
    cacert: str
    others: dict = field(default_factory=dict)
    suffix: str = ""
    revoke: object = None


@functools.lru_cache(maxsize=None)
def rsa(bits=2048):
    """Costly ones are made once: nobody learns anything of another row by them."""
    return rsa_key(Random(), bits)


class Probe:
    """One row's means. `answers`: all that came; `issued`: (certificate, key) of all that was received."""

    _numbers = itertools.count(int(time.time()) % 100_000)

    def __init__(self, target, name="row"):
        self.target, self.random = target, Random()
        self.answers, self.issued, self._open = [], [], []
        self._folder = tempfile.TemporaryDirectory(prefix="est-probe-")
        self.folder = Path(self._folder.name)
        self.common_name = f"probe-{next(self._numbers)}-{name.replace('_', '-')}"[:60].rstrip("-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for wire in self._open:
            wire.close()
        self._folder.cleanup()

    # ---- judging

    def need(self, holds, seen):
        if not holds:
            raise Deviation(seen)

    def status(self, answer, *expected):
        """The answer, if it has one of these statuses; all refusals are judged alike."""
        if answer.status >= 400:
            self._judge_refusal(answer)
        self.need(answer.status in expected, shown(answer))
        return answer

    def _judge_refusal(self, answer):
        """RFC 8951 §5: text or nothing; what was sent is not sent back; small enough for a device to log."""
        self.need(answer.media_type in ("", "text/plain"), f"{answer.status} as {answer.get('Content-Type')}")
        self.need(len(answer.body) <= 2048 and b"MII" not in answer.body, f"{answer.status} with {len(answer.body)} octets, or with the request in it")
        if answer.status == 401:
            self.need(answer.all("WWW-Authenticate"), "401 without WWW-Authenticate")
        if answer.status in (429, 503):
            self.need(answer.get("Retry-After").isdigit(), f"{answer.status} with Retry-After {answer.get('Retry-After')!r}")
        if answer.status == 405:
            self.need(answer.all("Allow"), "405 without Allow")

    def other(self, role):
        if role not in self.target.others:
            raise NotOffered(f"no endpoint was named for {role}")
        return self.target.others[role]

    # ---- connections and requests

    def connect(self, endpoint=None, **how):
        host, port = (endpoint or self.target.main).place
        wire = Connection(host, port, self.target.cacert, **how)
        self._open.append(wire)
        return wire

    def key(self, kind="ec"):
        return ec_key(self.random) if kind == "ec" else rsa(int(kind.removeprefix("rsa")))

    def subject(self, *more):
        return pkcs10.name([("CN", self.common_name), *more])

    def csr(self, key=None, subject=None, **knobs):
        """DER; knobs are those of pkcs10.csr."""
        return pkcs10.csr(key or self.key(), subject or self.subject(), self.random, **knobs)

    def bound_csr(self, wire, key=None, value=None):
        """With the channel binding of that connection as challengePassword."""
        text = base64.b64encode(value if value is not None else wire.binding()).decode()
        return self.csr(key, challenges=[pkcs10.challenge(text)])

    def path(self, operation, endpoint=None):
        return f"{(endpoint or self.target.main).path}/{operation}"

    def get(self, operation, endpoint=None, wire=None, headers=(), method="GET"):
        return self._keep((wire or self.connect(endpoint)).ask(method, self.path(operation, endpoint), None, headers))

    def post(self, operation, body, endpoint=None, wire=None, headers=None, user=None, media_type=PKCS10, path=None):
        """`user`: None is the endpoint's, "" nobody. `headers` replace all but the credentials."""
        user = (endpoint or self.target.main).user if user is None else user
        sent = [("Content-Type", media_type)] if headers is None else list(headers)
        sent += [("Authorization", basic(user))] if user else []
        return self._keep((wire or self.connect(endpoint)).ask("POST", path or self.path(operation, endpoint), body, sent))

    def raw(self, octets, wire=None):
        """The first answer to octets of any kind, or Closed."""
        wire = wire or self.connect()
        wire.send(octets)
        return self._keep(wire.read_answer())

    def enroll(self, csr=None, operation="simpleenroll", **how):
        """Sends DER as most clients do, in lines of base64."""
        return self.post(operation, lines(csr if csr is not None else self.csr()), **how)

    def _keep(self, answer):
        self.answers.append(answer)
        if answer.status == 200 and "certs-only" in answer.get("Content-Type"):
            self.issued += [(x509.load_der_x509_certificate(each), None) for each in certificates(answer)]
        return answer

    def refused(self, answer, *statuses):
        self.status(answer, *statuses)

    # ---- what enrolls

    def certificate(self, answer, key=None):
        """Of a 200 to an enrollment: exactly one, of that key."""
        self.status(answer, 200)
        self.need(answer.get("Content-Type") == "application/pkcs7-mime; smime-type=certs-only", f"Content-Type {answer.get('Content-Type')!r}")
        found = certificates(answer)
        self.need(len(found) == 1, f"{len(found)} certificates")
        made = x509.load_der_x509_certificate(found[0])
        if key is not None:
            self.need(_spki(made.public_key()) == _spki(key.public_key()), "a certificate of another key")
        return made

    def identity(self, endpoint=None, key=None, csr=None):
        """A new certificate of this server: .key, .certificate, .csr (DER), .files as client_context takes them."""
        key = key or self.key()
        csr = csr or self.csr(key)
        made = self.certificate(self.enroll(csr, endpoint=endpoint), key)
        return self.owner(made, key, csr)

    def owner(self, certificate, key, csr=None, chain=()):
        number = len(list(self.folder.iterdir()))
        files = self.folder / f"{number}.pem", self.folder / f"{number}.key"
        files[0].write_bytes(b"".join(each.public_bytes(PEM) for each in (certificate, *chain)))
        files[1].write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return SimpleNamespace(certificate=certificate, key=key, csr=csr, files=files)

    def renew(self, owner, csr, endpoint=None, operation="simplereenroll", user="", tls=None):
        """By that certificate, and nothing else unless `user` says so."""
        wire = self.connect(endpoint, identity=owner.files, tls=tls)
        return self.enroll(csr, operation, endpoint=endpoint, wire=wire, user=user)


def _spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def basic(user):
    return "Basic " + base64.b64encode(user.encode()).decode()


def lines(octets, width=64, end="\r\n"):
    text = base64.b64encode(octets).decode()
    return "".join(text[i:i + width] + end for i in range(0, len(text), width)).encode()


def armoured(octets, label="CERTIFICATE REQUEST"):
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label.encode(), lines(octets, end="\n"), label.encode())


def decoded(answer):
    """DER of a body, which is base64 whatever its header says (RFC 8951 §3)."""
    body = answer.body if isinstance(answer, Answer) else answer
    if not re.fullmatch(rb"[A-Za-z0-9+/=\r\n \t]*", body):
        raise Deviation(f"a body that is not base64: {body[:20]!r}")
    return base64.b64decode(b"".join(body.split()), validate=True)


def certificates(answer):
    """DER of each certificate of a degenerate SignedData (RFC 7030 §4.1.3): no content, no signers, no CRLs, nothing in BER."""
    try:
        kind, content = der.whole(decoded(answer)).children()
        signed = content.children()[0].children()
        tags = [part.tag for part in signed]
        if kind.oid() != SIGNED_DATA or tags != [der.INTEGER, der.SET, der.SEQUENCE, 0xA0, der.SET]:
            raise Deviation(f"no degenerate SignedData: parts {tags}")
        version, digests, inner, bag, signers = signed
        if (version.integer(), digests.content, signers.content) != (1, b"", b"") or [part.raw for part in inner.children()] != [der.oid(DATA)]:
            raise Deviation("a SignedData with version, content or signers that certs-only has not")
        return [part.expect(der.SEQUENCE, "a certificate").raw for part in bag.children()]
    except (der.NotDer, ValueError, IndexError) as broken:
        raise Deviation(f"a body that cannot be read: {broken}") from None


def shown(answer):
    """For the table: status, and the reason or the kind of body."""
    if answer.status >= 400 or answer.media_type == "text/plain":
        return re.sub(r" \(ref [^)]*\)", "", answer.text.strip().splitlines()[0])[:90] if answer.text.strip() else str(answer.status)
    return f"{answer.status} {answer.get('Content-Type')}".strip()


def run(one, target):
    """(outcome, seen, probe); the outcome is pass, fail or "not offered"."""
    with Probe(target, one.name) as probe:
        try:
            seen = one.run(probe) or (shown(probe.answers[-1]) if probe.answers else "as expected")
            return "pass", seen, probe
        except Deviation as wrong:
            return "fail", str(wrong), probe
        except NotOffered as why:
            return "not offered", str(why), probe
        except (BadAnswer, Closed, OSError) as broken:
            return "fail", f"{type(broken).__name__}: {broken}", probe
