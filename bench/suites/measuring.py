"""Servers, the generators that face them, and the crypto floor: what every suite of bench/run needs."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from harness import postgres

SERVER_CORE, CLIENT_CORE = 0, 1


class Failed(Exception):
    """Something that makes the run worthless; its text says what to do."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tail(path, lines=15):
    text = pathlib.Path(path).read_text(errors="replace").splitlines()
    return "\n".join(text[-lines:])


def on_core(core, command):
    return ["taskset", "-c", str(core), *map(str, command)]


@contextlib.contextmanager
def process(name, command, log, env=None, graceful=False):
    """Runs a server; ends it by its pid. graceful: SIGTERM must end it with status 0."""
    with open(log, "w") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                 env={**os.environ, **(env or {})})
    completed = False
    try:
        yield child
        completed = True
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        try:
            status = child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            status = child.wait()
            if graceful:
                say(f"{name}: had to be killed 30 s after SIGTERM")
        if completed and graceful and status != 0:
            raise Failed(f"{name} ended with {status} after SIGTERM, expected 0:\n{tail(log)}")


def wait_for(what, ready, child, log, seconds=60):
    end = time.monotonic() + seconds
    while not ready():
        if child.poll() is not None:
            raise Failed(f"{what} ended with {child.returncode} before it was ready:\n{tail(log)}")
        if time.monotonic() > end:
            raise Failed(f"{what} was not ready after {seconds} s:\n{tail(log)}")
        time.sleep(0.02)


def accepts(port):
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Suite:
    """One server after the other under the same generator. `row`: (operation, figures)."""

    def __init__(self, options):
        self.options = options
        self.build = pathlib.Path(options.build).resolve()
        self.postern = pathlib.Path(options.postern).resolve() if options.postern else self.build / "postern"

    def need(self, *programs):
        missing = [str(p) for p in programs if not os.access(p, os.X_OK)]
        if missing:
            raise Failed(f"missing: {', '.join(missing)}\nbuild with: cmake --preset release && "
                         "cmake --build --preset release")
        if not shutil.which("taskset"):
            raise Failed("missing: taskset (package util-linux)")
        if not {SERVER_CORE, CLIENT_CORE} <= os.sched_getaffinity(0):
            raise Failed("two cores are needed: one for the server, one for the generator")

    def floor(self):
        program = self.build / "bench" / "floor"
        self.need(program)
        done = subprocess.run([program, "--cpu", str(SERVER_CORE), "--json"], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def generate(self, *command, refusals=False):
        """The generator's figures. A refusal is a failure of the run, but for a peer that cannot do without."""
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if not done.stdout or (done.returncode != 0 and not refusals):
            raise Failed(f"the generator ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def server(self, folder, cluster, *options):
        """A Postern of the laboratory on the server's core: its ready file's content."""
        ready_file, log = folder / "ready.json", folder / "server.log"
        command = [self.postern, "serve", "--data", folder / "data", "--lab", "--ready-file", ready_file]
        for listener in ("--https", "--est", "--http", "--management"):
            command += [listener, "127.0.0.1:0"]
        if cluster:
            command += ["--store", cluster.database().url]
        with process("postern", on_core(SERVER_CORE, [*command, *options]), log, graceful=True) as child:
            wait_for("postern", ready_file.exists, child, log)
            yield json.loads(ready_file.read_text())

    @contextlib.contextmanager
    def counted(self, ready, cluster, issuances):
        """Filled at the end: what the store did for each of so many issuances."""
        counts = {}
        before = self._store_counts(ready["management"], cluster)
        yield counts
        time.sleep(1.5 if cluster else 0)  # PostgreSQL's processes tell their counts once a second
        after = self._store_counts(ready["management"], cluster)
        counts.update({name: (after[name] - before[name]) / issuances for name in after})

    @staticmethod
    def _store_counts(management, cluster):
        """Batches of the server so far, flushes of the log, and the CPU time of the database's processes."""
        lines = urllib.request.urlopen(management + "/metrics", timeout=30).read().decode().splitlines()
        value = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        counts = {"commits_each": float(value['postern_store_batches_total{result="committed"}']),
                  "transient_each": float(value['postern_store_batches_total{result="committed_transient"}'])}
        if not cluster:
            return {**counts, "flushes_each": float(value["postern_store_commits_total"])}
        return {**counts, "flushes_each": float(cluster.psql("SELECT wal_sync FROM pg_stat_wal")),
                "database_cpu_ms_each": cluster.cpu_ms()}

    def run_sqlite(self, folder, workers):
        return self.run_postern(folder, workers, None)

    def run_postgres(self, folder, workers):
        """The database has both cores, like the rest of the machine would; its own CPU time is counted."""
        with postgres.Cluster(parent=self.options.folder or "/tmp") as cluster:
            return self.run_postern(folder, workers, cluster)

    def engines(self, notes):
        known = {"sqlite": ("SQLite", self.run_sqlite), "postgres": ("PostgreSQL", self.run_postgres)}
        wanted = [known[name] for name in known if self.options.store in (name, "both")]
        if self.options.store == "both" and not postgres.server_programs():
            notes.append("PostgreSQL: not installed (package postgresql-15).")
            wanted = wanted[:1]
        return wanted

    def repeat(self, name, run, workers):
        """Median of each column over the runs; every run must be without a failure."""
        results = []
        for i in range(self.options.runs):
            say(f"{name}: run {i + 1} of {self.options.runs} …")
            folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-bench-", dir=self.options.folder))
            try:
                results.append(run(folder, workers))
            finally:
                if self.options.keep:
                    say(f"kept: {folder}")
                else:
                    shutil.rmtree(folder, ignore_errors=True)
        return {column: statistics.median(r[column] for r in results) for column in results[0]}
