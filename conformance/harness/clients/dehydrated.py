"""dehydrated: bash, curl and the openssl program. Its account key is RSA; what it trusts is an option for curl."""
from .client import Client, own_file, own_folder

_ANSWERS = ".well-known/acme-challenge"


class Dehydrated(Client):
    name = package = "dehydrated"
    account_required = "requires an external account"

    def _dehydrated(self, name, *arguments, webroot=None):
        with self._website(webroot) as site:
            keys = {"CA": self.directory, "BASEDIR": self.folder, "WELLKNOWN": own_folder(site / _ANSWERS),
                    "CURL_OPTS": f"--cacert {self.root}", "KEYSIZE": "2048"}
            if self.key:
                keys["KEY_ALGO"] = {"rsa": "rsa", "ecdsa": "prime256v1"}[self.key]
            if self.eab:
                keys |= {"EAB_KID": self.eab.key_id, "EAB_HMAC_KEY": self.eab.mac_key}
            config = own_file(self.folder / "config", "".join(f'{key}="{value}"\n' for key, value in keys.items()))
            files = self.folder / "certs" / name
            return self._run(["dehydrated", *arguments, "--config", config], files / "cert.pem", files / "chain.pem")

    def issue(self, *names, webroot=None):
        return self._dehydrated(names[0], "--cron", "--accept-terms", "--domain", " ".join(names), webroot=webroot)

    def renew(self, name):
        return self._dehydrated(name, "--cron", "--force", "--domain", name)

    def revoke(self, name):
        return self._dehydrated(name, "--revoke", self.folder / "certs" / name / "cert.pem")
