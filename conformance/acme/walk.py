"""From an account to a revocation in the wire's words, every answer kept."""
from cryptography.hazmat.primitives.asymmetric import ec

from harness.orders import Orders, public_jwk


class Walk(Orders):
    def __init__(self, server, endpoint, web):
        self.answers, self.directory_url = [], server.directory(endpoint)
        super().__init__(server, endpoint, web)

    kid = property(lambda self: self._kid)

    def go(self, *names):
        """The whole way, with a wrong turn: an authorization that fails."""
        self.post_by_key(self.directory["newAccount"], {})
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

    def ask(self, method, url, body=None, **headers):
        answer = super().ask(method, url, body, **headers)
        answer.text = answer.octets.decode()
        self.answers.append(answer)
        return answer

    def fresh_nonce(self):
        return self.ask("HEAD", self.directory["newNonce"]).headers["Replay-Nonce"]

    def post_by_key(self, url, payload):
        """With the account's key itself in place of the account's URL."""
        return self.send(url, payload, self.fresh_nonce(), {"jwk": self._jwk})

    def post_by_a_stranger(self, url, payload):
        """With a key that nobody knows."""
        known, self._key = self._key, ec.generate_private_key(ec.SECP256R1())
        try:
            return self.send(url, payload, self.fresh_nonce(), {"jwk": public_jwk(self._key)})
        finally:
            self._key = known

    def post_with_nonce(self, url, payload, nonce):
        return self.send(url, payload, nonce, {"kid": self.kid})

    def post_with_short_signature(self, url, payload):
        """r begins with a zero octet, which is left out."""
        def short(text):
            while True:
                octets = self.sign(text)
                if octets[0] == 0:
                    return octets[1:]
        return self.send(url, payload, self.fresh_nonce(), {"kid": self.kid}, short)

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
