"""SCEP: PKCSReq with a shared challenge from RSA-2048 devices, on each engine and at micromdm's scepserver."""
import pathlib
import re
import shutil
import subprocess
import urllib.request

from .measuring import CLIENT_CORE, SERVER_CORE, Failed, Suite, accepts, free_port, on_core, process, wait_for
from .table import Table, judged

# Multiples of the crypto floor, and what the peer must be left behind by.
MUST, AIM = 2.2, 1.5
RATE_MUST, P99_MUST = 2, 0.2
# Of the resident memory over the measured part, once everything was touched.
GROWTH_MUST = 1.1
CHALLENGE = "bench-challenge"
CONFIGURATION = """[ca]
root_key = "rsa-2048"
issuing_key = "rsa-2048"
"""


def resident_kib(pid, management=None):
    """Without the page caches of Postern's store, which grow with the database up to 8 MB a connection."""
    caches = store_caches(management) if management else 0
    return -caches / 1024 + int(re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])


def store_caches(management):
    lines = urllib.request.urlopen(management + "/metrics", timeout=30).read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("postern_store_cache_bytes"))


class Scep(Suite):
    def load(self, url, challenge, pid, workers, *more, refusals=False, management=None):
        """The warm-up is a run of its own, so that memory can be looked at between the two."""
        command = [self.build / "bench" / "scep_load", "--url", url, "--challenge", challenge, "--pid", pid,
                   "--cpu", CLIENT_CORE, "--workers", workers, "--warmup", 0, "--json", *more]
        if self.options.warmup:
            self.generate(*command, "--enrollments", self.options.warmup, refusals=refusals)
        warm = resident_kib(pid, management)
        result = self.generate(*command, "--enrollments", self.options.orders, refusals=refusals)
        return {**result, "growth": resident_kib(pid, management) / warm}

    def run_postern(self, folder, workers, cluster):
        configuration = folder / "postern.toml"
        configuration.write_text(CONFIGURATION)
        with self.server(folder, cluster, "--config", configuration) as ready:
            shown = (folder / "data" / "first-account").read_text()
            challenge = re.search(r'^access_code = "(.+)"$', shown, re.MULTILINE)[1]
            with self.counted(ready, cluster, self.options.orders + self.options.warmup) as counts:
                result = self.load(ready["scep"]["devices"], challenge, ready["pid"], workers, management=ready["management"])
            return {**result, **counts}

    def run_scepserver(self, folder, workers):
        depot, log, port = folder / "depot", folder / "server.log", free_port()
        subprocess.run(["scepserver", "ca", "-init", "-keySize", "2048", "-depot", depot], check=True, capture_output=True)
        command = ["scepserver", "-depot", depot, "-port", str(port), "-challenge", CHALLENGE, "-allowrenew", "0"]
        with process("scepserver", on_core(SERVER_CORE, command), log) as child:
            wait_for("scepserver", lambda: accepts(port), child, log)
            return self.load(f"http://127.0.0.1:{port}/scep", CHALLENGE, child.pid, workers, "--status-only",
                             "--max-failures", self.options.orders, refusals=True)

    def table(self):
        o = self.options
        if o.promises and (o.peers_only or o.store == "postgres" or not shutil.which("scepserver")):
            raise Failed("the promises are about SQLite and beside scepserver (package scep): leave out --peers-only and --store postgres")
        floor = self.floor()
        operations = floor["operations"]
        out = Table("scep", "scep", floor, o)
        out.floor_parts = (f"RSA-2048 sign {operations['rsa2048_sign']:.0f} twice, decrypt {operations['rsa2048_decrypt']:.0f}, "
                           f"verify {operations['rsa2048_verify']:.0f} us three times")
        self.need(self.build / "bench" / "scep_load")
        how = f"SCEP PKCSReq, {o.workers} workers"
        if not o.peers_only:
            self.need(self.postern)
            for name, run in self.engines(out.notes):
                out.rows.append((f"Postern on {name}, {how}", self.repeat(f"postern on {name}", run, o.workers)))
        if shutil.which("scepserver"):
            peer = self.repeat("scepserver", self.run_scepserver, o.workers)
            out.rows.append((f"scepserver, {how}", peer))
            out.notes.append(f"All sign with RSA-2048. scepserver refused {peer['failures']:.0f} of {o.orders} (two at once meet over its serial file), "
                             "flushes no file, and encrypts with DES.")
        else:
            out.notes.append("scepserver: not installed (package scep).")
        self.judge(out)
        return out

    def judge(self, out):
        own = next((r for name, r in out.rows if name.startswith("Postern on SQLite")), None)
        peer = next((r for name, r in out.rows if name.startswith("scepserver")), None)
        out.verdicts = [out.verdict_on(name, r, MUST, AIM) for name, r in out.rows if r is own]
        if own:
            out.verdicts.append(f"Resident memory over the measured part: {own['growth']:.2f} x, {judged(own['growth'], GROWTH_MUST)} (at most {GROWTH_MUST}).")
        if own and peer:
            slower = peer["issuances_per_s"] / own["issuances_per_s"]
            tail = own["p99_ms"] / peer["p99_ms"]
            out.verdicts.append(f"Beside scepserver: {1 / slower:.1f} x its enrollments/s, {judged(slower, 1 / RATE_MUST)} (at least {RATE_MUST}); "
                                f"p99 {tail:.2f} x its, {judged(tail, P99_MUST)} (at most {P99_MUST}).")
