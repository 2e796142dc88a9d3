"""Caddy, which gets and renews certificates for the sites of its configuration by itself."""
import json
import subprocess

from .client import Daemon, own_file
from ..ports import free_port


class Caddy(Daemon):
    name = package = "caddy"
    one_certificate_a_name = True
    challenges = ("http-01", "tls-alpn-01")
    cannot = {"revoke": "Caddy 2.6 has no command for it; in `renew` an operator does"}

    def site(self, *names, port):
        """A Caddyfile; of the challenges that Caddy knows, one is left."""
        binding = f"acme_eab {{\n key_id {self.eab.key_id}\n mac_key {self.eab.mac_key}\n}}" if self.eab else ""
        https = self.server.tls_alpn01_port if self.challenge == "tls-alpn-01" else free_port()
        disabled = "http" if self.challenge == "tls-alpn-01" else "tlsalpn"
        key = {"rsa": "key_type rsa2048", "ecdsa": "key_type p256", None: ""}[self.key]
        return f"""
{{
    acme_ca {self.directory}
    acme_ca_root {self.root}
    {binding}
    {key}
    http_port {port}
    https_port {https}
    default_bind 127.0.0.1
    admin off
}}
{", ".join(names)} {{
    tls {{
        issuer acme {{
            disable_{disabled}_challenge
        }}
    }}
    respond "ready"
}}
"""

    def files(self, name):
        """What is stored for a name: the chain, if there is one."""
        return sorted((self.folder / ".local/share/caddy/certificates").glob(f"*/{name}/{name}.crt"))

    def run(self, config, names, done="certificate obtained successfully"):
        """Until it says so of each name, which it does once everything is stored, or a refusal."""
        def ended(text):
            return 0 if text.count(f'"msg":"{done}"') == len(names) else 1 if '"msg":"will retry"' in text else None
        missing = self.folder / "no-certificate"
        run = self._serve(["caddy", "run", "--config", config], self.folder / "daemon.log", ended, missing)
        found = self.files(names[0])
        return run if not found else type(run)(run.status, run.output, found[0], found[0])

    def issue(self, *names, webroot=None):
        config = own_file(self.folder / "Caddyfile", self.site(*names, port=self._http_port(webroot or self.challenge == "tls-alpn-01")))
        return self.run(config, names)

    def renew(self, name):
        """Renews when it starts what is within its window; of the Caddyfile's JSON only, that may be the whole life."""
        adapted = subprocess.run(self._command(["caddy", "adapt", "--config", self.folder / "Caddyfile"]), check=True, capture_output=True, text=True,
                                 env=self._environment({})).stdout
        config = json.loads(adapted)
        for policy in config["apps"]["tls"]["automation"]["policies"]:
            policy["renewal_window_ratio"] = 1.0
        return self.run(own_file(self.folder / "renew.json", json.dumps(config)), [name], "certificate renewed successfully")
