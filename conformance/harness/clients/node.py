"""node's acme-client, a library: conformance/acme/node/client.js is the program that a person would write with it."""
import shutil
from pathlib import Path

from .client import Client, own, own_folder

_CONFORMANCE = Path(__file__).resolve().parents[2]
_PROGRAM = _CONFORMANCE / "acme/node/client.js"
MODULES = _CONFORMANCE.parent / "build/conformance/node/node_modules"


class Node(Client):
    name = "acme-client"
    package = "nodejs"

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        if not (self.folder / "node_modules").exists():
            assert MODULES.is_dir(), f"{MODULES} is not there: conformance/run acme installs it"
            # The tree may lie where the unprivileged user does not reach.
            shutil.copytree(MODULES, self.folder / "node_modules")
            own(Path(shutil.copy(_PROGRAM, self.folder)))

    def _node(self, name, verb, *names, webroot=None):
        with self._website(webroot) as site:
            chain = self.folder / f"{name}.pem"
            words = ["node", "client.js", verb, self.directory, own_folder(site / ".well-known/acme-challenge"), self.key or "default", name, *names]
            binding = {"EAB_KEY_ID": self.eab.key_id, "EAB_MAC_KEY": self.eab.mac_key} if self.eab else {}
            return self._run(words, chain, chain, NODE_EXTRA_CA_CERTS=self.root, **binding)

    def issue(self, *names, webroot=None):
        return self._node(names[0], "issue", *names[1:], webroot=webroot)

    def renew(self, name):
        return self._node(name, "issue")

    def revoke(self, name):
        return self._node(name, "revoke")

    def change_key(self, name):
        return self._node(name, "change-key")
