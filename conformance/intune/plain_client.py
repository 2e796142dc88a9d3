"""A client of Entra, Graph and Intune over sockets of the standard library: the stand-in's own tests ask with it.

It knows nothing of the stand-in's code. Every part of a request can be said otherwise.
"""
import base64
import hashlib
import http.client
import json
import ssl
import urllib.parse
import uuid
from types import SimpleNamespace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

SUFFIX = {"validate": ("ScepRequestValidationFEService", "ScepActions/validateRequest", "2018-02-20"),
          "success": ("ScepRequestValidationFEService", "ScepActions/successNotification", "2018-02-20"),
          "failure": ("ScepRequestValidationFEService", "ScepActions/failureNotification", "2018-02-20"),
          "download": ("PkiConnectorFEService", "CertificateAuthorityRequests/downloadRevocationRequests", "5019-05-05"),
          "upload": ("PkiConnectorFEService", "CertificateAuthorityRequests/uploadRevocationResults", "5019-05-05")}
CALLER = "Postern conformance 1"


def b64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def assertion(key, certificate, client_id, audience, now, alg="PS256", header=None, **claims):
    """A client assertion; `header` and `claims` replace parts of it, None leaves one out."""
    name, algorithm = ("x5t#S256", hashes.SHA256()) if alg == "PS256" else ("x5t", hashes.SHA1())
    head = {"alg": alg, "typ": "JWT", name: b64url(certificate.fingerprint(algorithm)), **(header or {})}
    body = {"aud": audience, "iss": client_id, "sub": client_id, "jti": str(uuid.uuid4()), "nbf": int(now), "iat": int(now),
            "exp": int(now) + 300, **claims}
    data = ".".join(b64url(json.dumps({k: v for k, v in each.items() if v is not None}).encode()) for each in (head, body))
    how = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if alg == "PS256" else padding.PKCS1v15()
    return f"{data}.{b64url(key.sign(data.encode(), how, hashes.SHA256()))}"


class Client:
    """One application in one tenant. `proxy` is (host, port, user:password or None)."""

    def __init__(self, configured, ca, proxy=None):
        self.tenant = configured
        self.context = ssl.create_default_context(cafile=ca)
        self.proxy, self.timeout = proxy, 10
        self.tokens = {}

    def connect(self, url, tls=True):
        parts = urllib.parse.urlsplit(url)
        port = parts.port or 443
        if not self.proxy:
            return http.client.HTTPSConnection(parts.hostname, port, timeout=self.timeout, context=self.context)
        made = http.client.HTTPSConnection(*self.proxy[:2], timeout=self.timeout, context=self.context)
        credentials = self.proxy[2]
        basic = "Basic " + base64.b64encode((credentials or "").encode()).decode()
        made.set_tunnel(parts.hostname, port, {"Proxy-Authorization": basic} if credentials else {})
        return made

    def exchange(self, connection, method, target, body=None, headers=()):
        """One request on a connection that stays open. `headers` is a list: doubled ones are possible."""
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None and not any(name.lower() == "transfer-encoding" for name, _ in headers):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        octets = answer.read()
        try:
            parsed = json.loads(octets)
        except ValueError:
            parsed = None
        return SimpleNamespace(status=answer.status, headers=answer.headers, body=octets, json=parsed)

    def send(self, method, url, body=None, headers=()):
        connection = self.connect(url)
        try:
            parts = urllib.parse.urlsplit(url)
            return self.exchange(connection, method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        finally:
            connection.close()

    # ---- Entra

    def token_url(self):
        return f"{self.tenant['authority']}{self.tenant['id']}/oauth2/v2.0/token"

    def form(self, scope="intune_scope", **changed):
        """The form of a token request; None leaves a field out."""
        fields = {"grant_type": "client_credentials", "client_id": self.tenant["client_id"], "scope": self.tenant.get(scope, scope)}
        if not {"client_secret", "client_assertion"} & set(changed):
            fields["client_secret"] = self.tenant["secret"]
        return urllib.parse.urlencode({k: v for k, v in {**fields, **changed}.items() if v is not None}).encode()

    def ask_token(self, scope="intune_scope", url=None, method="POST", content_type="application/x-www-form-urlencoded", body=None, **changed):
        body = self.form(scope, **changed) if body is None else body
        return self.send(method, url or self.token_url(), body, [("Content-Type", content_type), ("User-Agent", CALLER)])

    def token(self, scope="intune_scope"):
        if scope not in self.tokens:
            answer = self.ask_token(scope)
            assert answer.status == 200, answer.body
            self.tokens[scope] = answer.json["access_token"]
        return self.tokens[scope]

    # ---- Graph and Intune

    def headers(self, scope, api_version=None, **changed):
        """A list of headers; what is named in `changed` is replaced (a list: several times; None: not at all)."""
        each = {"Authorization": None if "Authorization" in changed else f"Bearer {self.token(scope)}", "client-request-id": str(uuid.uuid4()),
                "User-Agent": CALLER, "Content-Type": "application/json", "api-version": api_version}
        each.update({name.replace("_", "-") if name != "Authorization" else name: value for name, value in changed.items()})
        return [(name, one) for name, value in each.items() if value is not None for one in (value if isinstance(value, list) else [value])]

    def endpoints_url(self):
        return self.tenant["graph"] + "v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints"

    def ask_endpoints(self, url=None, method="GET", **changed):
        return self.send(method, url or self.endpoints_url(), None, self.headers("graph_scope", **{"Content_Type": None, **changed}))

    def discover(self):
        """Lower-cased name -> URI, the first of each; follows pages."""
        found, url = {}, self.endpoints_url()
        for _ in range(10):
            answer = self.ask_endpoints(url)
            assert answer.status == 200, answer.body
            for endpoint in answer.json["value"]:
                found.setdefault(endpoint["providerName"].lower(), endpoint["uri"])
            url = answer.json.get("@odata.nextLink")
            if url is None:
                return found
        raise AssertionError("pages without end")

    def post(self, call, body, url=None, method="POST", **changed):
        """One call of Intune; `body` is octets or something for JSON."""
        service, suffix, version = SUFFIX[call]
        url = url or f"{self.discover()[service.lower()]}/{suffix}"
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        changed = {"api_version": version, **changed}
        return self.send(method, url, octets, self.headers("intune_scope", **changed))

    # ---- bodies

    @staticmethod
    def validation(csr, transaction="T1", **changed):
        return {"request": {"transactionId": transaction, "certificateRequest": base64.b64encode(csr).decode(), "callerInfo": CALLER, **changed}}

    @staticmethod
    def success(csr, certificate, transaction="T1", **changed):
        told = {"transactionId": transaction, "certificateRequest": base64.b64encode(csr).decode(),
                "certificateThumbprint": hashlib.sha1(certificate.public_bytes(Encoding.DER)).hexdigest().upper(),
                "certificateSerialNumber": f"{certificate.serial_number:X}",
                "certificateExpirationDateUtc": certificate.not_valid_after.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "issuingCertificateAuthority": certificate.issuer.rfc4514_string(), "callerInfo": CALLER, "caConfiguration": "issuer-1",
                "certificateAuthority": "issuer-1", **changed}
        return {"notification": {k: v for k, v in told.items() if v is not Ellipsis}}

    @staticmethod
    def failure(csr, transaction="T1", **changed):
        told = {"transactionId": transaction, "certificateRequest": base64.b64encode(csr).decode(), "hResult": -2147418113,
                "errorDescription": "the CA refused", "callerInfo": CALLER, **changed}
        return {"notification": {k: v for k, v in told.items() if v is not Ellipsis}}
