"""ACME: issuances by http-01 from kept or new connections, on each engine and at the peers."""
import json
import shutil
import subprocess

from .measuring import CLIENT_CORE, SERVER_CORE, Suite, accepts, free_port, on_core, process, wait_for
from .table import Table, judged

SUFFIX = "bench.test"
# Multiples of the crypto floor that the project promises for ACME, and aims for.
MUST, AIM = 3.1, 2.2
# Postern's own CPU on PostgreSQL, as a multiple of that on SQLite.
ENGINES_MUST = 1.3


class Acme(Suite):
    def load(self, directory, ca, pid, http01_port, workers):
        o = self.options
        command = [self.build / "bench" / "acme_load", "--directory", directory, "--ca", ca, "--pid", pid, "--cpu", CLIENT_CORE,
                   "--http01-port", http01_port, "--suffix", SUFFIX, "--workers", workers,
                   "--orders", o.orders, "--warmup", o.warmup, "--json"]
        return self.generate(*command, *(["--new-connection-per-order"] if o.new_connection_per_order else []))

    def run_postern(self, folder, workers, cluster):
        http01 = free_port()
        with self.server(folder, cluster, "--resolve", f"*.{SUFFIX}=127.0.0.1", "--http01-port", http01) as ready:
            # Over warm-up and measurement: the generator runs through both.
            with self.counted(ready, cluster, self.options.orders + self.options.warmup) as counts:
                result = self.load(ready["acme"]["default"], ready["root"], ready["pid"], http01, workers)
            return {**result, **counts}

    def run_pebble(self, folder, workers):
        acme, management, dns, http01 = (free_port() for _ in range(4))
        certificate, key, config = folder / "tls.pem", folder / "tls.key", folder / "pebble.json"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        config.write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{acme}", "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(certificate), "privateKey": str(key), "httpPort": http01, "tlsPort": free_port(),
            "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        stub = ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", ""]
        # One core, no sleeps, no forced nonce refusals: what it can do, not what it does to clients.
        environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        pebble = ["pebble", "-config", config, "-dnsserver", f"127.0.0.1:{dns}"]
        with process("pebble-challtestsrv", on_core(CLIENT_CORE, stub), folder / "dns.log"), \
                process("pebble", on_core(SERVER_CORE, pebble), folder / "server.log",
                        env=environment) as child:
            wait_for("pebble", lambda: accepts(acme), child, folder / "server.log")
            return self.load(f"https://localhost:{acme}/dir", certificate, child.pid, http01, workers)

    def table(self):
        o = self.options
        floor = self.floor()
        operations = floor["operations"]
        out = Table("acme", "acme_new_connection" if o.new_connection_per_order else "acme", floor, o)
        out.floor_parts = (f"P-256 verify {operations['p256_verify_jws']:.0f}, load {operations['p256_load']:.0f}, "
                           f"sign {operations['p256_sign']:.0f} us")
        self.need(self.build / "bench" / "acme_load")
        how = f"http-01, {o.workers} workers, " + ("new connections" if o.new_connection_per_order else "kept connections")
        if not o.peers_only:
            self.need(self.postern)
            for name, run in self.engines(out.notes):
                out.rows.append((f"Postern on {name}, ACME {how}", self.repeat(f"postern on {name}", run, o.workers)))
                if o.one_worker:
                    out.rows.append((f"Postern on {name}, ACME http-01, one worker", self.repeat(f"postern on {name}", run, 1)))
        if o.peers or o.peers_only:
            self.peers(how, out)
        out.verdicts = [out.verdict_on(name, r, MUST, AIM) for name, r in out.rows
                        if name.startswith("Postern on SQLite") and not name.endswith("one worker")]
        out.verdicts += verdict_on_engines(out.rows)
        return out

    def peers(self, how, out):
        if shutil.which("pebble") and shutil.which("pebble-challtestsrv"):
            out.rows.append((f"Pebble {how}", self.repeat("pebble", self.run_pebble, self.options.workers)))
            out.notes.append("Pebble keeps everything in memory and signs with RSA-2048; one core, since it wedges on two.")
        else:
            out.notes.append("Pebble: not installed (package pebble).")
        out.notes.append("Caddy: " + ("installed, but left out: its http-01 dials port 80 of what the system's resolver "
                                      "says, which is no loopback matter." if shutil.which("caddy") else "not installed."))


def verdict_on_engines(rows):
    """What Postern itself spends more where the store is a server's."""
    cpu = {engine: r["server_cpu_ms_each"] for engine in ("SQLite", "PostgreSQL") for name, r in rows
           if name.startswith(f"Postern on {engine}") and not name.endswith("one worker")}
    if len(cpu) < 2:
        return []
    ratio = cpu["PostgreSQL"] / cpu["SQLite"]
    return [f"Postern's own CPU on PostgreSQL: {ratio:.2f} x that on SQLite, {judged(ratio, ENGINES_MUST)} (at most {ENGINES_MUST})."]
