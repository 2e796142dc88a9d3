"""How the devices of the field say the same thing differently. Marked [R] where it is recalled and not read in a source."""
import hashlib
from dataclasses import dataclass

from . import der, pkcs10

_DIGEST_CAPS = {"sha512": "SHA-512", "sha256": "SHA-256", "sha1": "SHA-1"}
_CIPHER_CAPS = {"aes128-cbc": "AES", "aes256-cbc": "AES", "des3-cbc": "DES3"}


@dataclass(frozen=True)
class Style:
    """One kind of device."""

    name: str
    suffix: str = ""               # appended to the URL of the endpoint
    user_agent: str | None = None
    caps_first: bool = True        # GetCACaps before GetCACert
    ca_message: str | None = None  # `message` of GetCACert and GetCACaps
    post: bool = True              # where POSTPKIOperation is advertised
    content_type: str = "application/x-pki-message"
    query: str = "percent"         # how GET carries base64: see scep_device.query_of
    http10: bool = False           # HTTP/1.0 without Host
    tls12: bool = False            # nothing newer
    ber: bool = False              # indefinite lengths
    rule: str = "general"          # of scep_select
    transaction: str = "sha1"      # hex of this digest over the key
    upper: bool = False
    signer: str = "subject"        # or uuid: a subject of its own
    critical_aki: bool = False
    digests: tuple = ("sha256", "sha512", "sha1")
    ciphers: tuple = ("aes128-cbc", "des3-cbc")
    renewal: str = "renewal"       # RenewalReq; `old-cert`: PKCSReq signed by the old certificate; `challenge`: a new PKCSReq
    string: int = der.UTF8         # of names in subjects

    def digest(self, caps):
        """What it signs with, given the capabilities; the last one is its fallback."""
        return self._first(self.digests, _DIGEST_CAPS, caps, "sha256")

    def cipher(self, caps):
        return self._first(self.ciphers, _CIPHER_CAPS, caps, "aes128-cbc")

    @staticmethod
    def _first(preferred, keywords, caps, standard):
        for name in preferred:
            if keywords.get(name) in caps or (name == standard and "SCEPStandard" in caps):
                return name
        return preferred[-1]

    def transaction_id(self, key):
        data = pkcs10.public_key_info(key) if self.transaction == "md5" else pkcs10.public_key_bits(key)
        text = hashlib.new(self.transaction, data).hexdigest()
        return text.upper() if self.upper else text

    def signer_extensions(self, key, name, serial):
        """Of the self-signed certificate."""
        each = [pkcs10.key_usage("digitalSignature", "keyEncipherment")]
        if self.critical_aki:  # names its own issuer and serial, and is marked critical, which RFC 5280 forbids
            directory = der.context(4, name)
            aki = der.sequence(der.context(0, pkcs10.key_id(key), constructed=False), der.context(1, directory),
                               der.context(2, der.integer(serial)[2:], constructed=False))
            each.append(pkcs10.extension(pkcs10.AUTHORITY_KEY_ID, aki, critical=True))
        return each


# [V: Apple SecSCEP.c, SecurityTool scep.c] but for the user agent [R].
APPLE = Style("apple", user_agent="scep/1.0 CFNetwork/1410.1 Darwin/22.6.0", caps_first=False, query="equals", ber=True, rule="apple",
              upper=True, signer="uuid", digests=("sha512", "sha256", "sha1"), renewal="challenge")
# [V: certificates #1932, #1994, scepman-docs]; transactionID and user agent [R].
WINDOWS = Style("windows", suffix="/certsrv/mscep/mscep.dll/pkiclient.exe",
                user_agent="Mozilla/4.0 (compatible; Win32; NDES client 10.0.22621.3527/ni_release)", ca_message="default", tls12=True,
                rule="windows", critical_aki=True, renewal="challenge")
ANDROID = Style("android", user_agent="Dalvik/2.1.0 (Linux; U; Android 14)", content_type="application/octet-stream",  # [R]
                renewal="challenge")
# GET and raw base64 [V: certificates #916, #846]; HTTP/1.0 without Host, MD5 transactionID, PrintableString [R].
CISCO = Style("cisco", suffix="/cgi-bin/pkiclient.exe", ca_message="ra", post=False, query="raw", http10=True, transaction="md5", upper=True,
              digests=("sha256", "sha1"), renewal="old-cert", string=der.PRINTABLE)
CISCO_OLD = Style("cisco-old", suffix="/cgi-bin/pkiclient.exe", ca_message="ra", post=False, query="raw", http10=True, transaction="md5",
                  upper=True, digests=("md5",), ciphers=("des-cbc",), renewal="old-cert", string=der.PRINTABLE)
# strongSwan's GET wraps base64 in lines of 64 characters.
STRONGSWAN = Style("strongswan", post=False, query="lines")
STYLES = {style.name: style for style in (APPLE, WINDOWS, ANDROID, CISCO, CISCO_OLD, STRONGSWAN)}
