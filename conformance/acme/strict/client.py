"""One key at one directory. Everything that it sends can be wrong (RFC 8555, RFC 7515)."""
import json
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness import jose
from harness.http_wire import Closed
from harness.jose import DROP

from .answers import NotOffered, parsed
from .requests import csr_for

SECONDS = 120  # bounds a hang, decides nothing
RETRIES = 20   # of nonces that a server refuses to see what becomes of it
JOSE = "application/jose+json"


@dataclass
class Exchange:
    method: str
    url: str
    sent: object      # octets, or None
    answer: object


class Client:
    """`kid` is None until the account exists."""

    def __init__(self, probe, endpoint, key):
        self.probe, self.endpoint, self.key = probe, endpoint, key
        self.kid = None
        self._nonce, self._wires = None, {}

    def close(self):
        for wire in self._wires.values():
            wire.close()
        self._wires.clear()

    def url(self, name):
        """Of a resource of the directory, or a URL itself."""
        return name if "://" in name else self.probe.offers(name, self.endpoint)

    # ---- as it is

    def ask(self, method, url, body=None, headers=(), target=None):
        """On the kept connection, or on another where the server ended it meanwhile."""
        url = self.url(url)
        parts = urlsplit(url)
        target = target or parts.path + (f"?{parts.query}" if parts.query else "")
        for fresh in (False, True):
            if fresh or parts.netloc not in self._wires:
                self._wires[parts.netloc] = self.endpoint.connect(url)
            try:
                answer = self._wires[parts.netloc].ask(method, target, body, headers, host=parts.netloc)
                break
            except Closed:
                self._wires.pop(parts.netloc).close()
                if fresh:
                    raise
        if answer.get("Connection").lower() == "close":
            self._wires.pop(parts.netloc).close()
        self.probe.exchanges.append(Exchange(method, url, body, answer))
        return answer

    def send(self, url, body, headers=(), content_type=JOSE, target=None):
        """Posts octets."""
        sent = ([("Content-Type", content_type)] if content_type else []) + list(headers)
        answer = self.ask("POST", url, body, sent, target)
        self._nonce = answer.get("Replay-Nonce") or None
        return answer

    def nonce(self):
        taken, self._nonce = self._nonce, None
        return taken or self.ask("HEAD", "newNonce").get("Replay-Nonce")

    def keep(self, nonce):
        """One that is still good is used next."""
        self._nonce = nonce

    def header(self, url, /, **overrides):
        """The protected header that is right for `url`, with members replaced, added or dropped."""
        by_key = self.kid is None or url == self.probe.directory(self.endpoint).get("newAccount")
        header = {"alg": self.key.alg, "url": url, **({"jwk": self.key.jwk} if by_key else {"kid": self.kid})}
        if "nonce" not in overrides:
            header["nonce"] = self.nonce()
        header.update(overrides)
        return {name: value for name, value in header.items() if value is not DROP}

    def message(self, url, payload="", /, sign=None, header=None, members=None, **overrides):
        """The octets of a POST. `header` replaces the whole protected header (JSON text is taken as it is), `overrides` members of it,
        `members` those of the message."""
        protected = self.header(self.url(url), **overrides) if header is None else header
        return jose.flattened(protected, payload, sign or self.key.sign, **(members or {}))

    def post(self, url, payload="", /, headers=(), **how):
        """A signed POST; without a payload POST-as-GET. A nonce of ours that is refused is replaced, as clients do."""
        for _ in range(RETRIES):
            answer = self.send(url, self.message(url, payload, **how), headers)
            if answer.status != 400 or b"badNonce" not in answer.body or how.get("header") is not None or "nonce" in how:
                break
        return answer

    # ---- the right way

    def register(self, binding=None, **payload):
        """The answer to newAccount; `kid` is known afterwards. `binding`: an externalAccountBinding object, where not the endpoint's."""
        meta = self.probe.meta(self.endpoint)
        payload.setdefault("termsOfServiceAgreed", True)
        if binding is None and meta.get("externalAccountRequired") and self.endpoint.bindings:
            binding = jose.binding(*self.endpoint.bindings[0], self.url("newAccount"), self.key)
        if binding is not None:
            payload["externalAccountBinding"] = binding
        answer = self.post("newAccount", {name: value for name, value in payload.items() if value is not DROP})
        if answer.status in (200, 201):
            self.kid = answer.get("Location")
        return answer

    def read(self, url):
        """The object by POST-as-GET."""
        return parsed(self.probe.ok(self.post(url), 200))

    def new_order(self, *names, **members):
        """The answer. `names` are DNS names, or identifier objects."""
        identifiers = [each if isinstance(each, dict) else {"type": "dns", "value": each} for each in names]
        return self.post("newOrder", {"identifiers": identifiers, **members})

    def order(self, *names, **members):
        """(its URL, its object)"""
        answer = self.probe.ok(self.new_order(*(names or [self.probe.name()]), **members), 201)
        return answer.get("Location"), parsed(answer)

    def challenge(self, order, kind="http-01", number=0):
        """(authorization URL, challenge object) of an order's name, or NotOffered."""
        url = order["authorizations"][number]
        for each in self.read(url)["challenges"]:
            if each["type"] == kind:
                return url, each
        raise NotOffered(f"no {kind} challenge")

    def until(self, url, *states):
        """The object once its status is none of these. Waits for states, never for times."""
        end = time.monotonic() + SECONDS
        while True:
            thing = self.read(url)
            if thing["status"] not in states:
                return thing
            self.probe.need(time.monotonic() < end, f"{url} is still {thing['status']}")
            time.sleep(0.02)

    def authorize(self, challenge):
        return f"{challenge['token']}.{self.key.thumbprint}"

    def attempt(self, order, number=0):
        """Posts the http-01 challenge and gives its object when it is decided; what the web server says is the row's business."""
        _, challenge = self.challenge(order, "http-01", number)
        self.probe.ok(self.post(challenge["url"], {}), 200)
        return self.until(challenge["url"], "pending", "processing")

    def prove(self, order):
        """All authorizations, by http-01."""
        for number, url in enumerate(order["authorizations"]):
            if self.read(url)["status"] == "valid":
                continue
            _, challenge = self.challenge(order, "http-01", number)
            self.probe.world.serve(challenge["token"], self.authorize(challenge))
            self.probe.ok(self.post(challenge["url"], {}), 200)
            authorization = self.until(url, "pending")
            self.probe.need(authorization["status"] == "valid", f"an authorization became {authorization['status']}: {authorization['challenges']}"[:200])

    def ready(self, *names, **members):
        url, order = self.order(*names, **members)
        self.prove(order)
        order = self.until(url, "pending")
        self.probe.need(order["status"] == "ready", f"the order became {order['status']}")
        return url, order

    def finalize(self, order, csr):
        """The answer; `csr` is DER."""
        return self.post(order["finalize"], {"csr": jose.b64(csr)})

    def fetched(self, order_url):
        """The chain (certificates, leaf first) of an order that is being finalized."""
        order = self.until(order_url, "processing", "ready")
        self.probe.need(order["status"] == "valid", f"the order became {order['status']}: {json.dumps(order.get('error'))}"[:200])
        answer = self.probe.ok(self.post(order["certificate"]), 200)
        chain = certificates(answer.body)
        self.probe.need(chain, "no certificate in the chain")
        self.probe.issued.append(chain[0])
        return chain

    def certify(self, *names, key=None, csr=None, **members):
        """The whole way: (order URL, chain, the certificate's key)."""
        key = key or jose.Key()
        names = names or (self.probe.name(),)
        url, order = self.ready(*names, **members)
        self.probe.ok(self.finalize(order, csr or csr_for(key, *names)), 200)
        return url, self.fetched(url), key

    def revoke(self, certificate, /, reason=None, **how):
        wish = {"certificate": jose.b64(certificate.public_bytes(serialization.Encoding.DER))}
        return self.post("revokeCert", wish if reason is None else {**wish, "reason": reason}, **how)

    def revoke_by_key(self, certificate, key, reason=None):
        """By whoever has that key."""
        finder = self.probe.client(self.endpoint, key=key)
        return finder.revoke(certificate, reason)


def certificates(pem):
    end = b"-----END CERTIFICATE-----\n"
    return [x509.load_pem_x509_certificate(part + end) for part in pem.split(end)[:-1]]
