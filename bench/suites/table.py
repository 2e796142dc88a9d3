"""What bench/run prints, and whether the promises are kept."""
import datetime

from .measuring import CLIENT_CORE, SERVER_CORE

COLUMNS = (("issuances/s", "issuances_per_s", 11, "{:.0f}"), ("CPU ms each", "server_cpu_ms_each", 11, "{:.2f}"), ("x floor", "floors", 7, "{:.2f}"),
           ("database CPU", "database_cpu_ms_each", 12, "{:.2f}"), ("commits", "commits_each", 7, "{:.2f}"),
           ("transient", "transient_each", 9, "{:.2f}"), ("flushes", "flushes_each", 7, "{:.2f}"),
           ("p50 / p95 / p99 ms", "latencies", 20, "{}"), ("peak MB", "peak_mb", 7, "{:.1f}"), ("POSTs", "posts_each", 5, "{:.1f}"))


def judged(value, must, aim=None):
    if aim is not None and value <= aim:
        return "within the aim"
    return "within the promise" if value <= must else "ABOVE the promise"


class Table:
    """`rows`: [(operation, figures)]; `verdicts` on promises and `notes`, in words."""

    def __init__(self, suite, floor_case, floor, options):
        self.suite, self.floor, self.options = suite, floor, options
        self.floor_ms = floor["floor_us"][floor_case] / 1000
        self.floor_parts = ""
        self.rows, self.verdicts, self.notes = [], [], []

    def floor_of(self, name):
        """Milliseconds."""
        return self.floor_ms

    def verdict_on(self, name, row, must, aim):
        multiple = row["server_cpu_ms_each"] / self.floor_of(name)
        return f"{name.split(',')[0]}: {multiple:.2f} x the floor, {judged(multiple, must, aim)} (at most {must}, aim {aim})."

    def _cells(self, name, row):
        figures = {**row, "floors": row["server_cpu_ms_each"] / self.floor_of(name), "peak_mb": row["peak_rss_kib"] / 1024,
                   "latencies": f"{row['p50_ms']:.1f} / {row['p95_ms']:.1f} / {row['p99_ms']:.1f}"}
        return "  ".join(f"{form.format(figures[key]) if key in figures else '':>{width}}" for _, key, width, form in COLUMNS)

    def print(self):
        """Whether every promise is kept."""
        o = self.options
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        print(f"bench/run {self.suite}, {now}: {o.orders} issuances after {o.warmup}, median of {o.runs} runs; "
              f"server on core {SERVER_CORE}, generator on core {CLIENT_CORE}")
        print(f"crypto floor in this run: {self.floor_ms * 1000:.0f} us ({self.floor_parts})\n")
        width = max([len(name) for name, _ in self.rows] + [9])
        print(f"{'operation':{width}}  " + "  ".join(f"{title:>{size}}" for title, _, size, _ in COLUMNS))
        for name, row in self.rows:
            print(f"{name:{width}}  {self._cells(name, row)}")
        print()
        for line in [*self.verdicts, *self.notes]:
            print(line)
        return all("ABOVE" not in verdict for verdict in self.verdicts)
