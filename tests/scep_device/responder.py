"""A small SCEP server written from RFC 8894, for the device alone: no policy, and wrong wherever a test says so.

Signatures and envelopes of requests are opened by the openssl command, so that the device's own encoder is not its
judge; envelopes of replies are made by it.
"""
import base64
import http.server
import subprocess
import threading
import urllib.parse
from datetime import datetime, timedelta
from types import SimpleNamespace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_public_key
from harness import der, pkcs10, scep_message as cms
from harness.environment import environment
from harness.seeded import Random, ec_key, rsa_key, sign

CAPS = ["AES", "DES3", "POSTPKIOperation", "Renewal", "SHA-1", "SHA-256", "SHA-512", "SCEPStandard", "GetNextCACert"]


def openssl(*words, data=b""):
    done = subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True, check=False, env=environment())
    return done.returncode, done.stdout, done.stderr.decode()


def definite(data):
    """BER of indefinite length as definite; (value, rest)."""
    tag, first = data[0], data[1]
    if first != 0x80:
        node, rest = der.read(data)
        if not tag & 0x20:
            return node.raw, rest
        parts, inner = b"", node.content
        while inner:
            part, inner = definite(inner)
            parts += part
        return der.tlv(tag, parts), rest
    rest, parts = data[2:], b""
    while rest[:2] != b"\0\0":
        part, rest = definite(rest)
        parts += part
    return der.tlv(tag, parts), rest[2:]


class Authority:
    """A root, an EC issuing CA and an RSA RA certificate; keys are repeated by their seed."""

    def __init__(self):
        random = Random("authority")
        self.random = random
        self.root_key, self.ca_key = rsa_key(random.child("root")), ec_key(random.child("ca"))
        self.ra_key, self.other_key = rsa_key(random.child("ra")), rsa_key(random.child("other"))
        ca = [pkcs10.basic_constraints(True), pkcs10.key_usage("keyCertSign", "cRLSign")]
        self.root_name, self.ca_name = pkcs10.name([("CN", "Root")]), pkcs10.name([("CN", "Issuing")])
        self.root = pkcs10.certificate(self.root_key, self.root_name, random, ca)
        self.ca = pkcs10.certificate(self.ca_key, self.ca_name, random, ca, issuer=self.root_name, issuer_key=self.root_key)
        self.ra = self.issue(self.ra_key, pkcs10.name([("CN", "RA")]), [pkcs10.key_usage("digitalSignature", "keyEncipherment")])
        # RSA for everything: what a single CA without RA is.
        self.plain_ca = pkcs10.certificate(self.root_key, pkcs10.name([("CN", "Plain")]), random,
                                           [ca[0], pkcs10.key_usage("keyCertSign", "digitalSignature", "keyEncipherment")])

    def issue(self, key, subject, extensions=(), serial=None):
        """`key` is anything with a public half."""
        return pkcs10.certificate(key, subject, self.random, extensions, issuer=self.ca_name, issuer_key=self.ca_key, serial=serial)

    def crl(self):
        builder = x509.CertificateRevocationListBuilder().issuer_name(x509.load_der_x509_certificate(self.ca).subject)
        now = datetime.utcnow()
        return builder.last_update(now).next_update(now + timedelta(days=1)).sign(self.ca_key, hashes.SHA256()).public_bytes(Encoding.DER)


class _Public:
    """The public half of a CSR's key, where a key pair is expected."""

    def __init__(self, key):
        self._key = key

    def public_key(self):
        return self._key


class Responder:
    """`faults` names what the next replies do wrong; `seen` has what each request was like."""

    def __init__(self, authority, folder, tls=None):
        self.authority, self.folder = authority, folder
        self.bag, self.type = [authority.ra, authority.ca, authority.root], "application/x-x509-ca-ra-cert"
        self.caps = "\n".join(CAPS) + "\n"
        self.pending = False
        self.fail_info = None
        self.faults, self.seen, self.waiting = set(), [], {}
        # What is done to the octets of a reply, its envelope and the bag in it; and how the envelope is made otherwise.
        self.edit_reply = self.edit_envelope = self.edit_bag = lambda octets: octets
        self.envelope_knobs = {}
        responder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802  (the name is http.server's)
                responder.handle(self, None)

            def do_POST(self):  # noqa: N802
                responder.handle(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}/scep/phones"
        (folder / "ra.pem").write_bytes(x509.load_der_x509_certificate(authority.ra).public_bytes(Encoding.PEM))
        (folder / "ra.key").write_bytes(authority.ra_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, request, body):
        path, _, query = request.path.partition("?")
        pairs = dict(pair.partition("=")[::2] for pair in query.split("&"))
        tls = getattr(request.connection, "version", lambda: None)()
        seen = SimpleNamespace(tls=tls, method=request.command, path=path, query=query, version=request.request_version, headers=request.headers,
                               operation=pairs["operation"], message=pairs.get("message"), raw=body)
        self.seen.append(seen)
        if seen.operation == "GetCACaps":
            status, kind, answer = 200, "text/plain", self.caps.encode()
        elif seen.operation == "GetCACert":
            status, kind, answer = 200, self.type, self.bag[0] if self.type.endswith("ca-cert") else cms.degenerate(self.bag)
        elif seen.operation == "GetNextCACert":
            status, kind, answer = 200, "application/x-x509-next-ca-cert", self.next_ca()
        else:
            if body is None:
                text = urllib.parse.unquote(seen.message).replace("\n", "")
                seen.raw = base64.b64decode(text, validate=True)
            status, kind, answer = 200, "application/x-pki-message", self.operate(seen)
        if "status" in self.faults:
            status = 500
        if "type" in self.faults:
            kind = "text/html"
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def next_ca(self):
        content = cms.degenerate([self.authority.root])
        key = self.authority.other_key if "signature" in self.faults else self.authority.ca_key
        signer = cms.Signer(self.authority.ca, key)
        info = cms.signer_info(content, signer, [], self.authority.random, "sha256")
        return self.edit_reply(cms.signed_data(content, [info], [self.authority.ca]))

    # ---- PKIOperation

    def verified(self, seen):
        """Content and signer as openssl finds them, attributes read here."""
        signer, content = self.folder / "signer.pem", self.folder / "content"
        status, _, said = openssl("cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-signer", signer, "-out", content, data=seen.raw)
        assert status == 0, said
        found = der.whole(definite(seen.raw)[0]).children()[1].children()[0].children()
        info = found[-1].children()[0].children()
        seen.attributes = {each.children()[0].oid(): each.children()[1].children()[0] for each in info[3].children()}
        seen.digest = info[2].children()[0].oid()
        seen.signer = x509.load_pem_x509_certificate(signer.read_bytes())
        seen.kind = seen.attributes[cms.MESSAGE_TYPE].content.decode()
        seen.transaction = seen.attributes[cms.TRANSACTION_ID].content.decode()
        seen.nonce = seen.attributes[cms.SENDER_NONCE].content if cms.SENDER_NONCE in seen.attributes else None
        seen.content = content.read_bytes()
        status, seen.plain, said = openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-recip", self.folder / "ra.pem", "-inkey",
                                           self.folder / "ra.key", data=seen.content)
        assert status == 0, said

    def operate(self, seen):
        self.verified(seen)
        if self.fail_info is not None:
            return self.cert_rep(seen, "2")
        if seen.kind in (cms.PKCS_REQ, cms.RENEWAL_REQ):
            seen.csr = x509.load_der_x509_csr(seen.plain)
            assert seen.csr.is_signature_valid
            self.waiting[seen.transaction] = seen.csr
        if seen.kind == cms.GET_CRL:
            return self.cert_rep(seen, "0", cms.degenerate(crls=[self.authority.crl()]))
        if seen.kind == cms.GET_CERT:
            return self.cert_rep(seen, "0", cms.degenerate([self.authority.ra]))
        if self.pending:
            return self.cert_rep(seen, "3")
        return self.cert_rep(seen, "0", self.certificates(seen))

    def certificates(self, seen):
        """What the client gets: made by openssl, but where it is wrong on purpose."""
        csr = self.waiting[seen.transaction]
        key = self.authority.other_key if "other_key" in self.faults else _Public(
            load_der_public_key(csr.public_key().public_bytes(Encoding.DER, pkcs10.serialization.PublicFormat.SubjectPublicKeyInfo)))
        made = self.authority.issue(key, csr.subject.public_bytes())
        if "leaf_and_ca" in self.faults:
            return cms.degenerate([made, self.authority.ca])
        if "no_certificate" in self.faults:
            return cms.degenerate()
        path = self.folder / "leaf.pem"
        path.write_bytes(x509.load_der_x509_certificate(made).public_bytes(Encoding.PEM))
        return openssl("crl2pkcs7", "-nocrl", "-certfile", path, "-outform", "DER")[1]

    def enveloped(self, plain, seen):
        plain = self.edit_bag(plain)
        if self.envelope_knobs:
            return cms.envelope(plain, [seen.signer.public_bytes(Encoding.DER)], self.authority.random, **self.envelope_knobs)
        recipients = [self.folder / "signer.pem"]
        if "two_recipients" in self.faults:
            recipients.append(self.folder / "ra.pem")
        if "other_recipient" in self.faults:
            recipients = [self.folder / "ra.pem"]
        cipher = "-des-ede3-cbc" if "cipher" in self.faults else "-aes-128-cbc"
        options = ["-keyopt", "rsa_padding_mode:oaep"] if "oaep" in self.faults else []
        pairs = [word for recipient in recipients for word in ("-recip", recipient, *options)]
        status, made, said = openssl("cms", "-encrypt", "-binary", cipher, "-outform", "DER", *pairs, data=plain)
        assert status == 0, said
        # This openssl streams what it encrypts; Postern does not.
        return self.edit_envelope(_plain_strings(definite(made)[0]))

    def attributes(self, seen, status):
        faults = self.faults
        number = der.printable("19" if "request" in faults else "3")
        number = {"type_integer": der.integer(3), "type_utf8": der.utf8("3")}.get(next((f for f in faults if f.startswith("type_")), ""), number)
        nonce = bytes(16) if "nonce" in faults else seen.nonce
        faults = faults | ({"no_nonce"} if nonce is None else set())
        own = seen.nonce if "echo" in faults else b"1" if "short_nonce" in faults else self.authority.random.octets(16)
        transaction = seen.transaction[::-1] + "x" if "transaction" in faults else seen.transaction
        each = [(cms.MESSAGE_TYPE, [number]), (cms.PKI_STATUS, [der.printable("7" if "status_7" in faults else status)]),
                (cms.SENDER_NONCE, [der.octets(own)]), (cms.RECIPIENT_NONCE, [der.octets(nonce or b"")]),
                (cms.TRANSACTION_ID, [der.printable(transaction)])]
        if status == "2" or "fail_info_too" in faults:
            each.append((cms.FAIL_INFO, [der.printable("9" if "fail_info_9" in faults else self.fail_info or "2")]))
        if status == "2" and "no_text" not in faults:
            text = "no such challenge"
            each.append((cms.FAIL_INFO_TEXT, [der.printable(text) if "text_printable" in faults else der.utf8(text)]))
        if "no_fail_info" in faults:
            each = cms.replaced(each, cms.FAIL_INFO)
        if "content_type" in faults:
            each.append((cms.CONTENT_TYPE, [der.oid(cms.SIGNED_DATA)]))
        for name, oid in (("status_twice", cms.PKI_STATUS), ("nonce_twice", cms.RECIPIENT_NONCE)):
            if name in faults:
                value = dict(each)[oid]
                each = cms.replaced(each, oid, value, value)
        if "two_values" in faults:
            each = cms.replaced(each, cms.PKI_STATUS, [der.printable("0"), der.printable("2")])
        for name, oid in (("no_nonce", cms.RECIPIENT_NONCE), ("no_own_nonce", cms.SENDER_NONCE), ("no_status", cms.PKI_STATUS)):
            if name in faults:
                each = cms.replaced(each, oid)
        return each

    def cert_rep(self, seen, status, plain=None):
        content = self.enveloped(plain, seen) if plain is not None else None
        faults = self.faults
        if "content_anyway" in faults:
            content = b"anything"
        if "content_empty" in faults:
            content = b""
        if "no_content" in faults:
            content = None
        digest = "sha1" if "sha1" in faults else "sha256"
        if "named_ra" in faults:  # the RA's name and serial, another's key
            twin = self.authority.issue(self.authority.other_key, pkcs10.name([("CN", "RA")]),
                                        serial=x509.load_der_x509_certificate(self.authority.ra).serial_number)
            signer, bag = cms.Signer(twin, self.authority.ra_key), [twin]
        else:
            signer = cms.Signer(self.authority.ra, self.authority.other_key if "signature" in faults else self.authority.ra_key)
            bag = [self.authority.ra]
        if "other_signer" in faults:
            signer = cms.Signer(seen_certificate(self.authority), self.authority.other_key)
        info = cms.signer_info(content or b"", signer, self.attributes(seen, status), self.authority.random, digest,
                               bad_digest="digest" in faults, signed_attributes="no_attributes" not in faults,
                               unsigned=[(cms.PKI_STATUS, [der.printable("0")])] if "unsigned" in faults else ())
        if "unsorted" in faults:
            info = _unsorted(info, signer.key)
        infos = [info, info] if "two_signers" in faults else [] if "no_signer" in faults else [info]
        raw = cms.signed_data(content, infos, bag, digest, ber="ber" in faults)
        raw = self.edit_reply(raw)
        return raw + b"\0" if "trailing" in faults else raw[:-5] if "cut" in faults else raw


def seen_certificate(authority):
    return authority.issue(authority.other_key, pkcs10.name([("CN", "Somebody")]))


def _unsorted(info, key):
    """Signed as it is sent, in an order that is not DER's."""
    parts = der.whole(info).children()
    attributes = [each.raw for each in parts[3].children()][::-1]
    made = sign(key, "sha256", der.tlv(der.SET, *attributes), None)
    return der.sequence(*[part.raw for part in parts[:3]], der.context(0, *attributes), parts[4].raw, der.octets(made))


def edited(raw, path, change):
    """The value with the part at `path` (indexes of children) changed: a function from its node to octets."""
    node = der.whole(raw)
    if not path:
        return change(node)
    children = [child.raw for child in node.children()]
    children[path[0]] = edited(children[path[0]], path[1:], change)
    return der.tlv(node.tag, *children)


def _plain_strings(raw):
    """DER of an EnvelopedData whose encrypted content came in pieces."""
    oid, wrapped = der.whole(raw).children()
    version, recipients, encrypted = wrapped.children()[0].children()[:3]
    kind, how, content = encrypted.children()
    pieces = b"".join(piece.content for piece in content.children()) if content.tag == 0xA0 else content.content
    inner = der.sequence(kind.raw, how.raw, der.tlv(0x80, pieces))
    return der.sequence(oid.raw, der.context(0, der.sequence(version.raw, recipients.raw, inner)))
