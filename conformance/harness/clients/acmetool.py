"""acmetool: wants certificates for names, and reconciles that with what it holds. Its answers to challenges go to a folder."""
import shutil

from .client import Client, own_file, own_folder


class Acmetool(Client):
    name = package = "acmetool"
    cannot = {"binding": "acmetool has no external account binding",
              "revoke": "acmetool 0.2.2 marks its own copy by `acmetool revoke`, and asks no server; in `renew` an operator does"}

    def _acmetool(self, name, *arguments, webroot=None):
        state = self.folder / "acme"
        with self._website(webroot) as site:
            key = {"rsa": "{type: rsa, rsa-size: 2048}", "ecdsa": "{type: ecdsa, ecdsa-curve: nistp256}", None: "{}"}[self.key]
            # Our names resolve for the server alone: it is not to ask for its own answer first.
            own_file(own_folder(state / "conf") / "target", f"""
request:
  provider: {self.directory}
  key: {key}
  challenge:
    webroot-paths: [{own_folder(site / '.well-known/acme-challenge')}]
    http-self-test: false
""")
            own_file(state / "conf/responses", '"acme-enter-email": "someone@conformance.test"\n')
            live = state / "live" / name
            return self._run(["acmetool", "--state", state, "--hooks", own_folder(self.folder / "hooks"), "--batch", "--xlog.severity=info", *arguments],
                             live / "cert", live / "chain", SSL_CERT_FILE=self.root)

    def issue(self, *names, webroot=None):
        return self._acmetool(names[0], "want", *names, webroot=webroot)

    def renew(self, name):
        """What it holds no longer is ordered anew. It replaces what it holds in the last 30 days or third of a life, and does not
        obey the `margin` of its own schema."""
        shutil.rmtree((self.folder / "acme/live" / name).resolve())
        return self._acmetool(name, "reconcile")
