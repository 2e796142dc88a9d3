"""dehydrated: bash, curl and the openssl program. Its account key is RSA; what it trusts is an option for curl."""
from .client import Client, own_file, own_folder

_ANSWERS = ".well-known/acme-challenge"


class Dehydrated(Client):
    name = package = "dehydrated"
    account_required = "requires an external account"
    challenges = ("http-01", "dns-01", "tls-alpn-01")

    def _dehydrated(self, name, *arguments, webroot=None):
        with self._website(webroot) as site:
            keys = {"CA": self.directory, "BASEDIR": self.folder, "WELLKNOWN": own_folder(site / _ANSWERS),
                    "CURL_OPTS": f"--cacert {self.root}", "KEYSIZE": "2048"}
            if self.challenge != "http-01":
                keys["CHALLENGETYPE"] = self.challenge
            if self.challenge == "dns-01":
                keys["HOOK"] = self._hook("hook", 'case "$1" in', 'deploy_challenge) record "_acme-challenge.$2" "$4" ;;',
                                          'clean_challenge) forget "_acme-challenge.$2" ;;', "esac")
            if self.challenge == "tls-alpn-01":
                keys["ALPNCERTDIR"] = own_folder(self.alpn_folder)
            if self.key:
                keys["KEY_ALGO"] = {"rsa": "rsa", "ecdsa": "prime256v1"}[self.key]
            if self.eab:
                keys |= {"EAB_KID": self.eab.key_id, "EAB_HMAC_KEY": self.eab.mac_key}
            config = own_file(self.folder / "config", "".join(f'{key}="{value}"\n' for key, value in keys.items()))
            files = self.folder / "certs" / name
            return self._run(["dehydrated", *arguments, "--config", config], files / "cert.pem", files / "chain.pem")

    @property
    def alpn_folder(self):
        """Where it leaves the certificate that answers tls-alpn-01 for a TLS server: NAME.crt.pem and NAME.key.pem."""
        return self.folder / "alpn"

    def issue(self, *names, webroot=None):
        folder = names[0].replace("*.", "star.")
        alias = ["--alias", folder] if folder != names[0] else []  # a certificate that begins with a wildcard must be called otherwise
        return self._dehydrated(folder, "--cron", "--accept-terms", "--domain", " ".join(names), *alias, webroot=webroot)

    def renew(self, name):
        return self._dehydrated(name, "--cron", "--force", "--domain", name)

    def revoke(self, name):
        return self._dehydrated(name, "--revoke", self.folder / "certs" / name / "cert.pem")
