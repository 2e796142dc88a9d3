"""Apache with mod_md, which gets and renews certificates for its virtual hosts, and uses them from the next restart on."""
import json

from .client import Daemon, own_file, own_folder
from ..ports import free_port

_MODULES = ("mpm_event", "authz_core", "ssl", "socache_shmcb", "md")


class Apache(Daemon):
    name = "mod_md"
    package = "apache2-bin"
    challenges = ("http-01", "tls-alpn-01")
    cannot = {"revoke": "mod_md has no directive for it; in `renew` an operator does"}

    def _config(self, names, port, *more):
        key = {"rsa": "MDPrivateKeys RSA 2048", "ecdsa": "MDPrivateKeys secp256r1", None: ""}[self.key]
        binding = f"MDExternalAccountBinding {self.eab.key_id} {self.eab.mac_key}" if self.eab else ""
        by_tls = self.challenge == "tls-alpn-01"
        https = self.server.tls_alpn01_port if by_tls else free_port()
        if by_tls:
            more = ("Protocols http/1.1 acme-tls/1", *more)
        loads = "\n".join(f"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so" for module in _MODULES)
        own_folder(self.folder / "run")
        return own_file(self.folder / "apache.conf", f"""
{loads}
ServerRoot "{self.folder}"
DefaultRuntimeDir run
PidFile run/pid
Mutex file:run
ErrorLog error.log
LogLevel warn md:info
ServerName {names[0]}
Listen 127.0.0.1:{port}
Listen 127.0.0.1:{https}
MDStoreDir md
MDCertificateAuthority {self.directory}
MDCACertificateFile {self.root}
MDCertificateAgreement accepted
MDContactEmail someone@conformance.test
MDPortMap http:{port} https:{https}
MDCAChallenges {self.challenge}
MDomain {" ".join(names)}
{key}
{binding}
{chr(10).join(more)}
<VirtualHost 127.0.0.1:{port}>
    ServerName {names[0]}
    ServerAlias {" ".join(names)}
</VirtualHost>
<VirtualHost 127.0.0.1:{https}>
    ServerName {names[0]}
    ServerAlias {" ".join(names)}
    SSLEngine on
</VirtualHost>
""")

    def _job(self, name):
        path = self.folder / "md/staging" / name / "job.json"
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError):
            return {}

    def _httpd(self, names, port, *more):
        """Until the certificate lies ready, then a second start puts it into use: mod_md does that at restarts."""
        def ended(_):
            job = self._job(names[0])
            return 0 if job.get("finished") else 1 if job.get("errors") else None
        held = self.folder / "md/domains" / names[0] / ("pubcert.secp256r1.pem" if self.key == "ecdsa" else "pubcert.pem")
        before = held.read_bytes() if held.exists() else None
        run = self._start(self._config(names, port, *more), ended, held)
        if run.status == 0:
            # Not sooner: a signal in the middle of the start leaves half of what is put into use.
            in_use = self._start(self._config(names, port), lambda text: 0 if "resuming normal operations" in text else None, held)
            assert held.exists() and held.read_bytes() != before, f"the certificate was not put into use:\n{in_use.output}"
        return run

    def _start(self, config, ended, held):
        return self._serve(["apache2", "-D", "FOREGROUND", "-f", config], self.folder / "error.log", ended, held)

    def issue(self, *names, webroot=None):
        return self._httpd(names, self._http_port(webroot or self.challenge == "tls-alpn-01"))

    def renew(self, name):
        """All of its life is in the window in which it is renewed."""
        return self._httpd([name], self.server.http01_port, "MDRenewWindow 3650d")
