"""Tenants, their applications, and what is known of their devices."""
import base64
import secrets
import uuid
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes

VALIDATION, REVOCATION = "ScepRequestValidationFEService", "PkiConnectorFEService"
SERVICES = {VALIDATION: "/RACerts/StatelessScepRequestValidationService", REVOCATION: "/RACerts/StatelessPkiConnectorService"}
# Permissions: Graph's for discovery, Intune's for the calls.
GRAPH_ROLE, INTUNE_ROLE = "Application.Read.All", "scep_challenge_provider"


@dataclass
class App:
    """One registration. A secret ends at its time; a certificate is DER."""

    client_id: str
    secrets: dict = field(default_factory=dict)  # text -> end, or None
    certificates: list = field(default_factory=list)
    graph_roles: list = field(default_factory=lambda: [GRAPH_ROLE])
    intune_roles: list = field(default_factory=lambda: [INTUNE_ROLE])
    used_ids: set = field(default_factory=set)   # jti of assertions

    def add_certificate(self, pem):
        self.certificates.append(x509.load_pem_x509_certificate(pem.encode()))

    def certificate_for(self, header):
        """The one that the header of an assertion names by its hash, or None."""
        for certificate in self.certificates:
            for name, algorithm in (("x5t#S256", hashes.SHA256()), ("x5t", hashes.SHA1())):
                thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).rstrip(b"=").decode()
                if header.get(name) == thumbprint:
                    return certificate
        return None


@dataclass
class Transaction:
    """What was said of one SCEP transaction."""

    csr: str
    code: str
    caller: str
    success: dict | None = None
    failure: dict | None = None


@dataclass
class Discovery:
    """How the list of endpoints is wrong; each is off."""

    absent: list = field(default_factory=list)     # names of services
    duplicates: dict = field(default_factory=dict)  # name -> URI of a second entry
    first: dict = field(default_factory=dict)      # name -> URI in place of the right one
    case: str | None = None                        # upper, lower
    page: int | None = None                        # entries a page, with @odata.nextLink
    next_link: str = "good"                        # loop, foreign
    slash: bool = False                            # URIs end in /
    http: bool = False                             # URIs begin with http:


@dataclass
class Tenant:
    id: str
    domain: str
    graph_resource: str = "https://graph.microsoft.com"
    intune_resource: str = "https://api.manage.microsoft.com/"
    token_lifetime: int = 3599
    apps: dict = field(default_factory=dict)
    services: dict = field(default_factory=dict)    # name -> GUID of its location
    moved: dict = field(default_factory=dict)       # GUID of a location that was -> the status it answers
    tokens_from: float = 0.0                        # what was issued before is refused
    tokens: dict = field(default_factory=dict)      # (client, scope) -> how many were issued
    discovery: Discovery = field(default_factory=Discovery)
    challenges: dict = field(default_factory=dict)  # request id -> {device, user, targeted}
    devices: set = field(default_factory=set)
    users: set = field(default_factory=set)
    transactions: dict = field(default_factory=dict)
    revocations: list = field(default_factory=list)
    results: list = field(default_factory=list)     # every upload that was recorded

    def add_app(self, secret=None, certificate=None):
        app = App(str(uuid.uuid4()))
        if certificate:
            app.add_certificate(certificate)
        else:
            app.secrets[secret or new_secret()] = None
        self.apps[app.client_id] = app
        return app


def new_secret():
    # Entra's secrets have ~, . and - in them.
    return f"8Q~{secrets.token_urlsafe(28)}.~x"


def new_tenant(identifier=None, domain=None, **resources):
    identifier = identifier or str(uuid.uuid4())
    tenant = Tenant(identifier, domain or f"t{identifier[:8]}.onmicrosoft.com", **resources)
    tenant.services = {name: str(uuid.uuid4()) for name in SERVICES}
    return tenant
