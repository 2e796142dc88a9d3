"""The house under attack: a server of its own, the name owner's web server, and connections to both."""
import http.server
import threading
from urllib.parse import urlsplit

from client import Acme
from harness.environment import LOAD, executable
from harness.server import Postern
from octets import Connection, trusting

SUFFIX = "abuse.test"
# Preloaded into the server where it was built: counts the octets of the heap exactly.
HEAP_COUNTER = LOAD.with_name("heap_count.so")
PREFIX = "/.well-known/acme-challenge/"


class Web:
    """The web server of whoever owns a name: it serves what it was told to."""

    def __init__(self, port):
        self._texts = {}
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802  (the name is http.server's)
                body = web._texts.get(self.path.removeprefix(PREFIX))
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def serve(self, token, text):
        self._texts[token] = text.encode()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Laboratory:
    """`configuration` is the text of postern.toml, `validation` what its table of that name has besides. Stop it at the end."""

    def __init__(self, folder, configuration="", validation=""):
        config = folder / "postern.toml"
        # What an attack ends in is looked at once: the next attempts would only take time.
        config.write_text(f"[validation]\nretries = []\n{validation}{configuration}")
        self.server = Postern(executable(), folder, SUFFIX, options=("--config", config))
        if HEAP_COUNTER.exists():
            self.server.variables = {"LD_PRELOAD": str(HEAP_COUNTER)}
        self.answers = []
        """All that was read on connections of `connect` since the last look."""
        self._web = None
        self._numbers = 0

    def start(self):
        self.server.start()
        self.https = self.server.directory().removesuffix("/acme/default/directory")
        self.host = urlsplit(self.https).netloc
        self.context = trusting(self.server.root)
        return self

    def stop(self):
        if self._web:
            self._web.stop()
        self.server.stop()

    @property
    def web(self):
        if self._web is None:
            self._web = Web(self.server.http01_port)
        return self._web

    def address(self, listener="https"):
        return urlsplit(self.https).hostname if listener == "https" else "127.0.0.1", self.server.port(listener)

    def connect(self, listener="https", context=None):
        """A connection over TLS where the listener has it; `context` replaces the honest one."""
        tls = context or (self.context if listener in ("https", "est") else None)
        return Connection(self.address(listener), tls, self.answers.append)

    def tcp(self, listener="https"):
        """A connection without TLS, whatever the listener expects."""
        return Connection(self.address(listener), None, self.answers.append)

    def acme(self, endpoint="default", **options):
        return Acme(self, endpoint, **options)

    def fresh_name(self, below=SUFFIX):
        """A DNS name that no other test uses."""
        self._numbers += 1
        return f"n{self._numbers}.{below}"
