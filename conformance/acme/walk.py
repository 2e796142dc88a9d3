"""From an account to a revocation in the wire's words, every answer kept."""
import json
from types import SimpleNamespace
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from harness.orders import Orders, encoded


class Walk(Orders):
    def __init__(self, server, endpoint, web):
        self.answers, self.directory_url = [], server.directory(endpoint)
        super().__init__(server, endpoint, web)

    kid = property(lambda self: self._kid)

    def go(self, *names):
        """The whole way, with a wrong turn: an authorization that fails."""
        self.post(self.directory["newAccount"], {}, jwk=True)
        self.order_url, _ = self.ready(*names)
        self.order = self.post(self.order_url, None).body
        self.authorization = json_text(self.post(self.order["authorizations"][0], None))
        self.finalize(self.order, *names)
        self.order = self.until(self.order_url, lambda body: body["status"] != "processing").body
        pem = self.chain(self.order)
        self.revoke(pem)
        self._fail("wrong." + names[0])
        self._wait("late." + names[0])
        return self

    def _fail(self, name):
        good, self._web.thumbprint = self._web.thumbprint, "nonsense"
        made = self.post(self.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name}]})
        self.failed_order = made.headers["Location"]
        url, = made.body["authorizations"]
        self.post(self.post(url, None).body["challenges"][0]["url"], {})
        self.until(url, lambda body: body["status"] != "pending")
        self.failed_authorization = json_text(self.post(url, None))
        self._web.thumbprint = good

    def _wait(self, name):
        """The challenge, the authorization and its challenge are read while the name's owner has not answered yet."""
        url, = self.post(self.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name}]}).body["authorizations"]
        challenge = self.post(url, None).body["challenges"][0]["url"]
        self._web.answering.clear()
        try:
            self.waiting = [self.post(challenge, {}), self.post(url, None), self.post(challenge, None)]
        finally:
            self._web.answering.set()
        self.until(url, lambda body: body["status"] != "pending")

    def stranger(self):
        """The same walker with a key that nobody knows, and no account."""
        other = object.__new__(Walk)
        other.__dict__.update(self.__dict__)
        other.answers, other._key, other._kid = [], ec.generate_private_key(ec.SECP256R1()), None
        numbers = other._key.public_key().public_numbers()
        other._jwk = self._jwk | {"x": encoded(numbers.x.to_bytes(32, "big")), "y": encoded(numbers.y.to_bytes(32, "big"))}
        return other

    def ask(self, method, url, body=None, **headers):
        self._connection.request(method, urlsplit(url).path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = self._connection.getresponse()
        octets = answer.read()
        shown = json.loads(octets) if "json" in (answer.headers["Content-Type"] or "") else octets
        kept = SimpleNamespace(method=method, url=url, status=answer.status, headers=answer.headers, body=shown,
                               text=octets.decode(), closes=answer.will_close)
        self.answers.append(kept)
        return kept

    def post(self, url, payload, nonce=None, jwk=False, short=False):
        """`nonce`: another than a fresh one. `short`: with a signature whose r begins with a zero octet, which is left out."""
        while True:
            fresh = nonce or self.ask("HEAD", self.directory["newNonce"]).headers["Replay-Nonce"]
            who = {"kid": self._kid} if self._kid and not jwk else {"jwk": self._jwk}
            protected = encoded(json.dumps({"alg": "ES256", "nonce": fresh, "url": url, **who}).encode())
            body = "" if payload is None else encoded(json.dumps(payload).encode())
            r, s = self._signature(f"{protected}.{body}".encode(), short)
            signature = encoded(r.to_bytes(31 if short else 32, "big") + s.to_bytes(32, "big"))
            jws = json.dumps({"protected": protected, "payload": body, "signature": signature})
            answer = self.ask("POST", url, jws.encode(), Content_Type="application/jose+json")
            if nonce or answer.status != 400 or "badNonce" not in str(answer.body):
                return answer

    def _signature(self, text, short):
        while True:
            r, s = decode_dss_signature(self._key.sign(text, ec.ECDSA(SHA256())))
            if not short or r >> 248 == 0:
                return r, s

    def of(self, what):
        """What was answered to the posts of the walk at a URL of the directory or the order."""
        url = self.directory.get(what) or self.order[what]
        return [each for each in self.answers[:self._end()] if each.method == "POST" and each.url == url]

    def _end(self):
        """Where the walk ended: cases ask more."""
        revoked = [n for n, each in enumerate(self.answers) if each.url == self.directory["revokeCert"]]
        return revoked[0] + 1

    @property
    def challenges(self):
        return [each for each in self.answers if each.method == "POST" and "/challenge/" in each.url]

    @staticmethod
    def links(answer, relation):
        lines = answer.headers.get_all("Link") or ()
        return [line.split(">")[0].lstrip("<") for line in lines if line.endswith(f'rel="{relation}"')]


def json_text(answer):
    assert answer.status == 200, answer
    return answer.text
