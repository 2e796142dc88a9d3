"""An ACME account that asks by hand, on one kept connection: the bytes of each answer, problem documents included."""
import base64
import http.client
import json
import ssl
from types import SimpleNamespace
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def encoded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Account:
    def __init__(self, server):
        where = urlsplit(server.directory())
        self._connection = http.client.HTTPSConnection(where.hostname, where.port, timeout=60,
                                                       context=ssl.create_default_context(cafile=server.root))
        self.directory = json.loads(self.ask("GET", server.directory()).body)
        self._key = ec.generate_private_key(ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        self._jwk = {"kty": "EC", "crv": "P-256", "x": encoded(numbers.x.to_bytes(32, "big")),
                     "y": encoded(numbers.y.to_bytes(32, "big"))}
        self._kid = None

    def ask(self, method, url, body=None, **headers):
        self._connection.request(method, urlsplit(url).path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = self._connection.getresponse()
        return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())

    def reconnect(self):
        """After a restart of the server."""
        self._connection.close()

    def nonce(self):
        return self.ask("HEAD", self.directory["newNonce"]).headers["Replay-Nonce"]

    def post(self, url, payload):
        """`payload` None: POST-as-GET."""
        who = {"kid": self._kid} if self._kid else {"jwk": self._jwk}
        protected = encoded(json.dumps({"alg": "ES256", "nonce": self.nonce(), "url": url, **who}).encode())
        body = "" if payload is None else encoded(json.dumps(payload).encode())
        r, s = decode_dss_signature(self._key.sign(f"{protected}.{body}".encode(), ec.ECDSA(SHA256())))
        signature = encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        jws = json.dumps({"protected": protected, "payload": body, "signature": signature})
        return self.ask("POST", url, jws.encode(), Content_Type="application/jose+json")

    def register(self):
        answer = self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True})
        if answer.status in (200, 201):
            self._kid = answer.headers["Location"]
        return answer

    def order(self, name):
        return self.post(self.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name}]})


def assert_try_later(answer):
    """503 as ACME clients understand it: a problem document, and when to come again."""
    assert answer.status == 503, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    problem = json.loads(answer.body)
    assert problem["type"] == "urn:ietf:params:acme:error:rateLimited"
    return problem
