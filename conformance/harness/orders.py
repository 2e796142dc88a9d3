"""An ACME client that shows every answer: status, headers, and the problem that it reads."""
import base64
import hashlib
import http.client
import http.server
import json
import ssl
import threading
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


def encoded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def public_jwk(key):
    numbers = key.public_key().public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": encoded(numbers.x.to_bytes(32, "big")), "y": encoded(numbers.y.to_bytes(32, "big"))}


class KeyAuthorizations:
    """Answers every http-01 challenge for the account whose thumbprint it has, on the port that the laboratory asks at."""

    def __init__(self, port):
        web = self
        self.thumbprint = ""
        self.answering = threading.Event()  # while it is not set, questions wait
        self.answering.set()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802  (the name is http.server's)
                web.answering.wait()
                body = (self.path.rsplit("/", 1)[1] + "." + web.thumbprint).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self.answering.set()
        self._server.shutdown()
        self._server.server_close()


class Orders:
    """One account at one endpoint. Answers have status, headers and, parsed, body."""

    def __init__(self, server, endpoint, web):
        self._server, self._endpoint, self._web = server, endpoint, web
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._jwk = public_jwk(self._key)
        canonical = json.dumps(self._jwk, separators=(",", ":"), sort_keys=True)
        self._thumbprint = encoded(hashlib.sha256(canonical.encode()).digest())
        self._kid = None
        self.connect()
        answer = self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True})
        assert answer.status == 201, answer
        self._kid = answer.headers["Location"]

    def connect(self):
        """At first, and after a restart."""
        url = self._server.directory(self._endpoint)
        where = urlsplit(url)
        self._connection = http.client.HTTPSConnection(where.hostname, where.port, timeout=60,
                                                       context=ssl.create_default_context(cafile=self._server.root))
        self.directory = self.ask("GET", url).body

    def ask(self, method, url, body=None, **headers):
        self._connection.request(method, urlsplit(url).path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = self._connection.getresponse()
        octets = answer.read()
        shown = json.loads(octets) if "json" in (answer.headers["Content-Type"] or "") else octets
        return SimpleNamespace(method=method, url=url, status=answer.status, headers=answer.headers, body=shown, octets=octets, closes=answer.will_close)

    def post(self, url, payload):
        """`payload` None: POST-as-GET. A nonce that a restart made stale is replaced once."""
        for _ in range(2):
            nonce = self.ask("HEAD", self.directory["newNonce"]).headers["Replay-Nonce"]
            answer = self.send(url, payload, nonce, {"kid": self._kid} if self._kid else {"jwk": self._jwk})
            if answer.status != 400 or "badNonce" not in str(answer.body):
                break
        return answer

    def send(self, url, payload, nonce, who, sign=None):
        """One POST as it is asked for. `sign` makes r and s, in octets, of the text."""
        protected = encoded(json.dumps({"alg": "ES256", "nonce": nonce, "url": url, **who}).encode())
        body = "" if payload is None else encoded(json.dumps(payload).encode())
        signature = encoded((sign or self.sign)(f"{protected}.{body}".encode()))
        jws = json.dumps({"protected": protected, "payload": body, "signature": signature})
        return self.ask("POST", url, jws.encode(), Content_Type="application/jose+json")

    def sign(self, text):
        r, s = decode_dss_signature(self._key.sign(text, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def ready(self, *names):
        """A new order, proven: its URL and what it says."""
        self._web.thumbprint = self._thumbprint
        made = self.post(self.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name} for name in names]})
        assert made.status == 201, made
        url = made.headers["Location"]
        for authorization in made.body["authorizations"]:
            challenge = self.post(authorization, None).body["challenges"][0]
            self.post(challenge["url"], {})
        order = self.until(url, lambda body: body["status"] != "pending")
        assert order.body["status"] == "ready", order
        return url, order.body

    def finalize(self, order, *names, key=None):
        """(the answer, the CSR's key)"""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        csr = (x509.CertificateSigningRequestBuilder().subject_name(subject)
               .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False).sign(key, SHA256()))
        return self.post(order["finalize"], {"csr": encoded(csr.public_bytes(Encoding.DER))}), key

    def until(self, url, holds, seconds=60):
        """Asks for the order until it is so. Tests wait for states, never for times."""
        end = time.monotonic() + seconds
        while True:
            answer = self.post(url, None)
            if holds(answer.body):
                return answer
            assert time.monotonic() < end, f"still {answer.body}\n{self._server.log_tail()}"
            time.sleep(0.1)

    def chain(self, order):
        """PEM of a valid order's certificate and its chain."""
        answer = self.post(order["certificate"], None)
        assert answer.status == 200, answer
        return answer.body.decode()

    def revoke(self, pem, reason=4):
        leaf = x509.load_pem_x509_certificate(pem.encode())
        return self.post(self.directory["revokeCert"], {"certificate": encoded(leaf.public_bytes(Encoding.DER)), "reason": reason})
