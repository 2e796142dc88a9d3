"""certbot and lego behind one interface. Each object is one installation with its own account."""
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .environment import environment

CLIENT_SECONDS = 180


@dataclass
class Eab:
    key_id: str
    mac_key: str


@dataclass
class Run:
    """One run of a client: its status, all it printed, and where the certificate is if it got one."""

    status: int
    output: str
    certificate: Path
    chain: Path

    @property
    def words(self):
        """The output without the client's line breaks."""
        return " ".join(self.output.split())


class _Client:
    def __init__(self, server, folder, endpoint="default", eab=None):
        self.server = server
        self.folder = folder
        self.endpoint = endpoint
        self.eab = eab

    def _run(self, command, certificate, chain, **variables):
        with (self.folder / "client.log").open("ab") as log:
            log.write((" ".join(map(str, command)) + "\n").encode())
            done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, timeout=CLIENT_SECONDS,
                                  env=environment(HOME=str(self.folder), **variables))
            log.write(done.stdout)
        return Run(done.returncode, done.stdout.decode(errors="replace"), certificate, chain)


class Certbot(_Client):
    name = "certbot"

    def _certbot(self, name, *arguments):
        command = ["certbot", *arguments, "--non-interactive", "--config-dir", self.folder / "certbot",
                   "--work-dir", self.folder / "work", "--logs-dir", self.folder / "logs",
                   "--server", self.server.directory(self.endpoint)]
        live = self.folder / "certbot/live" / name
        run = self._run(command, live / "cert.pem", live / "chain.pem", REQUESTS_CA_BUNDLE=self.server.root)
        if "can't set attribute" in run.output or "acme.errors.IssuanceError" in run.output:
            # certbot 2.1 trips over its own exception class on Python 3.11, has no words for an order that became invalid, and
            # sends the person to its log, where the server's words are.
            run.output += (self.folder / "logs/letsencrypt.log").read_text(errors="replace")
        return run

    def _binding(self):
        # With "=", since either may begin with a hyphen.
        return [f"--eab-kid={self.eab.key_id}", f"--eab-hmac-key={self.eab.mac_key}"] if self.eab else []

    def register(self):
        """An account and no more; there is no certificate in the result."""
        return self._certbot("none", "register", "--agree-tos", "--register-unsafely-without-email", *self._binding())

    def issue(self, *names, webroot=None):
        """With `webroot`, another server answers the challenge; else the client does."""
        how = ["--webroot", "--webroot-path", webroot] if webroot else [
            "--standalone", "--http-01-address", "127.0.0.1", "--http-01-port", self.server.http01_port]
        how += self._binding()
        domains = [word for name in names for word in ("-d", name)]
        return self._certbot(names[0], "certonly", *how, "--agree-tos", "--register-unsafely-without-email",
                             "--cert-name", names[0], *domains)

    def renew(self, name):
        return self._certbot(name, "renew", "--cert-name", name, "--force-renewal", "--no-random-sleep-on-renew")

    def revoke(self, name):
        return self._certbot(name, "revoke", "--cert-path", self.folder / "certbot/live" / name / "cert.pem",
                             "--reason", "superseded", "--no-delete-after-revoke")

    def revoke_by_key(self, name, of):
        """As somebody without the account of `of`, but with the certificate's key."""
        live = of.folder / "certbot/live" / name
        return self._certbot(name, "revoke", "--cert-path", live / "cert.pem", "--key-path", live / "privkey.pem",
                             "--reason", "keycompromise", "--no-delete-after-revoke")


class Lego(_Client):
    name = "lego"

    def _lego(self, name, before, *arguments):
        command = ["lego", "--server", self.server.directory(self.endpoint), "--path", self.folder / "lego",
                   "--accept-tos", "--email", "someone@conformance.test", *before, *arguments]
        files = self.folder / "lego/certificates"
        stem = name.replace("*", "_")
        return self._run(command, files / f"{stem}.crt", files / f"{stem}.issuer.crt",
                         LEGO_CA_CERTIFICATES=self.server.root)

    def _standalone(self):
        return ["--http", "--http.port", f"127.0.0.1:{self.server.http01_port}"]

    def issue(self, *names, webroot=None):
        before = [word for name in names for word in ("--domains", name)]
        before += ["--http", "--http.webroot", webroot] if webroot else self._standalone()
        if self.eab:
            before += ["--eab", f"--kid={self.eab.key_id}", f"--hmac={self.eab.mac_key}"]
        return self._lego(names[0], before, "run")

    def renew(self, name):
        return self._lego(name, ["--domains", name, *self._standalone()], "renew", "--days", "3650",
                          "--no-random-sleep")

    def revoke(self, name):
        return self._lego(name, ["--domains", name, *self._standalone()], "revoke", "--keep", "--reason", "4")


KINDS = {client.name: client for client in (Certbot, Lego)}
