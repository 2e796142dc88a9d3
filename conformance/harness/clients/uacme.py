"""uacme, with the hook that its package has for a folder of a web server.

It trusts what the system trusts and has no option for anything else. So it is given a view of the file system of its own, in
which the laboratory's root is the system's: what update-ca-certificates does for good."""
import os
import shlex

from .client import Client, own_folder

_SYSTEM_TRUST = "/etc/ssl/certs/ca-certificates.crt"


class Uacme(Client):
    name = package = "uacme"
    account_required = "requires external credentials"
    addresses = True
    challenges = ("http-01", "dns-01")

    def _command(self, command):
        whose = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
        return [*whose, "sh", "-c", f"mount --bind {shlex.quote(str(self.root))} {_SYSTEM_TRUST} && exec \"$@\"", "sh", *super()._command(command)]

    def _dns_hook(self):
        """It is asked for each challenge, and takes one; METHOD TYPE IDENT TOKEN AUTH."""
        return self._hook("hook", '[ "$2" = dns-01 ] || exit 1', 'if [ "$1" = begin ]; then record "_acme-challenge.$3" "$5"; else forget "_acme-challenge.$3"; fi')

    def _uacme(self, name, *arguments, webroot=None):
        with self._website(webroot) as site:
            words = ["uacme", "--verbose", "--yes", "--acme-url", self.directory, "--confdir", self.folder / "uacme",
                     "--hook", self._dns_hook() if self.challenge == "dns-01" else "/usr/share/uacme/uacme.sh"]
            words += ["--type", {"rsa": "RSA", "ecdsa": "EC"}[self.key]] if self.key else []
            words += ["--eab", f"{self.eab.key_id}:{self.eab.mac_key}"] if self.eab else []
            chain = self.folder / "uacme" / name.removeprefix("*.") / "cert.pem"
            return self._run([*words, *arguments], chain, chain, UACME_CHALLENGE_PATH=own_folder(site / ".well-known/acme-challenge"))

    def issue(self, *names, webroot=None):
        registered = self._uacme(names[0], "new", webroot=webroot)
        return registered if registered.status else self._uacme(names[0], "issue", *names, webroot=webroot)

    def renew(self, name):
        return self._uacme(name, "--force", "issue", name)

    def revoke(self, name):
        return self._uacme(name, "--reason", "4", "revoke", self.folder / "uacme" / name / "cert.pem")

    def change_key(self, name):
        return self._uacme(name, "newkey")

    def revoke_by_key(self, name, of):
        """As somebody without an account, but with the certificate's key."""
        return self._uacme(name, "--reason", "1", "revoke", of.folder / "uacme" / name / "cert.pem", of.folder / "uacme/private" / name / "key.pem")
