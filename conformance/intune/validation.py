"""ScepRequestValidationFEService: validateRequest and the two notifications."""
import base64
import binascii
import re
from datetime import datetime, timezone

from . import challenge
from .journal import check_keys, check_text, json_body
from .tenants import Transaction
from .wire import Answer

API_VERSION = "2018-02-20"
CODES = ("CertificateRequestDecodingFailed", "ChallengePasswordMissing", "ChallengeDeserializationError", "ChallengeDecryptionError",
         "ChallengeDecodingError", "ChallengeInvalidTimestamp", "ChallengeExpired", "SignatureValidationFailed", "SubjectNameMissing",
         "SubjectNameMismatch", "SubjectAltNameMissing", "SubjectAltNameMismatch", "KeyUsageMismatch", "KeyLengthMismatch",
         "EnhancedKeyUsageMissing", "EnhancedKeyUsageMismatch", "AadKeyIdentifierListMissing", "RegisteredKeyMismatch",
         "SigningCertThumbprintMismatch", "ScepProfileNoLongerTargetedToTheClient", "BadCertificateRequestIdInChallenge",
         "BadDeviceIdInChallenge", "BadUserIdInChallenge", "BadTenantIdInChallenge")
# What no check here can find: the certificate that signed the SCEP message is not part of the call.
SCRIPTED_ONLY = ("SigningCertThumbprintMismatch",)
_EXPIRY = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3}|\d{7})Z")


class Validation:
    def __init__(self, world):
        self._world = world

    def _said(self, entry, code, why=""):
        entry.code = code
        return Answer(200, {"@odata.context": f"{self._world.bases['intune']}/$metadata#ScepActions", "code": code, "errorDescription": why})

    def _refused(self, entry):
        return Answer(400, {"error": {"code": "BadRequest", "message": "; ".join(entry.wrong)}})

    def _body(self, entry, name, keys):
        """The object inside the body, or None."""
        body = json_body(entry)
        if body is None or not check_keys(entry, body, [name]) or not check_keys(entry, body[name], keys, where=name):
            return None
        found = body[name]
        limits = {"transactionId": 255, "certificateRequest": None, "callerInfo": None}
        good = [check_text(entry, found, key, limit) for key, limit in limits.items()]
        return found if all(good) else None

    def validate(self, entry, tenant):
        asked = self._body(entry, "request", ("transactionId", "certificateRequest", "callerInfo"))
        if asked is None or entry.wrong:
            return self._refused(entry)
        code, why = "Success", ""
        try:
            content = self._opened(asked["certificateRequest"], tenant)
            entry.fields = {**entry.fields, "challenge": content["request"]}
        except challenge.Rejected as rejected:
            code, why = rejected.code, str(rejected)
            if code == "CertificateRequestDecodingFailed":
                entry.blame(f"certificateRequest: {why}")
        before = tenant.transactions.get(asked["transactionId"])
        # A transactionID repeats with the key; another CSR under it is a new request.
        if before is None or before.csr != asked["certificateRequest"]:
            tenant.transactions[asked["transactionId"]] = Transaction(asked["certificateRequest"], code, asked["callerInfo"])
        else:
            before.code = code
        return self._said(entry, code, why)

    def unheard(self, entry, tenant):
        """The client cannot know what was decided: until it asks again there is nothing to notify of."""
        asked = (entry.fields or {}).get("request")
        found = tenant.transactions.get(asked.get("transactionId")) if isinstance(asked, dict) else None
        if found:
            found.code = "an answer that nobody read"

    def _opened(self, text, tenant):
        """What the challenge binds, once everything holds."""
        try:
            octets = base64.b64decode(text.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError) as wrong:
            raise challenge.Rejected("CertificateRequestDecodingFailed", f"no base64 of one line: {wrong}") from wrong
        csr, sealed = challenge.read_csr(octets)
        content = self._world.seal.open(sealed)
        challenge.check_binding(content, tenant, self._world.clock.now())
        challenge.check_request(content, csr)
        return content

    # ---- notifications

    def _transaction(self, entry, tenant, told):
        """What this notification is about, with blame for what does not fit."""
        found = tenant.transactions.get(told["transactionId"])
        if found is None:
            entry.blame("a notification for a transaction that was never validated")
            return None
        if found.csr != told["certificateRequest"]:
            entry.blame("certificateRequest is not the one that was validated")
        if found.code != "Success":
            entry.blame(f"a notification after {found.code}")
        if found.caller != told["callerInfo"]:
            entry.blame("callerInfo is not that of the validation")
        return found

    def success(self, entry, tenant):
        told = self._body(entry, "notification", (
            "transactionId", "certificateRequest", "certificateThumbprint", "certificateSerialNumber", "certificateExpirationDateUtc",
            "issuingCertificateAuthority", "callerInfo", "caConfiguration", "certificateAuthority"))
        if told is None:
            return self._refused(entry)
        for key in ("certificateThumbprint", "certificateSerialNumber", "certificateExpirationDateUtc", "issuingCertificateAuthority",
                    "caConfiguration", "certificateAuthority"):
            check_text(entry, told, key)
        if not re.fullmatch("[0-9A-F]{40}", str(told["certificateThumbprint"])):
            entry.blame("certificateThumbprint is no SHA-1 in upper-case hex")
        if not re.fullmatch("[0-9A-F]{1,40}", str(told["certificateSerialNumber"])):
            entry.blame("certificateSerialNumber is no upper-case hex")
        self._check_expiry(entry, str(told["certificateExpirationDateUtc"]))
        found = self._transaction(entry, tenant, told)
        if found and found.failure:
            entry.blame("a success after a failure")
        if found and found.success not in (None, told):
            entry.blame("another success for the same request")
        if entry.wrong:
            return self._refused(entry)
        found.success = told
        return self._said(entry, "Success")

    def _check_expiry(self, entry, text):
        found = _EXPIRY.fullmatch(text)
        try:
            moment = datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc).timestamp() if found else None
        except ValueError:
            moment = None
        if moment is None:
            entry.blame("certificateExpirationDateUtc is not like 2026-01-31T23:59:59.000Z")
        elif moment <= self._world.clock.now():
            entry.blame("certificateExpirationDateUtc is over")

    def failure(self, entry, tenant):
        told = self._body(entry, "notification", ("transactionId", "certificateRequest", "hResult", "errorDescription", "callerInfo"))
        if told is None:
            return self._refused(entry)
        if type(told["hResult"]) is not int or not -2 ** 31 <= told["hResult"] < 2 ** 31 or told["hResult"] == 0:
            entry.blame("hResult is no signed number of 32 bits that is not 0")
        check_text(entry, told, "errorDescription", 255)
        found = self._transaction(entry, tenant, told)
        if found and found.success:
            entry.blame("a failure after a success")
        if found and found.failure not in (None, told):
            entry.blame("another failure for the same request")
        if entry.wrong:
            return self._refused(entry)
        found.failure = told
        return self._said(entry, "Success")
