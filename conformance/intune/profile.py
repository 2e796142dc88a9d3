"""One SCEP profile as Intune has it, said once: what the device asks for, and what its challenge binds.

  profile = Profile(subject=[("CN", "ann")], upn=["ann@corp.test"])
  device = Device(url, APPLE, subject=profile.subject, extensions=profile.extensions())
  device.enroll(tenant.mint_challenge(**profile.binding())["challenge"])
"""
from dataclasses import dataclass, field

from harness import pkcs10

SID_URI = "tag:microsoft.com,2022-09-14:sid:"


@dataclass
class Profile:
    subject: list  # (type, text)
    upn: list = field(default_factory=list)
    dns: list = field(default_factory=list)
    email: list = field(default_factory=list)
    sid: str | None = None  # on-premises security identifier, as a URI among the names
    usages: tuple = ("digitalSignature", "keyEncipherment")
    purposes: tuple = (pkcs10.CLIENT_AUTH,)
    key_size: int = 2048

    def _names(self):
        return {"upn": self.upn, "dns": self.dns, "email": self.email, "uri": [SID_URI + self.sid] if self.sid else []}

    def extensions(self):
        """Of the CSR."""
        names = self._names()
        each = [pkcs10.key_usage(*self.usages), pkcs10.extended_key_usage(*self.purposes)]
        return each + ([pkcs10.alternative_names(**names)] if any(names.values()) else [])

    def binding(self):
        """Arguments of mint_challenge."""
        return {"subject": [list(part) for part in self.subject], "key_usage": list(self.usages), "extended_key_usage": list(self.purposes),
                "key_size": self.key_size, "names": [f"{kind}:{text}" for kind, texts in self._names().items() for text in texts]}
