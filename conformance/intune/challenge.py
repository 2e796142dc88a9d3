"""Sealed challenges: encrypted, then signed, opaque to everybody else. And what a CSR is compared with.

Microsoft's format is not published; this one has the same properties, about the same size, and can be wrong in each of
the ways that Intune has a code for.
"""
import base64
import binascii
import json
import os
import secrets
import uuid

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_OIDS = {"2.5.4.3": "CN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
         "1.2.840.113549.1.9.1": "E", "0.9.2342.19200300.100.1.25": "DC"}
_USAGES = {"digital_signature": "digitalSignature", "content_commitment": "nonRepudiation", "key_encipherment": "keyEncipherment",
           "data_encipherment": "dataEncipherment", "key_agreement": "keyAgreement", "key_cert_sign": "keyCertSign", "crl_sign": "cRLSign"}
_UPN, _CHALLENGE, _BMP = "1.3.6.1.4.1.311.20.2.3", x509.ObjectIdentifier("1.2.840.113549.1.9.7"), 30
SIZE = 3000  # characters of a challenge, about
FLAWS = ("encoding", "deserialization", "signature", "decryption", "timestamp", "inner")


class Rejected(Exception):
    """One of Intune's codes, and why."""

    def __init__(self, code, why=""):
        super().__init__(why or code)
        self.code = code


def _base64(octets):
    return base64.b64encode(octets).decode()


class Seal:
    """The keys of the service that makes and opens challenges."""

    def __init__(self):
        self._key, self._signer = AESGCM(AESGCM.generate_key(256)), ec.generate_private_key(ec.SECP256R1())

    def close(self, content, flaw=None, size=SIZE):
        """Text of a challenge. `flaw` is one of FLAWS, and makes exactly that check fail."""
        assert flaw is None or flaw in FLAWS, flaw
        if flaw == "timestamp":
            content = {**content, "issued": "yesterday"}
        content = {**content, "password": secrets.token_urlsafe(24), "filling": ""}
        plain = json.dumps(content)
        # What base64, twice, and the frame add to it.
        content["filling"] = "x" * max(0, int(size * 9 / 16) - len(plain) - 180)
        plain = b"neither JSON" if flaw == "inner" else json.dumps(content).encode()
        nonce = os.urandom(12)
        key = AESGCM(AESGCM.generate_key(256)) if flaw == "decryption" else self._key
        sealed = _base64(nonce + key.encrypt(nonce, plain, b"challenge"))
        signature = self._signer.sign(sealed.encode() + (b"x" if flaw == "signature" else b""), ec.ECDSA(hashes.SHA256()))
        frame = {"v": 1, "sealed": sealed, "signature": _base64(signature)}
        outer = b"no frame" if flaw == "deserialization" else json.dumps(frame).encode()
        text = _base64(outer)
        return "!" + text[1:] if flaw == "encoding" else text

    def open(self, text):
        """The content, or Rejected with the code for what is wrong."""
        try:
            outer = base64.b64decode(text.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError) as wrong:
            raise Rejected("ChallengeDecodingError", str(wrong)) from wrong
        try:
            frame = json.loads(outer)
            sealed, signature = frame["sealed"], base64.b64decode(frame["signature"], validate=True)
            octets = base64.b64decode(sealed, validate=True)
        except (ValueError, KeyError, TypeError) as wrong:
            raise Rejected("ChallengeDeserializationError", "no frame") from wrong
        try:
            self._signer.public_key().verify(signature, sealed.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as wrong:
            raise Rejected("SignatureValidationFailed") from wrong
        try:
            plain = self._key.decrypt(octets[:12], octets[12:], b"challenge")
        except InvalidTag as wrong:
            raise Rejected("ChallengeDecryptionError") from wrong
        try:
            return json.loads(plain)
        except ValueError as wrong:
            raise Rejected("ChallengeDeserializationError", "no content") from wrong


def new_content(tenant, now, *, device=None, user=None, request_id=None, subject=None, names=None, key_usage=None, extended_key_usage=None,
                key_size=None, keys=None, begins_in=0, lives=3600):
    """What a challenge binds; None binds nothing of its kind.

    subject  [type, text] pairs in order; names like `dns:a.test`, `upn:a@b`, `uri:…`; key_usage by name; extended_key_usage by OID
    keys     SHA-256 of the SubjectPublicKeyInfos that the device has registered, hex
    """
    return {"tenant": tenant.id, "device": device or str(uuid.uuid4()), "user": user or str(uuid.uuid4()),
            "request": request_id or str(uuid.uuid4()), "subject": subject, "names": names, "key_usage": key_usage,
            "extended_key_usage": extended_key_usage, "key_size": key_size, "keys": keys, "issued": now + begins_in,
            "expires": now + begins_in + lives}


def check_binding(content, tenant, now):
    """The checks that need no CSR, in the order in which Intune's codes make sense."""
    if content["tenant"] != tenant.id:
        raise Rejected("BadTenantIdInChallenge", "the challenge is another tenant's")
    times = content["issued"], content["expires"]
    if not all(isinstance(t, (int, float)) for t in times) or times[0] > times[1] or times[0] > now:
        raise Rejected("ChallengeInvalidTimestamp", f"issued {times[0]}, expires {times[1]}")
    if now > times[1]:
        raise Rejected("ChallengeExpired", f"{now - times[1]:.0f} s ago")
    known = tenant.challenges.get(content["request"])
    if known is None:
        raise Rejected("BadCertificateRequestIdInChallenge", content["request"])
    if content["device"] not in tenant.devices or content["device"] != known["device"]:
        raise Rejected("BadDeviceIdInChallenge", content["device"])
    if content["user"] not in tenant.users or content["user"] != known["user"]:
        raise Rejected("BadUserIdInChallenge", content["user"])
    if not known["targeted"]:
        raise Rejected("ScepProfileNoLongerTargetedToTheClient")


# ---- the CSR


def read_csr(octets):
    """(CSR, its challengePassword), or Rejected."""
    try:
        csr = x509.load_der_x509_csr(octets)
        if csr.public_bytes(Encoding.DER) != octets or not csr.is_signature_valid:
            raise Rejected("CertificateRequestDecodingFailed", "octets follow, or the signature is wrong")
        list(csr.extensions)
        found = [a for a in csr.attributes if a.oid == _CHALLENGE]
    except Rejected:
        raise
    except Exception as wrong:  # whatever the library makes of a stranger's octets
        raise Rejected("CertificateRequestDecodingFailed", str(wrong)) from wrong
    if len(found) != 1:
        raise Rejected("ChallengePasswordMissing", f"{len(found)} of them")
    try:
        return csr, found[0].value.decode("utf-16-be" if found[0]._type == _BMP else "utf-8")
    except UnicodeDecodeError as wrong:
        raise Rejected("ChallengeDecodingError", str(wrong)) from wrong


def subject_of(csr):
    return [[_OIDS.get(part.oid.dotted_string, part.oid.dotted_string), part.value] for rdn in csr.subject.rdns for part in rdn]


def _extension(csr, kind):
    try:
        return csr.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def names_of(csr):
    """As new_content names them, sorted; None without the extension."""
    found = _extension(csr, x509.SubjectAlternativeName)
    if found is None:
        return None
    kinds = {x509.DNSName: "dns", x509.RFC822Name: "email", x509.UniformResourceIdentifier: "uri", x509.IPAddress: "ip",
             x509.DirectoryName: "directory", x509.RegisteredID: "id"}
    names = []
    for each in found:
        if isinstance(each, x509.OtherName):
            kind = "upn" if each.type_id.dotted_string == _UPN else each.type_id.dotted_string
            names.append(f"{kind}:{each.value[2:].decode('utf-8', 'replace')}")
        else:
            names.append(f"{kinds[type(each)]}:{each.value}")
    return sorted(names)


def check_request(content, csr):
    """What the profile says the device asks for. A SID *extension* is not looked at: neither does Intune."""
    subject, names = subject_of(csr), names_of(csr)
    if content["subject"] is not None:
        if content["subject"] and not subject:
            raise Rejected("SubjectNameMissing")
        if content["subject"] != subject:
            raise Rejected("SubjectNameMismatch", f"{subject}, not {content['subject']}")
    if content["names"] is not None:
        if content["names"] and not names:
            raise Rejected("SubjectAltNameMissing")
        if sorted(content["names"]) != (names or []):
            raise Rejected("SubjectAltNameMismatch", f"{names}, not {sorted(content['names'])}")
    usage = _extension(csr, x509.KeyUsage)
    if content["key_usage"] is not None:
        asked = sorted(text for flag, text in _USAGES.items() if usage is not None and getattr(usage, flag))
        if asked != sorted(content["key_usage"]):
            raise Rejected("KeyUsageMismatch", f"{asked}, not {sorted(content['key_usage'])}")
    if content["key_size"] is not None and csr.public_key().key_size != content["key_size"]:
        raise Rejected("KeyLengthMismatch", f"{csr.public_key().key_size} bits, not {content['key_size']}")
    purposes = _extension(csr, x509.ExtendedKeyUsage)
    if content["extended_key_usage"] is not None:
        if content["extended_key_usage"] and purposes is None:
            raise Rejected("EnhancedKeyUsageMissing")
        if sorted(each.dotted_string for each in purposes or []) != sorted(content["extended_key_usage"]):
            raise Rejected("EnhancedKeyUsageMismatch")
    if content["keys"] is not None:
        info = csr.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        digest = hashes.Hash(hashes.SHA256())
        digest.update(info)
        if not content["keys"]:
            raise Rejected("AadKeyIdentifierListMissing")
        if digest.finalize().hex() not in content["keys"]:
            raise Rejected("RegisteredKeyMismatch")
