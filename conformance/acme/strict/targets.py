"""Servers that are started for the probe: Postern as the suite starts it, and Debian's Pebble (package pebble)."""
import contextlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from harness import jose
from harness.environment import environment, executable
from harness.nodes import Nodes
from harness.ports import free_port
from harness.server import Postern
from harness.weak_keys import DATA

from .probe import Endpoint, Target
from .world import World

DOCUMENT = Path(__file__).resolve().parents[1] / "probe_target.toml"
SUFFIX = "probe.test"
START_SECONDS = 60
DNS = '[dns]\nservers = ["127.0.0.1@{port}"]\nallow_loopback_servers = true\ndnssec = false\n'


def _status(server):
    def status(serial):
        """("valid" or "revoked", reason) of a stored certificate."""
        found = json.loads(server.cli("cert", "show", serial, "--json"))
        return ("revoked", found["reason"]) if found["status"] == "revoked" else ("valid", None)
    return status


def _bindings(secrets, *names):
    return [(secrets[name]["keyId"], secrets[name]["macKey"]) for name in names]


def _changed(server, folder, *edits):
    """Applies the document with texts replaced."""
    text = DOCUMENT.read_text()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    document = folder / "changed.toml"
    document.write_text(text)
    server.apply(document)


@contextlib.contextmanager
def postern(folder, database=None, count=1):
    """A laboratory whose names all lead to the probe's World, and beside it a server that is none (`guarded`), and one whose clock goes
    forward (`late`)."""
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
                server.http01_port = world.http_port
            for one in getattr(server, "nodes", ()):
                one.http01_port = world.http_port
            stack.callback(server.stop)
            server.start()
            return server

        main = start("main", '[validation]\nhttp_01_timeout = "60s"\n', nodes=count)
        late = start("late", '[validation]\nhttp_01_timeout = "1s"\n')
        guarded = start("guarded", lab=False)
        secrets = main.apply(DOCUMENT)
        main.cli("key", "block", "--file", DATA / "keys/debian-weak.openssl-blacklist", "--reason", "Debian weak key")
        for server in (late, guarded):
            server.apply(DOCUMENT)

        def endpoint(name, server=main, *accounts):
            return Endpoint(server.directory(name), str(server.root), _bindings(secrets, *accounts))

        others = {"bound": endpoint("bound", main, "bound", "bound-two"), "once": endpoint("once", main, "once", "once-two"), "elsewhere": endpoint("elsewhere"), "terms": endpoint("terms"),
                  "pending": endpoint("pending"), "loose": endpoint("loose"), "scoped": endpoint("scoped"), "late": endpoint("probed", late),
                  "guarded": endpoint("guarded", guarded)}
        hooks = {"status": _status(main), "late_status": _status(late),
                 "change_terms": lambda: _changed(main, folder, ("https://terms.example/1", "https://terms.example/2")),
                 "require_binding": lambda: _changed(main, folder, ('name = "loose"\nprotocol = "acme"\nprofiles = ["probed"]\nexternal_account_required = false',
                                                                    'name = "loose"\nprotocol = "acme"\nprofiles = ["probed"]\nexternal_account_required = true')),
                 "advance": lambda seconds: late.cli("clock", "advance", f"{seconds}s"),
                 "approve": lambda name: _approve(main, name)}
        target = Target(endpoint("probed"), world, SUFFIX, others, hooks)
        target.server = main
        yield target


def _approve(server, name):
    end = time.monotonic() + START_SECONDS
    while True:
        lines = server.cli("request", "list", "--status", "pending_approval", "--json").splitlines()
        for row in map(json.loads, lines):
            if name in row["names"]:
                return server.cli("request", "approve", row["id"])
        assert time.monotonic() < end, f"no request for {name} waits"


def pebble_version():
    done = subprocess.run(["dpkg-query", "-W", "-f", "Pebble ${Version} (Debian)", "pebble"], text=True, capture_output=True, check=False)
    return done.stdout or "Pebble"


@contextlib.contextmanager
def pebble(folder):
    """Debian's Pebble three times: open, with account bindings required, with 30 % of nonces refused. No sleeps, no authorizations reused."""
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
            own = environment(PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT=str(nonces_refused), PEBBLE_AUTHZREUSE="0")
            with log.open("wb") as out:
                child = subprocess.Popen(["pebble", "-config", config, "-dnsserver", f"127.0.0.1:{world.dns.port}"], stdin=subprocess.DEVNULL, stdout=out,
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
