"""A PostgreSQL of its own: Debian's server in a temporary folder, on a free loopback port and a Unix
socket, as an unprivileged user, with fsync on. Never an installed service."""
import json
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from .environment import environment
from .ports import free_port

START_SECONDS = 120
STOP_SECONDS = 60
VARIABLE = "POSTERN_TEST_POSTGRES"  # the URL of a cluster that a run started for its tests
_OWNER = "postgres"
_PASSWORD = "only for tests: 5P&/?#%"  # everything that a URL must escape


def server_programs():
    """Debian keeps them out of the PATH. The newest, or None where there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def _run(command, **options):
    done = subprocess.run(list(map(str, command)), text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, env=environment(), **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}"
    return done.stdout


class Database:
    """One database of a cluster, whose role owns it and nothing else."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name

    @property
    def url(self):
        """Over the Unix socket, without a password."""
        return self.cluster.url(self.name, "postern")

    def tcp_url(self, **options):
        """Over TCP, where a password (`cluster.password_file`) and SCRAM are asked for. `options` are libpq's,
        such as sslmode."""
        words = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in options.items())
        return f"postgres://postern@127.0.0.1:{self.cluster.port}/{self.name}" + (f"?{words}" if words else "")

    def rows(self, sql):
        """The rows of a SELECT as dicts; BYTEA as \\x and hexadecimal digits."""
        return json.loads(self.cluster.psql(f"SELECT coalesce(json_agg(t), '[]') FROM ({sql}) t", self.name))

    def value(self, sql):
        """The one value of a SELECT's one row."""
        row, = self.rows(sql)
        value, = row.values()
        return value

    def execute(self, *statements):
        """Each in a transaction of its own, as the superuser."""
        for statement in statements:
            self.cluster.psql(statement, self.name)

    def mirror(self):
        """An SQLite database in memory with all rows of all tables at one moment, so that one comparison reads both engines."""
        tables = defaultdict(dict)
        for column in self.rows("SELECT relname AS relation, attname AS name, atttypid::regtype::text AS type FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
                                "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped ORDER BY relname, attnum"):
            tables[column["relation"]][column["name"]] = column["type"]
        names = {table: ", ".join(f'"{name}"' for name in columns) for table, columns in tables.items()}
        copy = sqlite3.connect(":memory:")
        # One statement: one process of psql, and one snapshot.
        held = self.rows(" UNION ALL ".join(f"SELECT '{table}' AS relation, (SELECT coalesce(json_agg(r), '[]') FROM (SELECT {names[table]} FROM {table}) r) AS rows"
                                            for table in tables)) if tables else ()
        for each in held:
            columns = tables[each["relation"]]
            copy.execute(f"CREATE TABLE {each['relation']} ({names[each['relation']]})")
            copy.executemany(f"INSERT INTO {each['relation']} VALUES ({', '.join('?' * len(columns))})", (
                [bytes.fromhex(value[2:]) if columns[key] == "bytea" and value else value for key, value in row.items()] for row in each["rows"]))
        copy.commit()
        return copy

    def terminate_backends(self):
        """Ends every connection to it, as an administrator would; how many there were."""
        return int(self.cluster.psql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                     f"WHERE datname = '{self.name}' AND pid <> pg_backend_pid()"))

    def drop(self):
        self.cluster.psql(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


class Cluster:
    """Started by `start`, or by `with`. `settings` are lines of postgresql.conf, after ours."""

    def __init__(self, settings=(), parent="/tmp"):
        self._programs = server_programs()
        assert self._programs, "no PostgreSQL server: apt-get install postgresql-15 (./check does it)"
        # A socket's path may have 107 octets, and the owner must reach it: not below the folder of a run.
        self.folder = Path(tempfile.mkdtemp(prefix="postern-postgres-", dir=parent))
        self.port = free_port()
        self.log = self.folder / "log"
        self.root = self.folder / "root.pem"                # of the server's certificate, for sslrootcert
        self.password_file = self.folder / "password"       # of the role postern
        self._process = None
        self._databases = 0
        # The server refuses to run as root.
        self._as = []
        if os.getuid() == 0:
            owner = pwd.getpwnam(_OWNER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--init-groups"]
        self.password_file.touch(0o600)
        self.password_file.write_text(_PASSWORD + "\n")
        self._initialise(settings)

    def _owned(self, *command):
        """As the owner; ended with this process, whatever becomes of it."""
        return ["setpriv", *self._as, "--pdeathsig=INT", *map(str, command)]

    def _initialise(self, settings):
        _run(self._owned(self._programs / "initdb", "--pgdata", self.folder / "data", "--username", "postgres",
                         "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
                         "--no-sync"), cwd="/")
        self._certify()
        lines = [f"port = {self.port}", "listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.folder}'",
                 "fsync = on", "full_page_writes = on", "synchronous_commit = on", "max_connections = 200",
                 "password_encryption = 'scram-sha-256'", "ssl = on", f"ssl_cert_file = '{self.folder}/server.pem'",
                 f"ssl_key_file = '{self.folder}/server.key'", *settings]
        with (self.folder / "data/postgresql.conf").open("a", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")

    def _certify(self):
        """A root, and a certificate of it for 127.0.0.1 and localhost."""
        new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-x509", "-days", "2"]
        _run(self._owned(*new, "-subj", "/CN=root of a test cluster", "-keyout", self.folder / "root.key", "-out", self.root))
        _run(self._owned(*new, "-subj", "/CN=test cluster", "-CA", self.root, "-CAkey", self.folder / "root.key",
                         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
                         "-keyout", self.folder / "server.key", "-out", self.folder / "server.pem"))
        _run(self._owned("chmod", "600", self.folder / "server.key"))

    def url(self, database="postgres", user="postgres"):
        """Of a superuser unless another is named; over the Unix socket."""
        return f"postgres://{user}@/{database}?host={quote(str(self.folder), safe='/')}&port={self.port}"

    def psql(self, sql, database="postgres"):
        """Runs one statement as the superuser; gives its one value, or whatever it prints."""
        return _run([self._programs / "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
                     "--set=ON_ERROR_STOP=1", "--command", sql, self.url(database)]).strip()

    def start(self):
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._owned(self._programs / "postgres", "-D", self.folder / "data"), cwd="/",
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment())
        self._await_ready()

    def _await_ready(self):
        end = time.monotonic() + START_SECONDS
        ask = [self._programs / "pg_isready", "--quiet", "--dbname", self.url()]
        while subprocess.run(ask, check=False, env=environment()).returncode != 0:
            status = self._process.poll()
            assert status is None, f"PostgreSQL ended with status {status}:\n{self.log_tail()}"
            assert time.monotonic() < end, f"PostgreSQL is not ready within {START_SECONDS} s:\n{self.log_tail()}"
            time.sleep(0.02)

    def database(self, name=None):
        """A new, empty one, that belongs to the role `postern`."""
        self._databases += 1
        name = name or f"postern_{os.getpid()}_{self._databases}"
        if self.psql("SELECT count(*) FROM pg_roles WHERE rolname = 'postern'") == "0":
            self.psql(f"CREATE ROLE postern LOGIN PASSWORD '{_PASSWORD}'")
        self.psql(f'CREATE DATABASE "{name}" OWNER postern')
        return Database(self, name)

    @property
    def pid(self):
        """Of the postmaster while it runs, or None."""
        return self._process.pid if self._process else None

    def processes(self):
        """The postmaster and its children now."""
        if not self._process:
            return []
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
        return [self.pid, *map(int, children)]

    def cpu_ms(self):
        """What all its processes used since the start, those that ended included."""
        ticks = 0
        for pid in self.processes():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile; the postmaster's own line has it
            ticks += int(fields[11]) + int(fields[12])
            if pid == self.pid:
                ticks += int(fields[13]) + int(fields[14])
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")

    def _end(self, number):
        process, self._process = self._process, None
        process.send_signal(number)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_SECONDS)

    def stop(self):
        """A fast shutdown: what runs is rolled back, what was committed is written."""
        if self._process:
            self._end(signal.SIGINT)

    def crash(self):
        """An immediate shutdown: the next start recovers from the log, as after a loss of power."""
        self._end(signal.SIGQUIT)

    def restart(self):
        self.stop()
        self.start()

    def suspended(self):
        """Stops every process of it for the length of a `with`: a database that answers nothing."""
        return _suspended(self.processes())

    def remove(self):
        """Stops it, and takes all its data away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:]) if self.log.exists() else ""

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()


class Standby(Cluster):
    """A copy of a running cluster that follows it, until it is promoted."""

    def __init__(self, primary):
        self._primary = primary
        super().__init__()

    def _initialise(self, settings):
        _run(self._owned(self._programs / "pg_basebackup", "--pgdata", self.folder / "data", "--dbname", self._primary.url(),
                         "--write-recovery-conf", "--checkpoint=fast", "--no-sync"), cwd="/")
        with (self.folder / "data/postgresql.conf").open("a", encoding="utf-8") as out:
            out.write("\n".join([f"port = {self.port}", f"unix_socket_directories = '{self.folder}'", *settings]) + "\n")

    def caught_up(self):
        """Waits until it has everything that its primary has."""
        at = self._primary.psql("SELECT pg_current_wal_lsn()")
        end = time.monotonic() + START_SECONDS
        while self.psql(f"SELECT pg_last_wal_replay_lsn() >= '{at}'") != "t":
            assert time.monotonic() < end, f"the standby does not follow:\n{self.log_tail()}"
            time.sleep(0.02)

    def promote(self):
        """Makes it one that takes writes."""
        assert self.psql(f"SELECT pg_promote(true, {START_SECONDS})") == "t", self.log_tail()


@contextmanager
def _suspended(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)
