"""acme-tiny: keys and CSRs are openssl's, the certificate goes to standard output."""
import subprocess

from .client import Client, own, own_folder


class AcmeTiny(Client):
    name = package = "acme-tiny"
    cannot = {"binding": "acme-tiny has no external account binding",
              "revoke": "acme-tiny does not revoke; in `renew` an operator does"}

    def _openssl(self, *words):
        subprocess.run(self._command(["openssl", *words]), check=True, capture_output=True, cwd=self.folder)

    def issue(self, *names, webroot=None):
        if not (self.folder / "account.key").exists():
            self._openssl("genrsa", "-out", "account.key", "2048")
        kind = ["rsa:2048"] if self.key == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self._openssl("req", "-new", "-newkey", *kind, "-noenc", "-keyout", f"{names[0]}.key", "-out", f"{names[0]}.csr",
                      "-subj", "/", "-addext", "subjectAltName = " + ",".join(f"DNS:{name}" for name in names))
        return self._sign(names[0], webroot)

    def _sign(self, name, webroot=None):
        chain = self.folder / f"{name}.pem"
        with self._website(webroot) as site:
            # Our names resolve for the server alone: it is not to ask for its own answer first.
            words = ["acme-tiny", "--account-key", "account.key", "--csr", f"{name}.csr", "--directory-url", self.directory,
                     "--acme-dir", own_folder(site / ".well-known/acme-challenge"), "--disable-check"]
            run = self._run(words, chain, chain, stdout=chain, SSL_CERT_FILE=self.root)
        own(chain)
        return run

    def renew(self, name):
        return self._sign(name)
