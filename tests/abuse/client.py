"""An ACME client that can do everything right, and each thing wrong (RFC 8555)."""
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from harness import jose
from harness.jose import DROP, Key
from octets import Ended, request, until


def csr_der(key, names, subject=(), extensions=()):
    """A CSR of a jose.Key. `subject` are (OID, text); `extensions` (value, critical) beside the names."""
    builder = x509.CertificateSigningRequestBuilder()
    builder = builder.subject_name(x509.Name([x509.NameAttribute(*part) for part in subject]))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    digest = None if isinstance(key.private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key.private, digest).public_bytes(serialization.Encoding.DER)


class Acme:
    """One client at one endpoint. `site` opens connections and says where things are."""

    def __init__(self, site, endpoint="default", kind="P-256", key=None):
        self.site = site
        self.endpoint = endpoint
        self.key = key or Key(kind)
        self.kid = None
        self.base = f"{site.https}/acme/{endpoint}/"
        self._connection = None
        self._nonce = None

    def url(self, path):
        return path if path.startswith("https://") else self.base + path

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def _exchange(self, octets, head_only=False):
        """On the kept connection, or a fresh one where the server ended it."""
        if self._connection is None:
            self._connection = self.site.connect()
        try:
            answer = self._connection.ask(octets, head_only=head_only)
        except (Ended, OSError):
            self.close()
            raise
        if answer.header("Connection") == "close":
            self.close()
        return answer

    def get(self, path, method="GET", *headers):
        target = self.url(path).removeprefix(self.site.https)
        return self._exchange(request(method, target, *headers, host=self.site.host), method == "HEAD")

    def nonce(self):
        if self._nonce is None:
            self._nonce = self.get("new-nonce", "HEAD").nonce
        taken, self._nonce = self._nonce, None
        return taken

    def header(self, url, /, **overrides):
        """The protected header that is right for `url`, with members replaced, added or dropped."""
        by_key = self.kid is None or url == self.url("new-account")
        header = {"alg": self.key.alg, "url": url, **({"jwk": self.key.jwk} if by_key else {"kid": self.kid})}
        if "nonce" not in overrides:
            header["nonce"] = self.nonce()
        header.update(overrides)
        return {k: v for k, v in header.items() if v is not DROP}

    def message(self, path, payload, /, sign=None, header=None, members=None, **overrides):
        """The body of a POST. `header` replaces the whole protected header; `overrides` members of it."""
        protected = self.header(self.url(path), **overrides) if header is None else header
        return jose.flattened(protected, payload, sign or self.key.sign, **(members or {}))

    def send(self, path, body, *headers, content_type="application/jose+json", target=None):
        """Posts octets as they are."""
        target = target or self.url(path).removeprefix(self.site.https)
        answer = self._exchange(request("POST", target, f"Content-Type: {content_type}", *headers,
                                        host=self.site.host, body=body))
        if answer.nonce:
            self._nonce = answer.nonce
        return answer

    def post(self, path, payload="", /, **how):
        """A signed POST; without a payload POST-as-GET. `how` as `message` takes it."""
        return self.send(path, self.message(path, payload, **how))

    # ---- the right way --------------------------------------------------------------------------

    def register(self, eab=None, **payload):
        """An account; gives self. `eab` is (key id, MAC key)."""
        if eab:
            payload["externalAccountBinding"] = jose.binding(*eab, self.url("new-account"), self.key)
        answer = self.post("new-account", payload)
        assert answer.status in (200, 201), answer
        self.kid = answer.header("Location")
        return self

    def order(self, *names, **members):
        """A new order of DNS names: (its URL, its object)."""
        answer = self.post("new-order", {"identifiers": [{"type": "dns", "value": n} for n in names], **members})
        assert answer.status == 201, answer
        return answer.header("Location"), answer.json

    def read(self, url):
        answer = self.post(url)
        assert answer.status == 200, answer
        return answer.json

    def prove(self, order):
        """Validates all authorizations of an order object by http-01 against the site's own web server."""
        for url in order["authorizations"]:
            challenge = self.read(url)["challenges"][0]
            self.site.web.serve(challenge["token"], f"{challenge['token']}.{self.key.thumbprint}")
            answer = self.post(challenge["url"], {})
            assert answer.status == 200, answer
            until(lambda: self.read(url)["status"] != "pending", "the authorization is still pending")
            assert self.read(url)["status"] == "valid"

    def ready_order(self, *names, **members):
        url, order = self.order(*names, **members)
        self.prove(order)
        return url, order

    def finalize(self, order, csr):
        return self.post(order["finalize"], {"csr": jose.b64(csr)})

    def certify(self, *names, key=None):
        """The whole way: (order URL, certificate URL, PEM chain)."""
        url, order = self.ready_order(*names)
        answer = self.finalize(order, csr_der(key or Key(), names))
        assert answer.status == 200 and answer.json["status"] == "valid", answer
        where = answer.json["certificate"]
        chain = self.post(where)
        assert chain.status == 200, chain
        return url, where, chain.body
