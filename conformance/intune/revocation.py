"""PkiConnectorFEService: what Intune wants revoked, and what became of it."""
import uuid
from dataclasses import dataclass

from .journal import check_keys, json_body
from .wire import Answer

API_VERSION = "5019-05-05"  # so spelled
CODES = {"None": 0, "NonRetryableServiceException": 4000, "DataSerializationError": 4001, "ParameterDataInvalidError": 4002,
         "CryptographyError": 4003, "CertificateNotFoundError": 4004, "ConflictError": 4005, "NotSupportedError": 4006,
         "PayloadTooLargeError": 4007, "RetryableServiceException": 4100, "ServiceUnavailableException": 4101,
         "ServiceTooBusyException": 4102, "AuthenticationException": 4103}
_MAX = 500
_NAMES = {**{name: name for name in CODES}, **{str(number): name for name, number in CODES.items()}}
# How long an item is with whoever downloaded it before others get it too [R].
LEASE = 1800


@dataclass
class Item:
    """One certificate that is to be revoked. `result` is what was uploaded; a retryable error leaves the item in the queue."""

    context: str
    serial: str
    issuer: str
    configuration: str | None
    leased_until: float = 0.0
    delivered: int = 0
    result: dict | None = None

    def shown(self):
        return {"requestContext": self.context, "serialNumber": self.serial, "issuerName": self.issuer, "caConfiguration": self.configuration}


def new_item(serial, issuer, configuration=None):
    return Item(f"{uuid.uuid4()}|{uuid.uuid4().hex}==/+", serial, issuer, configuration)


class Revocation:
    def __init__(self, world):
        self._world = world

    def _refused(self, entry):
        return Answer(400, {"error": {"code": "BadRequest", "message": "; ".join(entry.wrong)}})

    def _said(self, value):
        return Answer(200, {"@odata.context": f"{self._world.bases['intune']}/$metadata#CertificateAuthorityRequests", "value": value})

    def download(self, entry, tenant):
        body = json_body(entry)
        if body is not None and check_keys(entry, body, ["downloadParameters"]):
            found = body["downloadParameters"]
            if check_keys(entry, found, ["maxRequests", "issuerName"], where="downloadParameters"):
                if type(found["maxRequests"]) is not int or not 1 <= found["maxRequests"] <= _MAX:
                    entry.blame(f"maxRequests is not in 1 … {_MAX}")
                if found["issuerName"] is not None and not isinstance(found["issuerName"], str):
                    entry.blame("issuerName is neither text nor null")
        if body is None or entry.wrong:
            return self._refused(entry)
        now = self._world.clock.now()
        waiting = [item for item in tenant.revocations if item.result is None and item.leased_until <= now]
        page = waiting[:found["maxRequests"]]
        # As the service does it: the filter looks at caConfiguration, and only at what was cut off before.
        if found["issuerName"] is not None:
            page = [item for item in page if item.configuration == found["issuerName"]]
        for item in page:
            item.leased_until, item.delivered = now + LEASE, item.delivered + 1
        return self._said([item.shown() for item in page])

    def _check_result(self, entry, result, known):
        if not check_keys(entry, result, ["requestContext", "succeeded"], ["errorCode", "errorMessage"], where="a result"):
            return
        if result["requestContext"] not in known:
            entry.blame("requestContext is not one of this tenant's")
        code, message = result.get("errorCode", "None"), result.get("errorMessage")
        if code not in _NAMES:
            entry.blame(f"errorCode {code!r} is unknown")
            return
        if type(result["succeeded"]) is not bool:
            entry.blame("succeeded is no boolean")
        elif result["succeeded"] and (_NAMES[code] != "None" or message):
            entry.blame("succeeded with an error")
        elif not result["succeeded"] and _NAMES[code] == "None":
            entry.blame("not succeeded without an error")

    def upload(self, entry, tenant):
        body = json_body(entry)
        known = {item.context: item for item in tenant.revocations if item.delivered}
        if body is not None and check_keys(entry, body, ["results"]):
            results = body["results"]
            if not isinstance(results, list) or not results:
                entry.blame("results is no list, or an empty one")
            else:
                for result in results:
                    self._check_result(entry, result, known)
                contexts = [str(r.get("requestContext")) for r in results if isinstance(r, dict)]
                if len(set(contexts)) != len(contexts):
                    entry.blame("a requestContext is there twice")
        if body is None or entry.wrong:
            return self._refused(entry)
        for result in results:
            item = known[result["requestContext"]]
            tenant.results.append(result)
            if CODES[_NAMES[result.get("errorCode", "None")]] < 4100:
                item.result = item.result or result
            else:  # to be tried again
                item.leased_until = 0.0
        return self._said(True)
