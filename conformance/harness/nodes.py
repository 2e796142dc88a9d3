"""Several Posterns on one database behind one URL, spoken to like one."""
import os
import time
from urllib.parse import urlsplit

from .ports import free_port
from .relay import Relay
from .server import Postern
from .wire import ask

LISTENERS = ("https", "est", "http")
APPLY_SECONDS = 60


class Nodes:
    """`count` nodes: each with a data folder of its own, and nothing in common but database, master key and the
    public URLs, which lead to relays that give every connection to another node."""

    def __init__(self, executable, folder, suffix, database, count, lab=True, options=(), configuration=""):
        """`configuration`: more of every node's postern.toml."""
        self.suffix, self._database = suffix, database
        self.relays = {name: Relay(free_port(), lambda name=name: self._ports(name)) for name in LISTENERS}
        key = folder / "master"
        key.touch(0o600)
        key.write_bytes(os.urandom(32))
        self.config = config = folder / "postern.toml"
        config.write_text(f"""
[public]
https = "https://127.0.0.1:{self.relays['https'].port}"
http = "http://127.0.0.1:{self.relays['http'].port}"
est = "https://127.0.0.1:{self.relays['est'].port}"
[store]
url = "{database.url}"
shared = true
connections = 8
[secrets]
master_key_file = "{key}"
{configuration}""", encoding="utf-8")
        self.nodes = []
        for number in range(1, count + 1):
            own = folder / f"node{number}"
            own.mkdir()
            self.nodes.append(Postern(executable, own, suffix, lab, options=("--config", config, *options)))
        self.http01_port, self.tls_alpn01_port = self.nodes[0].http01_port, self.nodes[0].tls_alpn01_port
        for node in self.nodes:
            node.http01_port, node.tls_alpn01_port = self.http01_port, self.tls_alpn01_port

    def _ports(self, name):
        return [node.port(name) for node in self.nodes if node.pid]

    def start(self):
        for relay in self.relays.values():
            relay.start()
        for node in self.nodes:
            node.start()

    def stop(self):
        """All of them, whatever becomes of one; the first that does not stop cleanly fails the test."""
        failures = []
        for node in self.nodes:
            try:
                node.stop()
            except AssertionError as failure:
                failures.append(failure)
        for relay in self.relays.values():
            relay.stop()
        if failures:
            raise failures[0]

    @property
    def first(self):
        """The one whose command line is asked."""
        return self.nodes[0]

    @property
    def data(self):
        return self.first.data

    @property
    def root(self):
        return self.first.root

    def directory(self, endpoint="default"):
        return self.first.directory(endpoint)

    def scep(self, endpoint="devices"):
        return self.first.scep(endpoint)

    def est(self, endpoint):
        return f"https://127.0.0.1:{self.relays['est'].port}/.well-known/est/{endpoint}"

    def apply(self, document):
        """Applied on one node; done when every node goes by it and serves every endpoint that the document enables."""
        secrets = self.first.apply(document)
        version = int(self._database.value("SELECT version FROM configuration WHERE id = 1"))
        for node in self.nodes:
            self._await_version(node, version)
        endpoints = document.read_text().split("[[endpoint]]")[1:]
        for node in self.nodes:
            for block in endpoints:
                words = dict(line.split(" = ", 1) for line in block.partition("\n[[")[0].splitlines() if " = " in line)
                if words.get("enabled") != "false":
                    self._await_endpoint(node, words["name"].strip('"'), words["protocol"].strip('"'))
        return secrets

    @staticmethod
    def _await_version(node, version):
        end = time.monotonic() + APPLY_SECONDS
        while max((int(line["version"]) for line in node.lines("catalog_current")), default=0) < version:
            assert time.monotonic() < end, f"node {node.data.parent.name} does not go by version {version}:\n{node.log_tail()}"
            time.sleep(0.05)

    def _await_endpoint(self, node, name, protocol):
        path = {"acme": lambda: urlsplit(self.directory(name)).path, "scep": lambda: urlsplit(self.scep(name)).path + "?operation=GetCACaps",
                "est": lambda: urlsplit(self.est(name)).path + "/cacerts"}[protocol]()
        listener = "est" if protocol == "est" else "https"
        end = time.monotonic() + APPLY_SECONDS
        while ask(f"https://127.0.0.1:{node.port(listener)}{path}", root=node.root).status != 200:
            assert time.monotonic() < end, f"node {node.data.parent.name} does not know endpoint {name}:\n{node.log_tail()}"
            time.sleep(0.05)

    def connections(self):
        """How many connections each node was given by clients."""
        return [sum(self.relays[name].served.get(node.port(name), 0) for name in LISTENERS) for node in self.nodes]

    def verb(self, *arguments):
        return self.first.verb(*arguments)

    def cli(self, *arguments):
        return self.first.cli(*arguments)

    def all_certificates(self):
        return self.first.all_certificates()

    def certificates(self, name):
        return self.first.certificates(name)

    def explain(self, reference):
        return self.first.explain(reference)

    def log_tail(self):
        return "\n".join(f"{node.data.parent.name}:\n{node.log_tail()}" for node in self.nodes)
