"""Servers that are started for the probe: Postern as the suite starts it, and Debian's Pebble (package pebble)."""
import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from harness import jose, rollover
from harness.environment import environment, executable
from harness.laboratory import LaboratoryClock, nodes_of
from harness.nodes import Nodes
from harness.ports import free_port
from harness.server import Postern
from harness.waiting import until
from harness.weak_keys import DATA
from harness.wire import ask

from .probe import Endpoint, Target, run
from .world import World

DOCUMENT = Path(__file__).resolve().parents[1] / "probe_target.toml"
SUFFIX = "probe.test"
START_SECONDS = 60
SILENCE = "Closed: silence"
LOOSE = 'name = "loose"\nprotocol = "acme"\nprofiles = ["probed"]\nexternal_account_required = '
DNS = '[dns]\nservers = ["127.0.0.1@{port}"]\nallow_loopback_servers = true\ndnssec = false\n'


def _status(server):
    def status(serial):
        """("valid" or "revoked", reason) of a stored certificate."""
        found = json.loads(server.cli("cert", "show", serial, "--json"))
        return ("revoked", found["reason"]) if found["status"] == "revoked" else ("valid", None)
    return status


def _bindings(secrets, *names):
    return [(secrets[name]["keyId"], secrets[name]["macKey"]) for name in names]


class Administrator:
    """Changes what the document says, one thing after the other. That every node knows is seen by the website of `probed`, which changes too."""

    def __init__(self, server, folder):
        self.server, self.path, self.text = server, folder / "changed.toml", DOCUMENT.read_text()
        self._changes = itertools.count(1)

    def replaces(self, old, new):
        """A function that does it."""
        def change():
            assert old in self.text, old
            website = f"https://website.example/{next(self._changes)}"
            self.text = re.sub(r"https://website\.example/\d+", website, self.text.replace(old, new))
            self.path.write_text(self.text)
            self.server.apply(self.path)
            path = urlsplit(self.server.directory("probed")).path
            for node in nodes_of(self.server):
                where = f"https://127.0.0.1:{node.port('https')}{path}"
                until(lambda where=where, root=node.root: website in ask(where, root=root).body.decode(), f"{where} has not {website}")
        return change


@contextlib.contextmanager
def postern(folder, database=None, count=1):
    """A laboratory whose names all lead to the probe's World, of `count` nodes, and beside it a server that is none (`guarded`), one whose clock
    goes forward (`late`), one that validates for a second at most (`hasty`) and one whose root was succeeded (`succeeded`)."""
    world = World(free_port(), free_port(), free_port())
    configuration = DNS.format(port=world.dns.port)
    with contextlib.ExitStack() as stack:
        stack.callback(world.close)

        def start(name, more="", lab=True, nodes=1):
            own = folder / name
            own.mkdir()
            made = database.cluster.database() if database else None
            if nodes > 1:
                server = Nodes(executable(), own, "unused.test", made, nodes, configuration=configuration + more)
            else:
                config = own / "postern.toml"
                config.write_text(configuration + more)
                server = Postern(executable(), own, "unused.test", lab, ("--config", config, *(("--store", made.url) if made else ())))
                server.http01_port, server.tls_alpn01_port = world.http_port, world.tls_port
            for one in getattr(server, "nodes", ()):
                one.http01_port, one.tls_alpn01_port = world.http_port, world.tls_port
            stack.callback(server.stop)
            server.start()
            return server

        # A row that holds the web server's answer back must not be timed, and one that waits for the last attempt does not wait for many.
        patient = '[validation]\nhttp_01_timeout = "60s"\nretries = ["10ms"]\n'
        main = start("main", patient, nodes=count)
        late = start("late", patient.replace("10ms", "1h"))  # the next attempt comes by a post, or when the clock goes forward
        hasty = start("hasty", patient.replace("60s", "1s"))
        guarded = start("guarded", lab=False)
        secrets = main.apply(DOCUMENT)
        main.cli("key", "block", "--file", DATA / "keys/debian-weak.openssl-blacklist", "--reason", "Debian weak key")
        succeeded = start("succeeded", patient)
        other_root = rollover.succeed_root(succeeded)
        for server in (late, hasty, guarded, succeeded):
            server.apply(DOCUMENT)

        def endpoint(name, server=main, *accounts):
            return Endpoint(server.directory(name), str(server.root), _bindings(secrets, *accounts))

        rollover.await_takeover(succeeded, other_root)
        others = {"bound": endpoint("bound", main, "bound", "bound-two"), "once": endpoint("once", main, "once", "once-two"), "elsewhere": endpoint("elsewhere"), "ended": endpoint("ended", main, "ended"), "terms": endpoint("terms"),
                  "pending": endpoint("pending"), "loose": endpoint("loose"), "scoped": endpoint("scoped"), "late": endpoint("probed", late), "hasty": endpoint("probed", hasty),
                  "succeeded": endpoint("probed", succeeded),
                  "guarded": endpoint("guarded", guarded)}
        says = Administrator(main, folder)
        hooks = {"status": _status(main), "advance": LaboratoryClock(late).advance, "approve": lambda name: _approve(main, name),
                 "change_terms": says.replaces("https://terms.example/1", "https://terms.example/2"),
                 "require_binding": says.replaces(LOOSE + "false", LOOSE + "true"),
                 "disable_binding": says.replaces('name = "bound-two"', 'name = "bound-two"\nenabled = false')}
        yield Target(endpoint("probed"), world, SUFFIX, others, hooks, server=main)


def _approve(server, name):
    def waiting():
        lines = server.cli("request", "list", "--status", "pending_approval", "--json").splitlines()
        return next((row["id"] for row in map(json.loads, lines) if name in row["names"]), None)
    server.cli("request", "approve", until(waiting, f"no request for {name} waits"))


@contextlib.contextmanager
def pebble(folder):
    """Debian's Pebble three times: open, with account bindings required, with 30 % of nonces refused. No sleeps, no authorizations reused; one
    core, since it may lock itself up on two."""
    assert shutil.which("pebble"), "not installed: pebble"
    world = World(free_port(), free_port(), free_port())
    certificate, key = folder / "tls.pem", folder / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    bindings = [(f"kid-{number}", jose.b64(os.urandom(32))) for number in range(4)]
    with contextlib.ExitStack() as stack:
        stack.callback(world.close)

        def start(name, required=False, nonces_refused=0):
            port, config, log = free_port(), folder / f"{name}.json", folder / f"{name}.log"
            config.write_text(json.dumps({"pebble": {
                "listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{free_port()}", "certificate": str(certificate),
                "privateKey": str(key), "httpPort": world.http_port, "tlsPort": world.tls_port, "ocspResponderURL": "",
                "externalAccountBindingRequired": required, "externalAccountMACKeys": dict(bindings) if required else {}}}))
            own = environment(PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT=str(nonces_refused), PEBBLE_AUTHZREUSE="0", GOMAXPROCS="1")
            with log.open("wb") as out:
                child = subprocess.Popen(["taskset", "-c", "0", "pebble", "-config", config, "-dnsserver", f"127.0.0.1:{world.dns.port}"], stdin=subprocess.DEVNULL, stdout=out,
                                         stderr=out, env=own)
            stack.callback(lambda: (child.terminate(), child.wait()))
            endpoint = Endpoint(f"https://localhost:{port}/dir", str(certificate), bindings if required else [])
            end = time.monotonic() + START_SECONDS
            while True:
                try:
                    endpoint.connect().close()
                    return endpoint
                except OSError:
                    assert child.poll() is None and time.monotonic() < end, log.read_text(errors="replace")
                    time.sleep(0.05)

        others = {"bound": start("bound", required=True), "chaos": start("chaos", nonces_refused=30)}
        yield Target(start("open"), world, SUFFIX, others)


STARTED = {"postern": postern, "pebble": pebble}


def ask_all(kind, rows, told=lambda one, outcome, seen, asked: None):
    """[(row, outcome, seen)] of a server that is started here. One that locks itself up (it takes requests and answers none) is started anew,
    and that row asked again: what it shows twice is the row's. `told` gets each result."""
    results, left, again = [], list(rows), False
    while left:
        with tempfile.TemporaryDirectory(prefix="acme-probe-") as folder, STARTED[kind](Path(folder)) as target:
            while left:
                outcome, seen, asked = run(left[0], target)
                if SILENCE in seen and not again:
                    again = True
                    break
                again = False
                results.append((left.pop(0), outcome, seen))
                told(*results[-1], asked)
    return results
