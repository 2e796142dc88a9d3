"""What the ACME clients of conformance/acme have in common. Each object is one installation with its own account."""
import os
import pwd
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..environment import environment
from ..ports import free_port
from ..waiting import until
from ..web import ChallengeWeb

# No case depends on them: they only keep what hangs from holding the rest up for ever.
CLIENT_SECONDS = 600
STOP_SECONDS = 60
_UNPRIVILEGED = "nobody"


@dataclass
class Eab:
    key_id: str
    mac_key: str


@dataclass
class Run:
    """One run of a client: its status, all it printed, and where the certificate is if it got one.

    `certificate` begins with the leaf; `chain` has its issuers, and may be the same file."""

    status: int
    output: str
    certificate: Path
    chain: Path

    @property
    def words(self):
        """The output without the client's line breaks, and without the escapes of one that logs JSON."""
        return " ".join(self.output.replace('\\"', '"').split())


def own(path):
    """Gives what was just made to whoever owns the folder that it is in."""
    above = path.parent.stat()
    if os.getuid() == 0:
        os.chown(path, above.st_uid, above.st_gid)
    return path


def own_folder(path):
    if not path.is_dir():
        own_folder(path.parent)
        path.mkdir(mode=0o755)
        own(path)
    return path


def own_file(path, text, mode=0o644):
    path.write_text(text)
    path.chmod(mode)
    return own(path)


@contextmanager
def unprivileged_folder():
    """For clients; where root runs the tests it is not root's, and neither are the clients in it."""
    with tempfile.TemporaryDirectory(prefix="postern-clients-", dir="/tmp") as made:
        if os.getuid() == 0:
            nobody = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(made, nobody.pw_uid, nobody.pw_gid)
        yield Path(made)


class Client:
    """Runs as whoever owns its folder. `eab` binds the account; `key` is "ecdsa" or "rsa", None: what the client makes by itself.
    `challenge`: how it proves names, one of its `challenges`; by dns-01 its hook leaves TXT records in the folder `zone`: a file of the owner's
    name, a line a record."""

    name = ""
    package = ""            # Debian's, whose version the table is of
    cannot = {}             # what the client has no way to do -> why
    challenges = ("http-01",)
    addresses = False       # whether it orders IP addresses
    one_certificate_a_name = False
    # What the person reads where an account is not bound, though it must be: the server's words, or the client's in their place.
    account_required = "takes accounts with an externalAccountBinding only"

    def __init__(self, server, folder, endpoint="default", eab=None, key=None, challenge="http-01", zone=None):
        assert challenge in self.challenges, challenge
        self.server = server
        self.folder = folder
        self.endpoint = endpoint
        self.eab = eab
        self.key = key
        self.challenge = challenge
        self.zone = zone

    def _hook(self, name, *lines):
        """A script for the shell; `record OWNER VALUE` and `forget OWNER` change the zone."""
        text = f"""#!/bin/sh
record() {{ printf '%s\\n' "$2" >> '{self.zone}'/"${{1%.}}"; }}
forget() {{ rm -f '{self.zone}'/"${{1%.}}"; }}
"""
        return own_file(self.folder / name, text + "\n".join(lines) + "\n", 0o755)

    @property
    def root(self):
        """A copy of the root's PEM that the client's user can read."""
        path, pem = self.folder / "laboratory-root.pem", Path(self.server.root).read_text()
        if not path.exists() or path.read_text() != pem:
            own_file(path, pem)
        return path

    @property
    def directory(self):
        return self.server.directory(self.endpoint)

    def _as_owner(self):
        owner = self.folder.stat()
        if os.getuid() != 0 or owner.st_uid == 0:
            return []
        return ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]

    def _command(self, command):
        return [*self._as_owner(), *map(str, command)]

    def _environment(self, variables):
        # The tests' own folder for temporary files is root's where root runs them.
        return environment(HOME=str(self.folder), TMPDIR=str(self.folder), **{key: str(value) for key, value in variables.items()})

    def _run(self, command, certificate, chain, stdout=None, **variables):
        """With `stdout`, what the client prints there goes to that file, and the output is its standard error."""
        with (self.folder / "client.log").open("ab") as log:
            log.write((" ".join(map(str, command)) + "\n").encode())
            with stdout.open("wb") if stdout else open(os.devnull, "wb") as out:
                done = subprocess.run(self._command(command), stdin=subprocess.DEVNULL, stdout=out if stdout else subprocess.PIPE,
                                      stderr=subprocess.PIPE if stdout else subprocess.STDOUT, check=False, timeout=CLIENT_SECONDS,
                                      cwd=self.folder, env=self._environment(variables))
            said = done.stderr if stdout else done.stdout
            log.write(said)
        return Run(done.returncode, said.decode(errors="replace"), certificate, chain)

    @contextmanager
    def _website(self, webroot):
        """The folder below which the client leaves its key authorizations: `webroot`, whose server is there, or one of our own."""
        if webroot:
            yield own_folder(webroot)
            return
        with ChallengeWeb(self.server.http01_port, own_folder(self.folder / "webroot"), "good") as site:
            yield site.folder


class Daemon(Client):
    """A client that is a server, and goes on until it is told to end."""

    def _http_port(self, webroot):
        """It answers challenges itself: with `webroot` where nobody asks, since another server has the port."""
        return free_port() if webroot else self.server.http01_port

    def _serve(self, command, log, ended, certificate, **variables):
        """Runs until `ended(text of the log)` gives a status, then ends the process by its id. `log` is what a person reads."""
        log.touch()
        own(log)
        begin = log.stat().st_size

        def since():
            return log.read_bytes()[begin:].decode(errors="replace")

        with (self.folder / "daemon.log").open("ab") as out:
            process = subprocess.Popen(self._command(command), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                                       env=self._environment(variables))
        try:
            def status():
                assert process.poll() is None, f"{self.name} ended by itself:\n{(self.folder / 'daemon.log').read_text(errors='replace')}\n{since()}"
                said = ended(since())
                return None if said is None else (said,)
            (result,) = until(status, f"{self.name} gave no result", CLIENT_SECONDS)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"SIGTERM did not end {self.name}") from None
        return Run(result, since(), certificate, certificate)
