"""One TLS connection to an EST server, kept alive, with what a channel binding is made of.

Python's ssl gives tls-unique and no exporter: libssl, which it is linked to, is asked for that about the same connection.
"""
import base64
import ctypes
import socket
import ssl
from types import SimpleNamespace
from urllib.parse import urlsplit

NO_EXTENDED_MASTER_SECRET = 1  # SSL_OP_NO_EXTENDED_MASTER_SECRET
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_LIBSSL = ctypes.CDLL("libssl.so.3")
_LIBSSL.SSL_get_version.restype = ctypes.c_char_p
_LIBSSL.SSL_get_version.argtypes = [ctypes.c_void_p]
_LIBSSL.SSL_export_keying_material.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
                                               ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
_LIBSSL.SSL_get_finished.restype = ctypes.c_size_t
_LIBSSL.SSL_get_finished.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
_AFTER_HEAD = 2 * ctypes.sizeof(ctypes.c_void_p)  # PySSLSocket: reference count and type, then the socket, then SSL *


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class Connection:
    """`url` is an endpoint's; paths are below it, or absolute."""

    def __init__(self, url, root, version=None, extended_master_secret=True, certificate=None, alpn=()):
        parts = urlsplit(url)
        self._prefix, self.host = parts.path, parts.netloc
        context = ssl.create_default_context(cafile=str(root))
        if version:
            context.minimum_version = context.maximum_version = VERSIONS[version]
        if not extended_master_secret:
            context.options |= NO_EXTENDED_MASTER_SECRET
        if certificate:
            context.load_cert_chain(*map(str, certificate))  # PEM files: chain, key
        if alpn:
            context.set_alpn_protocols(list(alpn))
        self._tls = context.wrap_socket(socket.create_connection((parts.hostname, parts.port), 30), server_hostname=parts.hostname)
        self._tls.settimeout(60)
        self._read = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._tls.close()

    @property
    def alpn(self):
        return self._tls.selected_alpn_protocol()

    def unique(self):
        """tls-unique (RFC 5929), of TLS 1.2."""
        assert self._tls.version() == "TLSv1.2", "TLS 1.3 has none"
        return self._tls.get_channel_binding("tls-unique")

    def exporter(self):
        """tls-exporter (RFC 9266): 32 octets, with a context of no length."""
        out = ctypes.create_string_buffer(32)
        label = b"EXPORTER-Channel-Binding"
        assert _LIBSSL.SSL_export_keying_material(self._ssl(), out, 32, label, len(label), b"", 0, 1) == 1
        return out.raw

    def finished(self):
        """What the client's Finished held: in TLS 1.3 no binding."""
        out = ctypes.create_string_buffer(64)
        return out.raw[:_LIBSSL.SSL_get_finished(self._ssl(), out, 64)]

    def _ssl(self):
        found = ctypes.c_void_p.from_address(id(self._tls._sslobj) + _AFTER_HEAD + ctypes.sizeof(ctypes.c_void_p))  # _ssl._SSLSocket
        pointer = found.value
        assert _LIBSSL.SSL_get_version(pointer).decode() == self._tls.version(), "this Python keeps its SSL elsewhere"
        return pointer

    def send(self, octets):
        self._tls.sendall(octets)

    def ask(self, method, path, body=None, type="application/pkcs10", **headers):
        """`path` is an operation, or begins with "/". Underscores in names of headers stand for hyphens."""
        target = path if path.startswith("/") else f"{self._prefix}/{path}"
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}"]
        if body is not None:
            lines += [f"Content-Type: {type}"] if type else []
            lines += [f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
        return self.answer(head_only=method == "HEAD")

    def _more(self):
        got = self._tls.recv(16384)
        assert got, f"the connection ended within an answer: {self._read!r}"
        self._read += got
        return got

    def answer(self, head_only=False):
        """The next one: status, headers (names in small letters), body, and the octets of the head as they came. `first` is what the
        first read gave of it: at most one TLS record."""
        first = None
        while b"\r\n\r\n" not in self._read:
            got = self._more()
            first = first or got
        head, self._read = self._read.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = dict((name.lower(), value) for name, value in (line.split(": ", 1) for line in lines[1:]))
        size = 0 if head_only else int(headers.get("content-length", 0))
        while len(self._read) < size:
            self._more()
        body, self._read = self._read[:size], self._read[size:]
        return SimpleNamespace(status=int(lines[0].split()[1]), headers=headers, body=body, text=body.decode("latin-1"), head=head, first=first)

    def ended(self):
        """Whether the server says nothing more and closes."""
        try:
            return self._read == b"" and self._tls.recv(1) == b""
        except ConnectionResetError:
            return True
