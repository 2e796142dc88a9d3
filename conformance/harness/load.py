"""The load generators of bench/ as clients: many certificates at once, each on record before the next step."""
import json
import subprocess
import time

from .environment import EST_LOAD, LOAD, SCEP_LOAD, environment

NET_SECONDS = 240


class _Stream:
    """A stream of enrollments. It goes on when the server is killed and started again."""

    def __init__(self, program, folder, name, seconds, options):
        self.journal_file = folder / f"{name}journal"
        self.journal_file.touch()
        self._log = folder / f"{name}load.log"
        self._seconds = seconds
        with self._log.open("wb") as out:
            self._process = subprocess.Popen([program, *map(str, options), "--warmup", "0", "--json", "--journal", self.journal_file, "--time-limit", str(seconds)],
                                             stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment())

    def received(self):
        return self.journal_file.read_bytes().count(b"\n")

    def journal(self):
        """[(order token, SCEP transaction or common name by EST, serial, SHA-256)] of what was received."""
        entries = []
        for line in self.journal_file.read_text().splitlines():
            request, serial, sha256 = line.split()
            entries.append((request.rsplit("/", 1)[-1], serial, sha256))
        return entries

    def running(self):
        return self._process.poll() is None

    def await_growth(self, growth):
        """Until so many more certificates have been received."""
        wanted = self.received() + growth
        end = time.monotonic() + self._seconds
        while self.received() < wanted:
            assert self.running(), f"the stream ended early: {self._log.read_text()}"
            assert time.monotonic() < end, f"no progress: {self._log.read_text()}"
            time.sleep(0.001)

    def await_received(self, wanted):
        """Until so many certificates have been received in all."""
        self.await_growth(wanted - self.received())

    def report(self):
        """What the load generator said at its end: issued, failures, lost_exchanges, answered_500 …"""
        return json.loads(self._log.read_text().splitlines()[-1])

    def await_end(self):
        """Every order must have been answered with a certificate."""
        assert self._process.wait(self._seconds) == 0, self._log.read_text()
        return self.journal()

    def await_process(self):
        """However it ends."""
        self._process.wait(self._seconds)

    def kill(self):
        if self.running():
            self._process.kill()
            self._process.wait()


class Stream(_Stream):
    """ACME orders by http-01."""

    def __init__(self, server, folder, orders, workers=16, retry=True, seconds=NET_SECONDS, options=()):
        super().__init__(LOAD, folder, "", seconds, [
            "--directory", server.directory(), "--ca", server.root, "--suffix", server.suffix, "--http01-port", server.http01_port,
            "--orders", orders, "--workers", workers, *(["--retry", "--retry-for", seconds] if retry else []), *options])


class ScepStream(_Stream):
    """PKCSReq with the default endpoint's access code."""

    def __init__(self, server, folder, enrollments, workers=16, seconds=NET_SECONDS, options=()):
        super().__init__(SCEP_LOAD, folder, "scep-", seconds, [
            "--url", server.scep(), "--challenge", server.access_code(), "--enrollments", enrollments, "--workers", workers, "--devices", 8,
            "--retry", "--retry-for", seconds, *options])


class EstStream(_Stream):
    """simpleenroll by the default endpoint's user name and password, each for a name of its own."""

    def __init__(self, server, folder, enrollments, workers=16, seconds=NET_SECONDS, options=()):
        user, password = server.basic()
        super().__init__(EST_LOAD, folder, "est-", seconds, [
            "--url", server.est("equipment"), "--ca", server.root, "--user", user, "--password", password, "--enrollments", enrollments,
            "--workers", workers, "--retry", "--retry-for", seconds, *options])


def enroll(server, folder, orders=1):
    """The journal of so many enrollments at a server of the laboratory."""
    stream = Stream(server, folder, orders, workers=1)
    try:
        return stream.await_end()
    finally:
        stream.kill()
