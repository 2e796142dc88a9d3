"""EST with P-256 devices on each engine: renewals over new connections that show a certificate, and enrollments by a generated
password over kept ones."""
import re

from .measuring import CLIENT_CORE, Failed, Suite
from .scep import resident_kib
from .table import Table, judged

# Multiples of the crypto floor. By password the floor is three operations, and what HTTP and the store cost weighs more.
RENEWAL_MUST, RENEWAL_AIM = 2.1, 1.5
BASIC_MUST = 4
# Of the resident memory over the measured part, once everything was touched.
GROWTH_MUST = 1.1


class Est(Suite):
    def load(self, ready, user, password, workers, *more):
        """The warm-up is a run of its own, so that memory can be looked at between the two."""
        command = [self.build / "bench" / "est_load", "--url", ready["est"]["equipment"], "--ca", ready["root"], "--user", user, "--password", password,
                   "--pid", ready["pid"], "--cpu", CLIENT_CORE, "--workers", workers, "--warmup", 0, "--json", *more]
        if self.options.warmup:
            self.generate(*command, "--enrollments", self.options.warmup)
        warm = resident_kib(ready["pid"], ready["management"])
        result = self.generate(*command, "--enrollments", self.options.orders)
        return {**result, "growth": resident_kib(ready["pid"], ready["management"]) / warm}

    def run_postern(self, folder, workers, cluster):
        """{"renewal": figures, "basic": figures}: two servers, so that neither finds the other's certificates."""
        results = {}
        for how, more in (("renewal", ["--renew"]), ("basic", [])):
            place = folder / how
            place.mkdir()
            with self.server(place, cluster) as ready:
                shown = (place / "data" / "first-account").read_text()
                user, password = (re.search(rf'^{key} = "(.+)"$', shown, re.MULTILINE)[1] for key in ("user", "password"))
                # Each worker that renews enrolls first, in the warm-up and in the measured run.
                first = (2 if self.options.warmup else 1) * workers if more else 0
                with self.counted(ready, cluster, self.options.orders + self.options.warmup + first) as counts:
                    result = self.load(ready, user, password, workers, *more)
                results[how] = {**result, **counts}
        return {f"{how} {column}": value for how, figures in results.items() for column, value in figures.items()}

    def table(self):
        o = self.options
        if o.promises and (o.peers_only or o.store == "postgres"):
            raise Failed("the promises are about SQLite: leave out --peers-only and --store postgres")
        floor = self.floor()
        operations = floor["operations"]
        out = EstTable("est", "est", floor, o)
        out.floor_parts = (f"P-256 load {operations['p256_load']:.0f}, verify {operations['p256_verify_csr']:.0f}, sign {operations['p256_sign']:.0f}, "
                           f"mutual handshake {operations['tls13_mutual_handshake']:.0f} us; without the handshake {floor['floor_us']['est_basic']:.0f} us")
        self.need(self.build / "bench" / "est_load", self.postern)
        for name, run in self.engines(out.notes):
            both = self.repeat(f"postern on {name}", run, o.workers)
            for how, text in (("renewal", "renewal by certificate, new connections"), ("basic", "password, kept connections")):
                figures = {column.split(" ", 1)[1]: value for column, value in both.items() if column.startswith(how)}
                out.rows.append((f"Postern on {name}, EST {text}, {o.workers} workers", figures))
        out.notes.append("No peer that Debian has speaks EST.")
        self.judge(out)
        return out

    def judge(self, out):
        for name, row in out.rows:
            if name.startswith("Postern on SQLite"):
                promise = (RENEWAL_MUST, RENEWAL_AIM) if "renewal" in name else (BASIC_MUST, None)
                out.verdicts.append(out.verdict_on(name, row, *promise))
                out.verdicts.append(f"  resident memory over the measured part: {row['growth']:.2f} x, {judged(row['growth'], GROWTH_MUST)} (at most {GROWTH_MUST}).")


class EstTable(Table):
    """Each row over the floor of its own kind."""

    def floor_of(self, name):
        return self.floor["floor_us"]["est" if "renewal" in name else "est_basic"] / 1000

    def verdict_on(self, name, row, must, aim):
        multiple = row["server_cpu_ms_each"] / self.floor_of(name)
        promise = f"at most {must}" + (f", aim {aim}" if aim else "")
        return f"{name.rsplit(',', 1)[0]}: {multiple:.2f} x its floor, {judged(multiple, must, aim)} ({promise})."
