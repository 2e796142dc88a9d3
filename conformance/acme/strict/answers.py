"""What an answer says, and what is wrong with it."""
import json
import re

URN = "urn:ietf:params:acme:error:"
# RFC 8555 §6.7, RFC 9773, draft-ietf-acme-profiles, draft-ietf-acme-device-attest.
REGISTERED = {"accountDoesNotExist", "alreadyRevoked", "badCSR", "badNonce", "badPublicKey", "badRevocationReason", "badSignatureAlgorithm", "caa",
              "compound", "connection", "dns", "externalAccountRequired", "incorrectResponse", "invalidContact", "malformed", "orderNotReady",
              "rateLimited", "rejectedIdentifier", "serverInternal", "tls", "unauthorized", "unsupportedContact", "unsupportedIdentifier",
              "userActionRequired", "alreadyReplaced", "invalidProfile", "badAttestationStatement"}


class Deviation(Exception):
    """What was seen instead of what is expected."""


class NotOffered(Exception):
    """Why the row says nothing of this server."""


def parsed(answer):
    """The JSON object of an answer."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        raise Deviation(f"{answer.status} {answer.get('Content-Type')} with a body that is no JSON: {answer.body[:40]!r}") from None
    if not isinstance(said, dict):
        raise Deviation(f"{answer.status} with JSON that is no object")
    return said


def kind_of(answer):
    """The ACME error type, or None."""
    try:
        said = json.loads(answer.body)["type"]
    except (ValueError, KeyError, TypeError):
        return None
    return said.removeprefix(URN) if isinstance(said, str) and said.startswith(URN) else None


def shown(answer):
    """For the table."""
    if kind_of(answer):
        detail = re.sub(r"\s*\[check [^]]*\]", "", str(json.loads(answer.body).get("detail")))
        return f"{answer.status} {kind_of(answer)}: {detail}"[:150]
    if answer.status == 405:
        return f"405, Allow {answer.get('Allow')!r}, {answer.get('Content-Type')}"
    return f"{answer.status} {answer.get('Content-Type')} {answer.body[:60].decode('utf-8', 'replace') if answer.status >= 400 else ''}".strip()
