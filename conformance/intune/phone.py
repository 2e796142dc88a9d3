"""A phone as Intune has it in hand: it knows what the profile says that `postern endpoint client-config` wrote, and nothing else."""
import hashlib
import json
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from harness import mobileconfig, pkcs10, pki
from harness.scep_device import Device
from harness.scep_style import APPLE

# Apple's bits of "Key Usage", and Intune's words for the same.
BITS = {1: "digitalSignature", 4: "keyEncipherment"}
WORDS = {"Digital signature": "digitalSignature", "Key encipherment": "keyEncipherment"}


def scep_profile(site):
    """What an administrator copies into Intune's form."""
    return json.loads(site.server.cli("endpoint", "client-config", site.name, "--for", "intune", "--json"))["values"]


class Phone:
    """`clock` is the laboratory's; `folder` is its own. `url` is asked in place of the profile's: one node of several."""

    def __init__(self, site, clock, folder, name, url=None):
        self.site, self.clock, self.folder, self.name, self.url = site, clock, folder, name, url
        folder.mkdir()
        self.form = scep_profile(site)  # as Intune has it
        self.device = self.challenge = self.profile = None

    def install(self):
        """Intune makes a challenge for its form, and the phone gets a profile with it: it replaces the former."""
        self.challenge = self.site.tenant.mint_challenge(
            subject=[["CN", self.name]], names=[], key_size=int(self.form["Key size (bits)"]),
            key_usage=[WORDS[word] for word in self.form["Key usage"].split(", ")],
            extended_key_usage=self.form["Extended key usage"].split(", "))["challenge"]
        secret = self.folder / "challenge"
        secret.touch(0o600)
        secret.write_text(self.challenge + "\n")
        server = self.site.server
        server.cli("endpoint", "client-config", self.site.name, "--for", "apple", "--name", self.name, "--challenge-file", secret, "--out", self.folder)
        profile, trusted, scep = mobileconfig.read(self.folder / f"{self.site.name}.mobileconfig", server.root, self.clock.now())
        assert self.profile in (None, profile["PayloadUUID"]), "it would stand beside the former"
        self.profile = profile["PayloadUUID"]
        self._enrolls_by(scep, trusted)
        return scep

    def _enrolls_by(self, scep, trusted):
        assert scep["Challenge"] == self.challenge and scep["Key Type"] == "RSA"
        [subject] = scep["Subject"][0]
        usages = [name for bit, name in BITS.items() if scep["Key Usage"] & bit]
        # Apple's payload has no purposes: Intune adds those of its form.
        extensions = [pkcs10.key_usage(*usages), pkcs10.extended_key_usage(*self.form["Extended key usage"].split(", "))]
        url = self.url or scep["URL"]
        key = self.device.new_key() if self.device else None
        former = self.device
        self.device = Device(url, replace(APPLE, suffix=""), subject=[tuple(subject)], extensions=extensions, key=key, key_bits=scep["Keysize"])
        self.device.renewals = former.renewals if former else 0
        self.device.discover()
        top = [der for der in self.device.bag if hashlib.sha1(der).digest() == scep["CAFingerprint"]]
        assert top and top[0] in trusted and self.device.issuer in trusted, "GetCACert is not what the profile trusts"

    @property
    def transaction(self):
        return self.device.style.transaction_id(self.device.key)

    def enroll(self):
        return self.device.enroll(self.challenge)

    def certificates(self):
        return [row for row in self.site.server.all_certificates() if row["subject"] == f"CN={self.name}"]

    def notifications(self):
        """Entries of the stand-in's journal: what it was told of this transaction and took."""
        return [entry for entry in self.site.asked("success") if entry.fields and entry.status == 200
                and entry.fields["notification"]["transactionId"] == self.transaction]

    def holds(self, certificate):
        """(whether openssl takes it for its root and CRL at the clock's moment, what it said)."""
        leaf, issuer = self.folder / "leaf.pem", self.folder / "issuer.pem"
        leaf.write_bytes(certificate.public_bytes(Encoding.PEM))
        issuer.write_bytes(x509.load_der_x509_certificate(self.device.issuer).public_bytes(Encoding.PEM))
        return pki.verify(leaf, issuer, self.site.server.root, self.folder, self.clock.now())
