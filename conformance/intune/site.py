"""A Postern whose devices Intune manages: what its documents say, and how its cases look at it."""
import base64
import json
import time
from types import SimpleNamespace

from harness.scep_device import Device
from harness.scep_style import ANDROID
from intune.profile import Profile

NET_SECONDS = 60

DOCUMENT = """
{before}

[[profile]]
name = "{name}"
lifetime = "{lifetime}"
backdate = "1s"
keys = ["rsa-2048"]
extended_key_usage = ["clientAuth"]
common_name = "text"
subject = ["CN"]
{profile}

[[azure_account]]
name = "{name}"
directory = "{id}"
application = "{client_id}"
secret = {{file = "{secret_file}"}}
trust_anchors = \"\"\"
{trust}\"\"\"
login_url = "{authority}"
graph_url = "{graph}"
graph_scope = "{graph_scope}"
intune_scope = "{intune_scope}"
service_hosts = ["localhost"]

[[endpoint]]
name = "{name}"
protocol = "scep"
profiles = ["{name}"]
{endpoint}

[[account]]
name = "{name}"
endpoint = "{name}"
method = "intune"
azure_account = "{name}"
kind = "device"
common_names = ["phone-*"]
answer_within = "{within}"
{more}
"""


class Site:
    """One endpoint with an Azure account of its own, in a tenant of the stand-in's own. `profile`, `endpoint` and `more` are
    further keys of the profile, the endpoint and the account, `before` is whatever else is described."""

    def __init__(self, server, standin, folder, name, within="4s", lifetime="30d", more="", profile="", endpoint="", before=""):
        self.server, self.standin, self.name = server, standin, name
        self.tenant = standin.of(standin.add_tenant()["id"])
        configured = self.tenant.tenant()
        secret = folder / f"{name}.secret"
        secret.touch(0o600)
        secret.write_text(configured["secret"])
        self.document = folder / f"{name}.toml"
        self.document.write_text(DOCUMENT.format(name=name, within=within, lifetime=lifetime, more=more, profile=profile, endpoint=endpoint, before=before,
                                                 secret_file=secret, trust=standin.ca.read_text(), **configured))
        server.apply(self.document)
        self._devices = 0

    # ---- devices

    def device(self, style=ANDROID, subject=None, discover=True, url=None, **names):
        """`names` are of the profile (profile.Profile): upn, sid, …"""
        self._devices += 1
        profile = Profile([("CN", subject or f"phone-{self.name}-{self._devices}")], **names)
        made = Device(url or self.server.scep(self.name), style, subject=profile.subject, extensions=profile.extensions())
        made.profile = profile
        return made.discover() if discover else made

    def challenge(self, device, **how):
        return self.tenant.mint_challenge(**{**device.profile.binding(), **how})["challenge"]

    # ---- what happened

    def certificates(self, device):
        [(_, name)] = device.profile.subject
        return [row for row in self.server.all_certificates() if row["subject"] == f"CN={name}"]

    def transaction(self, device):
        """What Intune was told of the device's transaction; None for what it was not."""
        found = self.tenant.transactions().get(device.style.transaction_id(device.key), {})
        return SimpleNamespace(**{"code": None, "success": None, "failure": None, **found})

    def await_told(self, device, what):
        """Of the success or failure of the device's transaction; the time only bounds a hang."""
        end = time.monotonic() + NET_SECONDS
        while not (told := getattr(self.transaction(device), what)):
            assert time.monotonic() < end, f"Intune was never told of the {what}"
            time.sleep(0.1)
        return told

    def asked(self, call):
        return self.tenant.asked(call)

    def nothing_wrong(self):
        assert self.tenant.wrong() == []

    def revocations(self):
        """Asks Intune's queue now; the counts."""
        return json.loads(self.server.cli("azure", "revocations", self.name, "--json"))


def logs(server):
    """Of all nodes."""
    return "".join(node.log.read_text(errors="replace") for node in getattr(server, "nodes", [server]))


def nothing_written_down(standin, server, database):
    """No token, challenge or client secret of the stand-in is in a log, nor in an embedded store."""
    said = logs(server)
    stored = b"" if database else b"".join(path.read_bytes() for path in server.data.glob("postern.db*"))
    for each in standin.confidential():
        assert each not in said, "in a log"
        assert each.encode() not in stored, "in the store"


def csr_of(told):
    """The octets of the CSR in what Intune was asked or told."""
    return base64.b64decode(told["certificateRequest"], validate=True)
