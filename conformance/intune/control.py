"""The control door: POST /METHOD with a JSON object of arguments, on a port of its own. Answers {"result": …} or {"error": text}.

Each public method of Control is one; IntuneStandIn (client.py) has the same ones for Python.
"""
import dataclasses
import inspect
import json
import uuid

from . import challenge, tenants
from .revocation import new_item
from .wire import Answer, Site


class Control:
    def __init__(self, world):
        self._world = world
        self.site = Site("control", self._serve, world)

    async def _serve(self, request):
        def over():
            pass
        method = getattr(self, request.path.strip("/"), None) if not request.path.startswith("/_") else None
        if request.method != "POST" or not inspect.ismethod(method):
            return Answer(404, {"error": f"no method {request.path}"}), {}, over
        try:
            result = method(**json.loads(request.body or b"{}"))
            result = await result if inspect.isawaitable(result) else result
        except (TypeError, ValueError, KeyError, AssertionError) as wrong:
            return Answer(400, {"error": f"{type(wrong).__name__}: {wrong}"}), {}, over
        return Answer(200, {"result": result}), {}, over

    # ---- tenants

    def _tenant(self, tenant):
        """By GUID or domain; the only one if None."""
        if tenant is None and len(self._world.tenants) == 1:
            return next(iter(self._world.tenants.values()))
        found = self._world.tenant_named(tenant)
        if found is None:
            raise KeyError(f"no tenant {tenant}")
        return found

    def _app(self, tenant, client_id):
        apps = self._tenant(tenant).apps
        return apps[client_id] if client_id else next(iter(apps.values()))

    def add_tenant(self, identifier=None, domain=None, certificate=None, **resources):
        made = tenants.new_tenant(identifier, domain, **resources)
        self._world.tenants[made.id] = made
        made.add_app(certificate=certificate)
        return self.tenant(made.id)

    def add_app(self, tenant=None, certificate=None):
        made = self._tenant(tenant).add_app(certificate=certificate)
        return {"client_id": made.client_id, "secret": next(iter(made.secrets), None)}

    def tenant(self, tenant=None):
        """What a client is configured with."""
        found, bases = self._tenant(tenant), self._world.bases
        app = next(iter(found.apps.values()))
        return {"id": found.id, "domain": found.domain, "client_id": app.client_id, "secret": next(iter(app.secrets), None),
                "authority": bases["entra"] + "/", "graph": bases["graph"] + "/", "graph_scope": found.graph_resource + "/.default",
                "intune_scope": found.intune_resource + "/.default", "tokens": found.tokens,
                "locations": {service: self._world.location(found, service) for service in tenants.SERVICES}}

    def rotate_secret(self, tenant=None, client_id=None, keep=None):
        """A new secret; the old ones end now, or after `keep` seconds."""
        app, end = self._app(tenant, client_id), self._world.clock.now() + (keep or 0)
        for secret in app.secrets:
            app.secrets[secret] = end
        made = tenants.new_secret()
        app.secrets[made] = None
        return made

    def forget_secret(self, secret, tenant=None, client_id=None):
        del self._app(tenant, client_id).secrets[secret]

    def add_certificate(self, certificate, tenant=None, client_id=None):
        self._app(tenant, client_id).add_certificate(certificate)

    def set_roles(self, graph=None, intune=None, tenant=None, client_id=None):
        app = self._app(tenant, client_id)
        app.graph_roles = app.graph_roles if graph is None else graph
        app.intune_roles = app.intune_roles if intune is None else intune

    def withdraw_tokens(self, tenant=None):
        """Every token until now answers 401."""
        self._tenant(tenant).tokens_from = self._world.clock.now()

    def set_token_lifetime(self, seconds, tenant=None):
        self._tenant(tenant).token_lifetime = seconds

    # ---- challenges and devices

    def mint_challenge(self, tenant=None, flaw=None, size=challenge.SIZE, targeted=True, known=True, known_device=True, known_user=True,
                       **content):
        """See challenge.new_content. `known…` False leaves out the record that the challenge points to."""
        owner = self._tenant(tenant)
        made = challenge.new_content(owner, self._world.clock.now(), **content)
        if known:
            owner.challenges[made["request"]] = {"device": made["device"], "user": made["user"], "targeted": targeted}
        if known_device:
            owner.devices.add(made["device"])
        if known_user:
            owner.users.add(made["user"])
        sealed = self._world.seal.close(made, flaw, size)
        self._world.confidential.add(sealed)
        return {"challenge": sealed, "request": made["request"], "device": made["device"], "user": made["user"]}

    def untarget(self, request, tenant=None):
        """The profile is no longer meant for the device of this challenge."""
        self._tenant(tenant).challenges[request]["targeted"] = False

    def transactions(self, tenant=None):
        """transactionID -> what was validated and told."""
        return {name: dataclasses.asdict(found) for name, found in self._tenant(tenant).transactions.items()}

    # ---- discovery

    def discovery(self, tenant=None, **how):
        """Replaces how the list is wrong; nothing named makes it right again. See tenants.Discovery."""
        self._tenant(tenant).discovery = tenants.Discovery(**how)

    async def move_endpoint(self, service=tenants.VALIDATION, old="refused", tenant=None):
        """The service is elsewhere; the old URI answers a status (404, 410 …), or is refused, stranger or misnamed (TLS).

        The last three move all of Intune to another port, for all tenants.
        """
        owner = self._tenant(tenant)
        if isinstance(old, int):
            owner.moved[owner.services[service]] = old
        elif old not in ("refused", "stranger", "misnamed"):
            raise ValueError(f"old is {old!r}")
        else:
            await self._world.move_site(old)
        owner.services[service] = str(uuid.uuid4())
        return self._world.location(owner, service)

    async def down(self, site):
        """Nobody answers at entra, graph or intune until `up`; connections are refused."""
        await self._world.reopen(site, None)

    async def up(self, site, certificate="good"):
        """Answers again, at the same port, with a certificate that is good, stranger (of another CA) or misnamed; or is mute."""
        if certificate not in ("good", "stranger", "misnamed", "mute"):
            raise ValueError(f"no certificate {certificate!r}")
        await self._world.reopen(site, certificate)

    def use_real_names(self, on=True):
        """Answers name login.microsoftonline.com and so on, which lead here by the proxy alone."""
        self._world.real_names = on
        self._world.name_bases()

    # ---- revocation

    def queue_revocation(self, serial=None, issuer=None, configuration=None, transaction=None, lower=False, times=1, tenant=None):
        """Either all of what Intune was told in the success of a transaction, or a serial number and an issuer.

        lower  the serial number in lower case
        times  how many items for the same certificate
        """
        owner = self._tenant(tenant)
        if transaction is not None:
            told = owner.transactions[transaction].success
            if told is None:
                raise ValueError(f"nothing was issued in {transaction}")
            serial, issuer, configuration = told["certificateSerialNumber"], told["issuingCertificateAuthority"], told["caConfiguration"]
        made = [new_item(serial.lower() if lower else serial, issuer, configuration) for _ in range(times)]
        owner.revocations += made
        return [item.context for item in made]

    def redeliver(self, context=None, tenant=None):
        """Items are downloaded again, though somebody has them, or is done with them."""
        for item in self._tenant(tenant).revocations:
            if context in (None, item.context):
                item.leased_until, item.result = 0.0, None

    def revocations(self, tenant=None):
        return [{**dataclasses.asdict(item), **item.shown()} for item in self._tenant(tenant).revocations]

    def results(self, tenant=None):
        return self._tenant(tenant).results

    # ---- scripts, journal, clock

    def script(self, call, behaviours, tenant=None, always=False):
        self._world.scripts.add(call, behaviours, self._tenant(tenant).id if tenant else None, always)

    def clear_scripts(self):
        self._world.scripts.clear()

    def scripts_left(self):
        return self._world.scripts.left()

    def release(self):
        """Lets go what is held."""
        self._world.release()

    def journal(self, call=None, tenant=None, after=0):
        return [entry.shown() for entry in self._world.journal.entries
                if entry.number > after and call in (None, entry.call) and tenant in (None, entry.tenant)]

    def clear_journal(self):
        self._world.journal.clear()

    def counters(self):
        """call -> how often it was asked, and how many at once at most."""
        journal = self._world.journal
        return {call: {"asked": count, "at_once": journal.at_once[call]} for call, count in journal.asked.items()}

    def confidential(self):
        """Every secret, assertion, token and challenge until now: what no log and no answer may contain."""
        secrets = {secret for tenant in self._world.tenants.values() for app in tenant.apps.values() for secret in app.secrets}
        return sorted(self._world.confidential | secrets)

    def move_clock(self, seconds):
        self._world.clock.offset += seconds
        return self._world.clock.now()

    def set_proxy(self, credentials=None):
        self._world.proxy.credentials = credentials

    def urls(self):
        return {**self._world.bases, "proxy": f"http://127.0.0.1:{self._world.proxy.port}", "ca": str(self._world.certificates.ca)}
