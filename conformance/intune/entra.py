"""Entra ID: the token endpoint, version 2, client credentials."""
import urllib.parse
import uuid
from datetime import datetime, timezone

from . import jws
from .journal import GUID
from .wire import Answer

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MAX_ASSERTION_LIFE, _SKEW = 600, 300


class Refused(Exception):
    """An OAuth error with Microsoft's number."""

    def __init__(self, status, error, number, text):
        super().__init__(text)
        self.status, self.error, self.number = status, error, number


class Entra:
    def __init__(self, world):
        self._world = world

    def tenant_of(self, request):
        name = urllib.parse.unquote(request.path.strip("/").partition("/")[0]).lower()
        return self._world.tenant_named(name)

    def answer(self, entry, tenant):
        try:
            return Answer(200, self._token(entry, tenant), [["Cache-Control", "no-store, no-cache"], ["Pragma", "no-cache"]])
        except Refused as refused:
            entry.code = f"AADSTS{refused.number}"
            entry.blame(f"{entry.code}: {refused}")
            now = datetime.fromtimestamp(self._world.clock.now(), timezone.utc)
            return Answer(refused.status, {
                "error": refused.error, "error_description": f"{entry.code}: {refused}. Trace ID: {uuid.uuid4()}",
                "error_codes": [refused.number], "timestamp": now.strftime("%Y-%m-%d %H:%M:%SZ"), "trace_id": str(uuid.uuid4()),
                "correlation_id": entry.request.header("client-request-id") or str(uuid.uuid4()),
                "error_uri": f"https://login.microsoftonline.com/error?code={refused.number}"})

    def _form(self, entry):
        if entry.request.method != "POST":
            raise Refused(400, "invalid_request", 900561, "The endpoint only accepts POST requests")
        content_type = (entry.request.header("content-type") or "").partition(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            raise Refused(400, "invalid_request", 900144, f"The Content-Type is {content_type or 'absent'}, not a form")
        try:
            pairs = urllib.parse.parse_qsl(entry.request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        except ValueError as wrong:
            raise Refused(400, "invalid_request", 900144, f"The body is no form: {wrong}") from wrong
        form = dict(pairs)
        if len(form) != len(pairs):
            raise Refused(400, "invalid_request", 9000410, "A parameter is there twice")
        entry.fields = form
        return form

    def _token(self, entry, tenant):
        form = self._form(entry)
        if tenant is None:
            raise Refused(400, "invalid_request", 90002, "Tenant not found. Check to make sure you have the correct tenant ID")
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                raise Refused(400, "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'")
        if form["grant_type"] != "client_credentials":
            raise Refused(400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{form['grant_type']}'")
        app = tenant.apps.get(form["client_id"].lower())
        if app is None:
            raise Refused(400, "unauthorized_client", 700016, f"Application with identifier '{form['client_id']}' was not found in the directory")
        unknown = set(form) - {"grant_type", "client_id", "scope", "client_secret", "client_assertion", "client_assertion_type"}
        if unknown:
            entry.blame(f"unknown parameters {', '.join(sorted(unknown))}")
        self._authenticate(form, app, tenant)
        audience, roles = self._resource(entry, form["scope"], tenant, app)
        key = f"{app.client_id} {form['scope']}"
        tenant.tokens[key] = tenant.tokens.get(key, 0) + 1
        now = self._world.clock.now()
        claims = {"aud": audience, "iss": f"https://sts.windows.net/{tenant.id}/", "iat": int(now), "nbf": int(now),
                  "exp": int(now) + tenant.token_lifetime, "appid": app.client_id, "tid": tenant.id, "roles": roles, "ver": "1.0",
                  "made": now, "uti": uuid.uuid4().hex}
        token = jws.sign(self._world.token_key, {"typ": "JWT", "alg": "RS256", "kid": "standin"}, claims)
        self._world.confidential.add(token)
        return {"token_type": "Bearer", "expires_in": tenant.token_lifetime, "ext_expires_in": tenant.token_lifetime, "access_token": token}

    def _resource(self, entry, scope, tenant, app):
        """(audience, roles): the scope is the resource and `/.default`, so that a resource that ends in / has two."""
        if not scope.endswith("/.default"):
            raise Refused(400, "invalid_scope", 1002012, f"The provided value for scope {scope} is not valid. Client credential flows must have "
                          "a scope value with /.default suffixed to the resource identifier")
        resource = scope.removesuffix("/.default")
        if resource == tenant.graph_resource:
            return resource, app.graph_roles
        if resource == tenant.intune_resource:
            return resource, app.intune_roles
        if resource == tenant.intune_resource.rstrip("/"):
            # Entra issues it, and Intune does not take it.
            entry.blame(f"scope {scope} has one slash before .default, not two")
            return resource, app.intune_roles
        raise Refused(400, "invalid_resource", 500011, f"The resource principal named {resource} was not found in the tenant")

    # ---- credentials

    def _authenticate(self, form, app, tenant):
        given = {"client_secret", "client_assertion"} & set(form)
        if len(given) != 1:
            raise Refused(401, "invalid_client", 7000218, "The request body must contain either 'client_assertion' or 'client_secret'")
        if given == {"client_secret"}:
            end = app.secrets.get(form["client_secret"], 0)
            if form["client_secret"] not in app.secrets:
                raise Refused(401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the "
                              "client secret value, not the client secret ID")
            if end is not None and end <= self._world.clock.now():
                raise Refused(401, "invalid_client", 7000222, "The provided client secret keys are expired")
            return
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise Refused(400, "invalid_request", 900144, f"client_assertion_type is {form.get('client_assertion_type')}")
        try:
            self._check_assertion(form["client_assertion"], app, tenant)
        except jws.BadToken as wrong:
            raise Refused(401, "invalid_client", 50027, f"JWT token is invalid or malformed: {wrong}") from wrong

    def _check_assertion(self, token, app, tenant):
        self._world.confidential.add(token)
        header, _ = jws.read(token)
        # Today's form, and the older one; never mixed.
        forms = {("PS256", "x5t#S256"), ("RS256", "x5t")}
        named = {(header.get("alg"), name) for name in ("x5t#S256", "x5t") if name in header}
        if len(named) != 1 or not named <= forms:
            others = ", ".join(sorted(set(header) - {"alg", "typ"}))
            raise Refused(401, "invalid_client", 700027, f"alg {header.get('alg')} with {others or 'no thumbprint'}")
        if header.get("typ", "JWT") != "JWT":
            raise Refused(401, "invalid_client", 50027, f"typ {header['typ']}")
        certificate = app.certificate_for(header)
        if certificate is None:
            raise Refused(401, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not "
                          "registered on application")
        try:
            claims = jws.verify(token, certificate.public_key(), (header["alg"],))
        except jws.BadToken as wrong:
            raise Refused(401, "invalid_client", 700027, f"Client assertion failed signature validation: {wrong}") from wrong
        self._check_claims(claims, app, tenant)

    def _check_claims(self, claims, app, tenant):
        now = self._world.clock.now()
        wanted = {"aud", "iss", "sub", "jti", "nbf", "exp"}
        if not wanted <= set(claims):
            raise Refused(401, "invalid_client", 50027, f"Claims are missing: {', '.join(sorted(wanted - set(claims)))}")
        path = f"/{tenant.id}/oauth2/v2.0/token", f"/{tenant.domain}/oauth2/v2.0/token"
        if claims["aud"] not in {base + each for base in self._world.entra_bases() for each in path}:
            raise Refused(401, "invalid_client", 700023, f"Client assertion audience claim does not match Realm issuer: {claims['aud']}")
        if claims["iss"] != app.client_id or claims["sub"] != app.client_id:
            raise Refused(401, "invalid_client", 700021, "Client assertion application identifier doesn't match 'client_id' parameter")
        if not GUID.fullmatch(str(claims["jti"])) or claims["jti"] in app.used_ids:
            raise Refused(401, "invalid_client", 50027, "jti is no GUID, or was used before")
        times = [claims["nbf"], claims["exp"], claims.get("iat", claims["nbf"])]
        if any(type(t) is not int for t in times):
            raise Refused(401, "invalid_client", 50027, "nbf, exp or iat is no number")
        if not claims["nbf"] - _SKEW <= now < claims["exp"] + _SKEW:
            raise Refused(401, "invalid_client", 700024, "Client assertion is not within its valid time range")
        if claims["exp"] - claims["nbf"] > _MAX_ASSERTION_LIFE + _SKEW:
            raise Refused(401, "invalid_client", 700024, "Client assertion lives longer than 10 minutes")
        app.used_ids.add(claims["jti"])
