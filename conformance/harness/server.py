"""A Postern of its own: started on free loopback ports, asked through its command line, stopped."""
import json
import re
import signal
import subprocess
import time

from .environment import environment
from .ports import free_port

READY_SECONDS = 120
# A verb waits a minute for the server's answer, and an import for each of its parts; whatever takes longer than this has no end.
VERB_SECONDS = 600
STOP_SECONDS = 60
LISTENERS = ("https", "est", "http", "management")
ANY_PORTS = dict.fromkeys(LISTENERS, "127.0.0.1:0")  # of the kernel's choice at the first start; the store keeps them


class Postern:
    def __init__(self, executable, folder, suffix, lab=True, options=()):
        """In a laboratory, names below `suffix` resolve to this machine. `folder` must exist and be empty.
        `variables` are set in the environment of the next start."""
        self.executable = executable
        self.lab = lab
        self.options = options
        # Not 0: a port of the kernel's choice is anybody's while the server is down.
        self.listeners = {name: f"127.0.0.1:{free_port()}" for name in LISTENERS}
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.suffix = suffix
        self.http01_port, self.tls_alpn01_port = free_port(), free_port()
        self.ready_file = folder / "ready.json"
        self.variables = {}  # more of the server's environment
        self._process = None
        self.ready = {}

    def _command(self):
        listeners = [word for name, address in self.listeners.items() for word in ("--" + name, address)]
        laboratory = ["--lab", "--http01-port", str(self.http01_port), "--tls-alpn01-port", str(self.tls_alpn01_port),
                      "--resolve", f"*.{self.suffix}=127.0.0.1"]
        return [self.executable, "serve", "--data", self.data, *listeners, *(laboratory if self.lab else ()),
                "--ready-file", self.ready_file, *self.options]

    def _launch(self):
        self.ready_file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env=environment(**self.variables))

    def kill_in_start(self, moment):
        """Starts, and SIGKILLs when `moment()` holds, at the latest when everything is ready."""
        self._launch()
        end = time.monotonic() + READY_SECONDS
        while not moment() and not self.ready_file.exists():
            assert self._process.poll() is None, f"postern ended by itself:\n{self.log_tail()}"
            assert time.monotonic() < end, f"not ready within {READY_SECONDS} s:\n{self.log_tail()}"
        self.kill()

    def start_and_die(self, give_up, seconds=READY_SECONDS):
        """Starts, and waits until it was SIGKILLed by itself, in the start or later. `give_up()` is asked meanwhile
        and says why there is no hope of that, or nothing."""
        self._launch()
        end = time.monotonic() + seconds
        while self._process.poll() is None:
            reason = give_up()
            assert not reason, f"{reason}:\n{self.log_tail()}"
            assert time.monotonic() < end, f"not dead within {seconds} s:\n{self.log_tail()}"
            time.sleep(0.005)
        status = self._process.returncode
        self._process = None
        assert status == -signal.SIGKILL, f"postern ended with status {status}:\n{self.log_tail()}"

    def start(self):
        self._launch()
        end = time.monotonic() + READY_SECONDS
        while not self.ready_file.exists():
            status = self._process.poll()
            assert status is None, f"postern ended with status {status} before it was ready:\n{self.log_tail()}"
            assert time.monotonic() < end, f"not ready within {READY_SECONDS} s:\n{self.log_tail()}"
            time.sleep(0.002)
        self.ready = json.loads(self.ready_file.read_text())

    def port(self, listener):
        """Where it was told to listen; 0 for a port of its own choice."""
        return int(self.listeners[listener].rsplit(":", 1)[1])

    def start_refused(self, *more):
        """A start that must end by itself: (status, what it said). `more` are options added to the usual ones."""
        done = subprocess.run([*map(str, self._command()), *map(str, more)], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=READY_SECONDS,
                              env=environment(**self.variables))
        return done.returncode, done.stdout

    @property
    def pid(self):
        """Of the running process, or None."""
        return self._process.pid if self._process else None

    def stop(self):
        """SIGTERM; the exit status must be 0."""
        if self._process is not None:
            self._process.terminate()
            self.await_end()

    def await_end(self):
        """After a SIGTERM that was sent already; the exit status must be 0."""
        process, self._process = self._process, None
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"SIGTERM did not end postern within {STOP_SECONDS} s:\n{self.log_tail()}") from None
        assert status == 0, f"postern ended with status {status} on SIGTERM:\n{self.log_tail()}"

    def await_own_end(self):
        """The status of a process that ends without being told to."""
        process, self._process = self._process, None
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"postern did not end by itself:\n{self.log_tail()}") from None

    def kill(self):
        """SIGKILL, as a crash would."""
        process, self._process = self._process, None
        process.kill()
        process.wait()

    def events(self, name):
        """How often the log has an event, over all starts."""
        return self.log.read_text(errors="replace").count(f'"event":"{name}"')

    def lines(self, name):
        """The log's lines of an event, over all starts, as dicts. Of a running server the last may be half written, and is left out."""
        whole = self.log.read_text(errors="replace").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if f'"event":"{name}"' in line]

    def log_tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    @property
    def root(self):
        """Path of the root certificate's PEM."""
        return self.ready["root"]

    def directory(self, endpoint="default"):
        """The ready file lists what existed at the start; an endpoint applied later has the same shape."""
        return self.ready["acme"]["default"].replace("/acme/default/", f"/acme/{endpoint}/")

    def scep(self, endpoint="devices"):
        """The URL of a SCEP endpoint, over plain HTTP."""
        return self.ready["scep"]["devices"].replace("/scep/devices", f"/scep/{endpoint}")

    def est(self, endpoint):
        """The URL of an EST endpoint. The ready file says where they are once the server started with one."""
        known = next(iter(self.ready["est"].values()))
        return known.rsplit("/", 1)[0] + f"/{endpoint}"

    def access_code(self):
        """What the first start left for the default SCEP endpoint's devices."""
        return self._first_secret("access_code")

    def basic(self):
        """User name and password that the first start left for the default EST endpoint."""
        return self._first_secret("user"), self._first_secret("password")

    def _first_secret(self, key):
        return re.search(rf'^{key} = "(.+)"$', (self.data / "first-account").read_text(), re.MULTILINE)[1]

    def verb(self, *arguments):
        """Runs a verb as it is written; gives the finished process."""
        return subprocess.run([self.executable, *map(str, arguments)], text=True, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, env=environment(), timeout=VERB_SECONDS)

    def cli(self, *arguments):
        """Runs a verb on the data folder; a non-zero status fails the test. Gives standard output."""
        done = self.verb(*arguments, "--data", self.data)
        assert done.returncode == 0, f"{' '.join(map(str, done.args))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def apply(self, document):
        """Applies a TOML file; gives the secrets that were generated, by account name."""
        report = json.loads(self.cli("apply", document, "--json"))
        return {secret["account"].split("/")[-1]: secret for secret in report["secrets"]}

    def all_certificates(self):
        """What `cert list` prints: oldest first, while they are one page of a thousand."""
        lines = self.cli("cert", "list", "--json").splitlines()
        return [json.loads(line) for line in lines if line.strip()]

    def certificates(self, name):
        """What is stored for a name, oldest first."""
        return [row for row in self.all_certificates() if name in row["names"]]

    def explain(self, reference):
        """The records of a request, an enrollment or a serial."""
        return json.loads(self.cli("explain", reference, "--json"))["records"]
