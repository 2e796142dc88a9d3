"""certbot, as its documentation has it for a server of one's own."""
from .client import Client


class Certbot(Client):
    name = package = "certbot"
    account_required = "external account"
    challenges = ("http-01", "dns-01")
    _chain = ()

    def _certbot(self, name, *arguments):
        command = ["certbot", *arguments, "--non-interactive", "--config-dir", self.folder / "certbot",
                   "--work-dir", self.folder / "work", "--logs-dir", self.folder / "logs", "--server", self.directory]
        live = self.folder / "certbot/live" / name
        run = self._run(command, live / "cert.pem", live / "chain.pem", REQUESTS_CA_BUNDLE=self.root)
        if "can't set attribute" in run.output or "acme.errors.IssuanceError" in run.output:
            # certbot 2.1 trips over its own exception class on Python 3.11, has no words for an order that became invalid, and
            # sends the person to its log, where the server's words are.
            run.output += (self.folder / "logs/letsencrypt.log").read_text(errors="replace")
        return run

    def prefer_chain(self, root):
        """From now on: the chain that leads to the root of that common name, where the server has several."""
        self._chain = ("--preferred-chain", root)

    def _binding(self):
        # With "=", since either may begin with a hyphen.
        return [f"--eab-kid={self.eab.key_id}", f"--eab-hmac-key={self.eab.mac_key}"] if self.eab else []

    def _in_dns(self):
        """By hand, and the hands are hooks."""
        return ["--manual", "--preferred-challenges", "dns",
                "--manual-auth-hook", self._hook("auth-hook", 'record "_acme-challenge.$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION"'),
                "--manual-cleanup-hook", self._hook("cleanup-hook", 'forget "_acme-challenge.$CERTBOT_DOMAIN"')]

    def register(self):
        """An account and no more; there is no certificate in the result."""
        return self._certbot("none", "register", "--agree-tos", "--register-unsafely-without-email", *self._binding())

    def issue(self, *names, webroot=None):
        """With `webroot`, another server answers the challenge; else the client does."""
        how = ["--webroot", "--webroot-path", webroot] if webroot else self._in_dns() if self.challenge == "dns-01" else [
            "--standalone", "--http-01-address", "127.0.0.1", "--http-01-port", self.server.http01_port]
        how += self._binding() + (["--key-type", self.key] if self.key else [])
        domains = [word for name in names for word in ("-d", name)]
        return self._certbot(names[0], "certonly", *how, *self._chain, "--agree-tos", "--register-unsafely-without-email",
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
