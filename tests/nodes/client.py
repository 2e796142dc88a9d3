"""An ACME account that speaks to whichever node it is told to, by hand."""
import base64
import http.client
import json
import ssl
from types import SimpleNamespace
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def encoded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Client:
    """`node` is the harness's server that is asked; URLs are the public ones, whichever node it is."""

    def __init__(self, nodes, endpoint="default", seconds=60):
        self.nodes = nodes
        self.seconds = seconds
        self.directory = json.loads(self.ask(nodes.nodes[0], "GET", nodes.directory(endpoint)).body)
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        self.jwk = {"crv": "P-256", "kty": "EC", "x": encoded(numbers.x.to_bytes(32, "big")),
                    "y": encoded(numbers.y.to_bytes(32, "big"))}
        self.kid = None

    def ask(self, node, method, url, body=None, **headers):
        connection = http.client.HTTPSConnection("127.0.0.1", node.port("https"), timeout=self.seconds,
                                                 context=ssl.create_default_context(cafile=self.nodes.root))
        try:
            connection.request(method, urlsplit(url).path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())
        finally:
            connection.close()

    def nonce(self, node):
        return self.ask(node, "HEAD", self.directory["newNonce"]).headers["Replay-Nonce"]

    def send(self, node, url, payload, nonce):
        """With a nonce of anybody's. `payload` None: POST-as-GET."""
        who = {"kid": self.kid} if self.kid else {"jwk": self.jwk}
        protected = encoded(json.dumps({"alg": "ES256", "nonce": nonce, "url": url, **who}).encode())
        body = "" if payload is None else encoded(json.dumps(payload).encode())
        r, s = decode_dss_signature(self.key.sign(f"{protected}.{body}".encode(), ec.ECDSA(hashes.SHA256())))
        jws = {"protected": protected, "payload": body, "signature": encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}
        answer = self.ask(node, "POST", url, json.dumps(jws).encode(), Content_Type="application/jose+json")
        is_json = "json" in (answer.headers["Content-Type"] or "")
        answer.json = json.loads(answer.body) if is_json else None
        return answer

    def post(self, node, url, payload=None):
        return self.send(node, url, payload, self.nonce(node))

    def register(self, node):
        answer = self.post(node, self.directory["newAccount"], {"termsOfServiceAgreed": True})
        assert answer.status == 201, answer.body
        self.kid = answer.headers["Location"]
        return self

    def order(self, node, name):
        answer = self.post(node, self.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name}]})
        assert answer.status == 201, answer.body
        return answer.headers["Location"], answer.json

    @property
    def thumbprint(self):
        digest = hashes.Hash(hashes.SHA256())
        digest.update(json.dumps(self.jwk, separators=(",", ":"), sort_keys=True).encode())
        return encoded(digest.finalize())

    def prove(self, node, order, well_known):
        """Each authorization of an order, by http-01."""
        for url in order["authorizations"]:
            challenge, = [c for c in self.post(node, url).json["challenges"] if c["type"] == "http-01"]
            (well_known / challenge["token"]).write_text(f"{challenge['token']}.{self.thumbprint}")
            assert self.post(node, challenge["url"], {}).status == 200

    def ready(self, node, name, well_known):
        """An order that may be finalized: its URL, and itself."""
        url, order = self.order(node, name)
        self.prove(node, order, well_known)
        return url, order

    def csr(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(key, hashes.SHA256())
        return {"csr": encoded(request.public_bytes(serialization.Encoding.DER))}

    def certificate(self, node, order):
        """What a valid order leads to, as text."""
        answer = self.post(node, order["certificate"])
        assert answer.status == 200, answer.body
        return x509.load_pem_x509_certificate(answer.body)
