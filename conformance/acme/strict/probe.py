"""The means of a row: a server, clients of it, and what must be true of an answer."""
import itertools
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from harness.http_wire import BadAnswer, Closed, Connection
from harness.jose import Key

from .answers import URN, Deviation, NotOffered, kind_of, parsed, shown
from .client import Client

__all__ = ["Deviation", "NotOffered", "Probe", "ROWS", "Row", "Target", "kind_of", "parsed", "row", "run", "shown"]  # what rows take from here


@dataclass
class Row:
    name: str
    section: str     # of acme.md
    rfc: str         # what wants it
    threats: tuple   # rows of threats.md
    sends: str
    expected: str
    run: object

    def __str__(self):
        return self.name


ROWS = []


def row(section, rfc, sends, expected, *threats):
    """Adds a row: a function of a Probe, which may return what was seen."""
    def add(function):
        assert all(known.name != function.__name__ for known in ROWS), function.__name__
        ROWS.append(Row(function.__name__, section, rfc, threats, sends, expected, function))
        return function
    return add


@dataclass
class Endpoint:
    """`url`: of a directory. `cacert`: PEM file of the root of its TLS certificate. `bindings`: (key id, MAC key in base64url) for accounts."""

    url: str
    cacert: str
    bindings: list = field(default_factory=list)
    resources: dict = None  # the directory, once it was read

    def connect(self, url=None):
        parts = urlsplit(url or self.url)
        return Connection(parts.hostname, parts.port or 443, self.cacert, chunked=True)


@dataclass
class Target:
    """A server and what of it cannot be asked.

    main    where most is asked
    world   what the server asks back: web, name and TLS servers (world.World)
    suffix  names below it are issued, and lead to `world`
    others  role -> Endpoint: see ../probe
    hooks   what its administrator can do, by name: `change_terms()`, `require_binding()`, `disable_binding()`, `advance(seconds)`, `status(serial in hex)`
            gives ("valid" or "revoked", the reason's number) as stored, `approve(name)`
    """

    main: Endpoint
    world: object
    suffix: str
    others: dict = field(default_factory=dict)
    hooks: dict = field(default_factory=dict)
    kept: dict = field(default_factory=dict)  # what rows share: made once, of nobody's row
    server: object = None  # harness.server.Postern, where it was started here


class Probe:
    """One row's means. `issued`: certificates that were received; `exchanges`: all that was said."""

    _numbers = itertools.count(int(time.time()) % 100_000)

    def __init__(self, target, name="row"):
        self.target, self.world = target, target.world
        self.label = name.replace("_", "-")
        self.names, self.issued, self.exchanges, self._clients = [], [], [], []
        self._began = time.monotonic()
        self.seconds = 0.0  # once the row is over

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self._clients:
            client.close()
        self.world.reset()
        self.seconds = time.monotonic() - self._began

    # ---- judging

    def need(self, holds, seen):
        if not holds:
            raise Deviation(seen)

    def ok(self, answer, *statuses):
        """The answer, if it has one of these statuses (200 if none is named)."""
        self.need(answer.status in (statuses or (200,)), shown(answer))
        return answer

    def problem(self, answer, statuses, types, *words):
        """The problem document (RFC 7807), if it has one of the statuses and types and its detail these words."""
        statuses = (statuses,) if isinstance(statuses, int) else statuses
        types = (types,) if isinstance(types, str) else types
        self.need(answer.status in statuses, shown(answer))
        self.need(answer.media_type == "application/problem+json", f"{answer.status} as {answer.get('Content-Type')!r}")
        said = parsed(answer)
        kind = str(said.get("type"))
        self.need(kind.startswith(URN) and kind.removeprefix(URN) in types, shown(answer))
        self.need(isinstance(said.get("detail"), str) and said["detail"], f"{kind} without detail")
        for word in words:
            self.need(word.lower() in said["detail"].lower(), f"detail {said['detail']!r} without {word!r}")
        return said

    def error_of(self, thing, *types):
        """The `error` of a challenge or an order."""
        error = thing.get("error")
        self.need(isinstance(error, dict), f"status {thing.get('status')} without error")
        self.need(str(error.get("type")).removeprefix(URN) in types, f"error {error.get('type')}: {str(error.get('detail'))[:80]}")
        return error

    # ---- what the server has

    def other(self, role):
        if role not in self.target.others:
            raise NotOffered(f"no endpoint was named for {role}")
        return self.target.others[role]

    def hook(self, name):
        if name not in self.target.hooks:
            raise NotOffered(f"nobody here can {name.replace('_', ' ')}")
        return self.target.hooks[name]

    def directory(self, endpoint=None):
        endpoint = endpoint or self.target.main
        if endpoint.resources is None:
            with endpoint.connect() as wire:
                endpoint.resources = parsed(wire.ask("GET", urlsplit(endpoint.url).path))
        return endpoint.resources

    def meta(self, endpoint=None):
        return self.directory(endpoint).get("meta") or {}

    def offers(self, resource, endpoint=None):
        if resource not in self.directory(endpoint):
            raise NotOffered(f"the directory has no {resource}")
        return self.directory(endpoint)[resource]

    def kept(self, name, make):
        """What is made once for all rows, by whichever asks first."""
        if name not in self.target.kept:
            self.target.kept[name] = make()
        return self.target.kept[name]

    # ---- who asks

    def client(self, endpoint=None, kind="P-256", key=None):
        """Somebody without an account."""
        made = Client(self, endpoint or self.target.main, key or Key(kind))
        self._clients.append(made)
        return made

    def account(self, endpoint=None, kind="P-256", key=None, **payload):
        """Somebody with an account."""
        made = self.client(endpoint, kind, key)
        answer = made.register(**payload)
        self.ok(answer, 201)
        return made

    def name(self, before="", below=None):
        """A name that nobody asked for before."""
        label = f"{next(self._numbers)}-{self.label}"[:60].rstrip("-")
        made = f"{before}p{label}.{below or self.target.suffix}"
        self.names.append(made)
        return made


def run(one, target):
    """(outcome, seen, probe); the outcome is pass, fail or "not offered"."""
    with Probe(target, one.name) as probe:
        try:
            return "pass", one.run(probe) or "as expected", probe
        except Deviation as wrong:
            return "fail", str(wrong), probe
        except NotOffered as why:
            return "not offered", str(why), probe
        except (BadAnswer, Closed, OSError) as broken:
            return "fail", f"{type(broken).__name__}: {broken}", probe
