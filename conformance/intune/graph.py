"""Microsoft Graph: the list of Intune's endpoints, which is all that is asked of it."""
import re
import uuid

from .tenants import GRAPH_ROLE, REVOCATION, VALIDATION
from .wire import Answer

INTUNE_APP = "0000000a-0000-0000-c000-000000000000"
_PATH = re.compile(r"/v1\.0/servicePrincipals(?:/appId=([^/()]+)|\(appId='([^']+)'\))/endpoints")


def error(status, code, message):
    return Answer(status, {"error": {"code": code, "message": message, "innerError": {"request-id": str(uuid.uuid4())}}})


class Graph:
    def __init__(self, world):
        self._world = world

    def answer(self, entry, tenant):
        request = entry.request
        claims, why = self._world.bearer(request, tenant, lambda t: t.graph_resource)
        if claims is None:
            entry.blame(why)
            return error(401, "InvalidAuthenticationToken", why)
        found = _PATH.fullmatch(request.path)
        if request.method != "GET" or not found:
            entry.blame(f"no such resource: {request.method} {request.path}")
            return error(404, "ResourceNotFound", "Resource not found for the segment")
        if (found[1] or found[2]) != INTUNE_APP:
            entry.blame(f"no such application: {found[1] or found[2]}")
            return error(404, "Request_ResourceNotFound", "Resource does not exist")
        self._world.journal.check_common(entry)
        if entry.request.body:
            entry.blame("a body in a GET")
        if GRAPH_ROLE not in claims["roles"]:
            entry.blame(f"the application lacks {GRAPH_ROLE}")
            return error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        return self._page(entry, tenant)

    def _uri(self, tenant, service):
        uri = tenant.discovery.first.get(service) or self._world.location(tenant, service)
        if tenant.discovery.http:
            uri = uri.replace("https:", "http:", 1)
        return uri + ("/" if tenant.discovery.slash else "")

    def _endpoints(self, tenant):
        how = tenant.discovery
        listed = [("DeviceEnrollmentFEService", "https://fef.standin.manage.microsoft.com/DeviceEnrollment")]
        listed += [(service, self._uri(tenant, service)) for service in (VALIDATION, REVOCATION) if service not in how.absent]
        listed += list(how.duplicates.items())
        listed.append(("StoreAppsFEService", "https://fef.standin.manage.microsoft.com/StoreApps"))
        case = {"upper": str.upper, "lower": str.lower}.get(how.case, str)
        return [{"id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{tenant.id} {i}")), "deletedDateTime": None, "capability": case(name),
                 "providerId": INTUNE_APP, "providerName": case(name), "uri": uri, "providerResourceId": case(name)}
                for i, (name, uri) in enumerate(listed)]

    def _page(self, entry, tenant):
        listed, how = self._endpoints(tenant), tenant.discovery
        base = self._world.bases["graph"]
        answer = {"@odata.context": f"{base}/v1.0/$metadata#servicePrincipals('{INTUNE_APP}')/endpoints"}
        token = re.fullmatch(r"\$skiptoken=(\d+)", entry.request.query)
        if entry.request.query and not token:
            entry.blame(f"an unknown query: {entry.request.query}")
            return error(400, "BadRequest", "unknown query")
        begin = int(token[1]) if token else 0
        size = how.page or len(listed)
        if begin + size < len(listed):
            target = entry.request.path + f"?$skiptoken={0 if how.next_link == 'loop' else begin + size}"
            answer["@odata.nextLink"] = (self._world.bases["trap"] if how.next_link == "foreign" else base) + target
        answer["value"] = listed[begin:begin + size]
        return Answer(200, answer)
