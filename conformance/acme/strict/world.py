"""What the server asks back (RFC 8555 §8): the web, name and TLS servers of whoever owns the names."""
import http.server
import socket
import ssl
import tempfile
import threading
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from harness.web import says

from .names import NameServer

PREFIX = "/.well-known/acme-challenge/"
PEM = serialization.Encoding.PEM


class Web:
    """HTTP on one address: `answers` by token are texts, or functions of a request's handler."""

    def __init__(self, address, port, answers, asked):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802  (the name is http.server's)
                asked.append((address, self.path, self.headers.get("Host"), dict(self.headers)))
                self.close_connection = True
                answer = answers.get(self.path.removeprefix(PREFIX), answers.get("*"))
                if answer is None:
                    says(b"", 404)(self)
                elif callable(answer):
                    answer(self)
                else:
                    says(answer.encode())(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # the server under test may end a connection whenever it likes

        self._server = Server((address, port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class TlsWeb:
    """The port of tls-alpn-01: `behaviour` gets each connection before any handshake."""

    def __init__(self, address, port):
        self.behaviour = None
        self._socket = socket.create_server((address, port), backlog=64)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection, self.behaviour), daemon=True).start()

    @staticmethod
    def _one(connection, behaviour):
        with connection:
            connection.settimeout(60)
            try:
                if behaviour:
                    behaviour(connection)
            except (OSError, ssl.SSLError):
                pass  # whoever validates may leave whenever it likes

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


def shows(chain, key, protocols=("acme-tls/1",), version=None, seen=None):
    """A behaviour: a handshake with these certificates (DER) of that key. `seen` gets (SNI, protocol) of each that ends well."""
    def behave(connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if version:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = version
        with tempfile.TemporaryDirectory(prefix="acme-probe-") as folder:
            files = Path(folder) / "chain", Path(folder) / "key"
            files[0].write_text("".join(ssl.DER_cert_to_PEM_cert(each) for each in chain))
            files[1].write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            context.load_cert_chain(*map(str, files))
        if protocols:
            context.set_alpn_protocols(list(protocols))
        asked = []
        context.sni_callback = lambda _, name, __: asked.append(name)
        with context.wrap_socket(connection, server_side=True) as tls:
            if seen is not None:
                seen.append((asked[0] if asked else None, tls.selected_alpn_protocol()))
            tls.recv(1)
    return behave


class World:
    """`address`: where all of them are, and where names lead. Ports that are None are nobody's: rows that need them are not offered. With a name server every
    name has that address until it is told otherwise."""

    def __init__(self, http_port, dns_port=None, tls_port=None, address="127.0.0.1"):
        self.http_port, self.tls_port = http_port, tls_port
        self.asked = []          # (address, path, Host, headers) of all requests
        self._answers, self._more = {}, []
        self._web = Web(address, http_port, self._answers, self.asked)
        self.dns = NameServer(address, dns_port) if dns_port is not None else None
        self.tls = TlsWeb(address, tls_port) if tls_port is not None else None

    def close(self):
        self.reset()
        self._web.close()
        for one in (self.dns, self.tls):
            if one:
                one.close()

    def serve(self, token, answer):
        """`token` "*": whatever nobody else answers."""
        self._answers[token] = answer

    def also_at(self, address):
        """The same web server on another address of the loopback, until the row ends."""
        self._more.append(Web(address, self.http_port, self._answers, self.asked))

    def requests_for(self, token):
        return [each for each in self.asked if each[1] == PREFIX + token]

    def reset(self):
        """After a row: nobody is left waiting, and no answer stays but by token."""
        for one in self._more:
            one.close()
        self._more.clear()
        self._answers.pop("*", None)
        if self.tls:
            self.tls.behaviour = None
