"""Everything that the stand-in is at one moment: its clock, its listeners, its tenants, its scripts."""
import asyncio
import re
import time
from collections import deque

from cryptography.hazmat.primitives.asymmetric import rsa

from . import jws, tenants
from .challenge import Seal
from .entra import Entra
from .graph import Graph, error
from .journal import Journal
from .proxy import Proxy
from .revocation import API_VERSION as REVOCATION_VERSION, Revocation
from .tls import ENTRA_HOSTS, GRAPH_HOSTS, INTUNE_HOSTS, Certificates
from .validation import API_VERSION as VALIDATION_VERSION, Validation
from .wire import Answer, Site

# call -> the service that it belongs to, and what follows its URI
INTUNE_CALLS = {"validate": (tenants.VALIDATION, "ScepActions/validateRequest"),
                "success": (tenants.VALIDATION, "ScepActions/successNotification"),
                "failure": (tenants.VALIDATION, "ScepActions/failureNotification"),
                "download": (tenants.REVOCATION, "CertificateAuthorityRequests/downloadRevocationRequests"),
                "upload": (tenants.REVOCATION, "CertificateAuthorityRequests/uploadRevocationResults")}
_VERSIONS = {call: VALIDATION_VERSION if service == tenants.VALIDATION else REVOCATION_VERSION
             for call, (service, _) in INTUNE_CALLS.items()}
CALLS = ("token", "endpoints", *INTUNE_CALLS, "proxy")
_LOCATION = re.compile(r"(/RACerts/\w+)/([0-9a-f-]{36})/(.*)")


class Clock:
    """The real one, and how far tests moved it."""

    def __init__(self):
        self.offset = 0.0

    def now(self):
        return time.time() + self.offset


class Scripts:
    """What the next calls do. A tenant's own script goes before everybody's."""

    def __init__(self):
        self._queues = {}

    def add(self, call, behaviours, tenant, always):
        if call not in CALLS:
            raise ValueError(f"no call {call!r}; there are: {', '.join(CALLS)}")
        self._queues.setdefault((call, tenant), deque()).extend([behaviour, always] for behaviour in behaviours)

    def take(self, call, tenant):
        for key in ((call, tenant), (call, None)):
            queue = self._queues.get(key)
            if queue:
                behaviour, always = queue[0]
                if not always or len(queue) > 1:
                    queue.popleft()
                return behaviour
        return {}

    def clear(self):
        self._queues.clear()

    def left(self):
        """How many behaviours nobody met yet."""
        return {f"{call} {tenant or '*'}": sum(not always for _, always in queue) for (call, tenant), queue in self._queues.items() if queue}


def _hidden(behaviour):
    """Whether a client cannot read the code that was decided, or should not: too long, or compressed though nobody asked."""
    return bool({"json", "body", "status", "cut_body", "end_after", "fill"} & set(behaviour) or behaviour.get("encode") == "gzip"
                or "code" in behaviour.get("set", {}) or "code" in behaviour.get("remove", []))


class World:
    def __init__(self, folder, host="localhost"):
        self.clock, self.scripts, self.seal = Clock(), Scripts(), Seal()
        self.journal = Journal(self.clock)
        self.certificates = Certificates(folder)
        self.token_key = rsa.generate_private_key(65537, 2048)
        self.tenants, self.host = {}, host
        self.confidential = set()  # tokens and challenges that were given out: nobody's log has them
        self.entra, self.graph = Entra(self), Graph(self)
        self._validation = validation = Validation(self)
        revocation = Revocation(self)
        self._intune = {"validate": validation.validate, "success": validation.success, "failure": validation.failure,
                        "download": revocation.download, "upload": revocation.upload}
        good = self.certificates.good
        self.sites = {"entra": Site("entra", self._serve_entra, self, good), "graph": Site("graph", self._serve_graph, self, good),
                      "intune": Site("intune", self._serve_intune, self, good),
                      # Nothing that knows whom to trust ever comes here.
                      "trap": Site("trap", self._serve_trap, self, good, "127.0.0.2")}
        self.left_behind = []  # sites that moved away
        self.proxy = Proxy(self)
        self.bases, self.faults = {}, 0
        self.real_names = False
        self._release = asyncio.Event()

    async def open(self):
        for site in self.sites.values():
            await site.open()
        await self.proxy.open()
        self.name_bases()

    async def close(self):
        for site in [*self.sites.values(), *self.left_behind]:
            await site.close()
        await self.proxy.close()

    def name_bases(self):
        """The URLs that answers name: with ports of this machine, or as Microsoft's, which only the proxy resolves."""
        self.bases = {name: f"https://{self.host}:{site.port}" for name, site in self.sites.items()}
        self.bases["trap"] = f"https://127.0.0.2:{self.sites['trap'].port}"
        if self.real_names:
            self.bases.update(entra=f"https://{ENTRA_HOSTS[0]}", graph=f"https://{GRAPH_HOSTS[0]}", intune=f"https://{INTUNE_HOSTS[0]}")

    def entra_bases(self):
        """Every way to write the base of the token endpoint: an assertion's audience is one of them."""
        port = self.sites["entra"].port
        return {f"https://{host}" for host in ENTRA_HOSTS} | {f"https://{host}:{port}" for host in ("localhost", "127.0.0.1", self.host)}

    def tenant_named(self, name):
        for tenant in self.tenants.values():
            if name in (tenant.id, tenant.domain):
                return tenant
        return None

    def location(self, tenant, service):
        return f"{self.bases['intune']}{tenants.SERVICES[service]}/{tenant.services[service]}"

    def released(self):
        """A coroutine that lasts until the next `release`."""
        return self._release.wait()

    def release(self):
        self._release.set()
        self._release = asyncio.Event()

    # ---- who asks

    def bearer(self, request, tenant, resource_of):
        """(claims, None), or (None, why the token is no good)."""
        given = request.all("authorization")
        if len(given) != 1 or not given[0].startswith("Bearer "):
            return None, "no bearer token"
        try:
            claims = jws.verify(given[0].removeprefix("Bearer "), self.token_key.public_key(), ("RS256",))
        except jws.BadToken as wrong:
            return None, f"the token is none: {wrong}"
        if not claims["nbf"] <= self.clock.now() + 1 or self.clock.now() >= claims["exp"]:
            return None, "the token is expired"
        if claims["made"] < tenant.tokens_from:
            return None, "the token was withdrawn"
        if claims["aud"] != resource_of(tenant):
            return None, f"the token is for {claims['aud']}, not {resource_of(tenant)}"
        return claims, None

    def _tenant_of_token(self, request):
        try:
            return self.tenants.get(jws.read((request.header("authorization") or "").removeprefix("Bearer "))[1].get("tid"))
        except jws.BadToken:
            return None

    # ---- what is asked

    def _serve(self, request, call, tenant, answer):
        """Journal, script, call; the connection itself is wire.py's."""
        entry = self.journal.enter(request, call)
        entry.tenant = tenant.id if tenant else None
        entry.behaviour = behaviour = self.scripts.take(call, entry.tenant)
        if behaviour.get("carried_out", True):
            answered = answer(entry, tenant)
        else:
            answered = Answer(200, {})
            if call in INTUNE_CALLS or call == "endpoints":
                self.journal.check_common(entry, _VERSIONS.get(call))
        entry.status = behaviour.get("status", answered.status)
        if "code" in behaviour.get("set", {}) or "code" in behaviour.get("json", {}):
            entry.code = {**behaviour.get("json", {}), **behaviour.get("set", {})}["code"]
        if call == "validate" and tenant and _hidden(behaviour):
            self._validation.unheard(entry, tenant)
        return answered, behaviour, lambda: self.journal.leave(call)

    async def _serve_entra(self, request):
        found = re.fullmatch(r"/[^/]+/oauth2/v2\.0/token", request.target)
        tenant = self.entra.tenant_of(request)
        return self._serve(request, "token", tenant, self.entra.answer if found else self._nothing_here)

    async def _serve_graph(self, request):
        return self._serve(request, "endpoints", self._tenant_of_token(request), self.graph.answer)

    async def _serve_intune(self, request):
        found = _LOCATION.fullmatch(request.path)
        call = next((call for call, (_, suffix) in INTUNE_CALLS.items() if found and found[3] == suffix), "unknown")
        return self._serve(request, call, self._tenant_of_token(request), lambda entry, tenant: self._intune_call(entry, tenant, found))

    async def _serve_trap(self, request):
        def caught(entry, _):
            entry.blame("a request to a foreign host", *(["with a bearer token"] if request.all("authorization") else []))
            return Answer(200, {"code": "Success", "errorDescription": "", "value": []})
        return self._serve(request, "trap", self._tenant_of_token(request), caught)

    def _nothing_here(self, entry, _):
        entry.blame(f"no such path: {entry.request.method} {entry.request.target}")
        return error(404, "NotFound", "There is nothing here.")

    def _intune_call(self, entry, tenant, found):
        if entry.call == "unknown":
            return self._nothing_here(entry, tenant)
        claims, why = self.bearer(entry.request, tenant, lambda t: t.intune_resource)
        if claims is None:
            entry.blame(why)
            answer = error(401, "Unauthorized", why)
            answer.headers.append(["WWW-Authenticate", f'Bearer error="invalid_token", error_description="{why}"'])
            return answer
        service, _ = INTUNE_CALLS[entry.call]
        if found[2] in tenant.moved:
            # Whoever discovers anew is right: nothing to blame.
            return error(tenant.moved[found[2]], "Gone", "The service is elsewhere.")
        if found[1] != tenants.SERVICES[service] or found[2] != tenant.services[service]:
            return self._nothing_here(entry, tenant)
        if entry.request.method != "POST" or entry.request.query:
            entry.blame(f"{entry.request.method} with query {entry.request.query!r}, not POST")
            return error(405, "MethodNotAllowed", "POST it.")
        self.journal.check_common(entry, _VERSIONS[entry.call])
        if tenants.INTUNE_ROLE not in claims["roles"]:
            entry.blame(f"the application lacks {tenants.INTUNE_ROLE}")
            return error(403, "Forbidden", "The application is not authorized to perform this operation.")
        return self._intune[entry.call](entry, tenant)

    # ---- the services move, and are away

    async def reopen(self, name, certificate):
        """The site of this name answers with another certificate, or nobody does if None; `mute` takes connections only."""
        site = self.sites[name]
        await site.close()
        if certificate is None:
            return
        site.mute = certificate == "mute"
        if not site.mute:
            site.context = getattr(self.certificates, certificate)
        await site.open()

    async def move_site(self, old):
        """Intune answers at another port from now on; `old` says what the old one does: refused, stranger, misnamed."""
        before = self.sites["intune"]
        await before.close()
        self.sites["intune"] = Site("intune", self._serve_intune, self, self.certificates.good)
        await self.sites["intune"].open()
        if old != "refused":
            before.context = {"stranger": self.certificates.stranger, "misnamed": self.certificates.misnamed}[old]
            await before.open()
        self.left_behind.append(before)
        self.name_bases()
