from .client import Client


class Lego(Client):
    name = package = "lego"
    account_required = "external account"
    challenges = ("http-01", "dns-01", "tls-alpn-01")
    _chain = ()

    def _lego(self, name, before, *arguments):
        before = [*before, *(["--key-type", {"rsa": "rsa2048", "ecdsa": "ec256"}[self.key]] if self.key else [])]
        command = ["lego", "--server", self.directory, "--path", self.folder / "lego",
                   "--accept-tos", "--email", "someone@conformance.test", *before, *arguments]
        files = self.folder / "lego/certificates"
        stem = name.replace("*", "_")
        own = {"EXEC_PATH": self._hook("exec-hook", 'if [ "$1" = present ]; then record "$2" "$3"; else forget "$2"; fi')} if self.challenge == "dns-01" else {}
        return self._run(command, files / f"{stem}.crt", files / f"{stem}.issuer.crt", LEGO_CA_CERTIFICATES=self.root, **own)

    def prefer_chain(self, root):
        """From now on: the chain that leads to the root of that common name, where the server has several."""
        self._chain = ("--preferred-chain", root)

    def _standalone(self):
        if self.challenge == "dns-01":
            return ["--dns", "exec", "--dns.disable-cp"]  # it would ask name servers of the Internet first
        if self.challenge == "tls-alpn-01":
            return ["--tls", "--tls.port", f"127.0.0.1:{self.server.tls_alpn01_port}"]
        return ["--http", "--http.port", f"127.0.0.1:{self.server.http01_port}"]

    def issue(self, *names, webroot=None):
        before = [word for name in names for word in ("--domains", name)]
        before += ["--http", "--http.webroot", webroot] if webroot else self._standalone()
        if self.eab:
            before += ["--eab", f"--kid={self.eab.key_id}", f"--hmac={self.eab.mac_key}"]
        return self._lego(names[0], before, "run", *self._chain)

    def renew(self, name):
        return self._lego(name, ["--domains", name, *self._standalone()], "renew", "--days", "3650",
                          "--no-random-sleep")

    def revoke(self, name):
        return self._lego(name, ["--domains", name, *self._standalone()], "revoke", "--keep", "--reason", "4")
