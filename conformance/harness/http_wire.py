"""HTTP/1.1 over TLS octet by octet, as the smallest clients read it: what a server sends is judged, never guessed at.

  with Connection("127.0.0.1", 8444, cacert, tls="1.3") as wire:
      answer = wire.ask("GET", "/.well-known/est/routers/cacerts")
      wire.binding()                      # tls-unique or tls-exporter of this very connection
"""
import hashlib
import hmac
import socket
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 60  # bounds a hang, decides nothing
LONGEST_HEAD = 64 * 1024
VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
NO_EXTENDED_MASTER_SECRET = 1  # SSL_OP_NO_EXTENDED_MASTER_SECRET, which Python's ssl does not name


class BadAnswer(Exception):
    """What no strict reader of HTTP/1.1 takes."""


class Closed(Exception):
    """The peer ended the connection instead of answering."""


@dataclass
class Answer:
    status: int
    headers: list                  # (name as sent, value)
    body: bytes
    head: bytes = field(repr=False)
    one_record: bool = False       # header and body came in the first TLS record

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=""):
        found = self.all(name)
        return found[0] if found else default

    @property
    def media_type(self):
        return self.get("Content-Type").split(";")[0].strip().lower()

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


def client_context(cacert, tls=None, identity=None, ciphers=None, extended_master_secret=True, keylog=None):
    """`tls`: the one version to speak; `identity`: PEM files (chain, key)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cacert)
    if tls:
        context.minimum_version = ssl.TLSVersion.TLSv1  # else the highest cannot be set below the lowest
        context.maximum_version = VERSIONS[tls]
        context.minimum_version = VERSIONS[tls]
    if tls in ("1.0", "1.1"):
        ciphers = ciphers or "ALL:@SECLEVEL=0"
    if ciphers:
        context.set_ciphers(ciphers)
    if identity:
        context.load_cert_chain(*map(str, identity))
    if not extended_master_secret:
        context.options |= NO_EXTENDED_MASTER_SECRET
    if keylog:
        context.keylog_filename = str(keylog)
    return context


class Connection:
    """One TLS connection. `context` in place of what client_context takes gives sessions that may be resumed. `chunked`: an
    answer may come in chunks, which the smallest clients do not read."""

    def __init__(self, host, port, cacert, *, session=None, context=None, name=None, alpn=None, chunked=False, **how):
        self.host, self.port, self._chunked = host, port, chunked
        self._folder = tempfile.TemporaryDirectory(prefix="http-wire-")
        self._keylog = Path(self._folder.name) / "keys"
        self._left = b""
        context = context or client_context(cacert, keylog=self._keylog, **how)
        if alpn:
            context.set_alpn_protocols(alpn)
        plain = socket.create_connection((host, port), timeout=SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.tls = context.wrap_socket(plain, server_hostname=name or host, session=session)
        except BaseException:
            plain.close()
            self._folder.cleanup()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.tls.close()
        self._folder.cleanup()

    @property
    def version(self):
        return self.tls.version().removeprefix("TLSv")

    # ---- channel bindings

    def finished(self):
        """The first Finished message: tls-unique (RFC 5929) in TLS 1.2. In TLS 1.3 it binds nothing."""
        return self.tls.get_channel_binding("tls-unique")

    def exporter(self):
        """tls-exporter (RFC 9266) of a connection of TLS 1.3, out of the EXPORTER_SECRET (RFC 8446 §7.5)."""
        secrets = [line.split()[2] for line in self._keylog.read_text().splitlines() if line.startswith("EXPORTER_SECRET ")]
        secret = bytes.fromhex(secrets[-1])
        digest = {32: "sha256", 48: "sha384"}[len(secret)]
        empty = hashlib.new(digest, b"").digest()
        derived = _expand_label(digest, secret, b"EXPORTER-Channel-Binding", empty, len(secret))
        return _expand_label(digest, derived, b"exporter", empty, 32)

    def binding(self):
        return self.exporter() if self.version == "1.3" else self.finished()

    # ---- requests

    def send(self, octets):
        try:
            self.tls.sendall(octets)
        except (ConnectionError, ssl.SSLError) as broken:
            raise Closed(str(broken)) from None

    def ask(self, method, path, body=None, headers=(), host=None):
        """`headers`: (name, value); Content-Length is added where there is a body and nobody says how long it is."""
        self.send(request(method, path, host or f"{self.host}:{self.port}", body, headers))
        return self.read_answer(method)

    def _more(self):
        try:
            octets = self.tls.recv(65536)
        except TimeoutError:
            raise Closed(f"silence for {SECONDS} s") from None
        except (ConnectionError, ssl.SSLError) as broken:
            raise Closed(str(broken)) from None
        if not octets:
            raise Closed("the connection was closed")
        return octets

    def ended(self):
        """Whether the peer closes now, having sent no more."""
        try:
            self._more()
        except Closed as why:
            return "silence" not in str(why)
        return False

    def read_answer(self, method="POST"):
        """The next final answer; 100 Continue is passed over."""
        while True:
            answer = self.read_one(method)
            if answer.status != 100:
                return answer

    def read_one(self, method="POST"):
        """The next answer, be it 100 Continue."""
        data, records = self._left, 0
        while b"\r\n\r\n" not in data:
            if len(data) > LONGEST_HEAD:
                raise BadAnswer("a header without an end")
            data += self._more()
            records += 1
        head, _, body = data.partition(b"\r\n\r\n")
        status, headers = _parse(head)
        answer = Answer(status, headers, b"", head)
        if self._chunked and answer.get("Transfer-Encoding").lower() == "chunked" and not answer.all("Content-Length") and method != "HEAD":
            self._left = body
            answer.body = b"".join(iter(self._chunk, b""))
            return answer
        size = _length(answer, method)
        while len(body) < size:
            body += self._more()
            records += 1
        answer.body, self._left = body[:size], body[size:]
        answer.one_record = records <= 1
        return answer

    def _chunk(self):
        """The next one; an empty one is the last (RFC 9112 §7.1). Trailers are nothing that anybody here sends."""
        size = self._line()
        if not size or set(size.lower()) - set(b"0123456789abcdef"):
            raise BadAnswer(f"chunk size {size!r}")
        size = int(size, 16)
        while len(self._left) < size + 2:
            self._left += self._more()
        octets, end, self._left = self._left[:size], self._left[size:size + 2], self._left[size + 2:]
        if end != b"\r\n":
            raise BadAnswer(f"a chunk followed by {end!r}")
        return octets

    def _line(self):
        while b"\r\n" not in self._left:
            self._left += self._more()
        line, _, self._left = self._left.partition(b"\r\n")
        return line


def request(method, path, host, body=None, headers=()):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"] + [f"{name}: {value}" for name, value in headers]
    named = {name.lower() for name, _ in headers}
    if body is not None and not named & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def _parse(head):
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if words[0] != "HTTP/1.1" or len(words) != 3 or not words[1].isdigit() or len(words[1]) != 3:
        raise BadAnswer(f"status line {first!r}")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or "\n" in line:
            raise BadAnswer(f"header line {line!r}")
        headers.append((name, value.strip()))
    return int(words[1]), headers


def _length(answer, method):
    if answer.all("Transfer-Encoding"):
        raise BadAnswer("Transfer-Encoding in an answer: small clients read Content-Length alone")
    sizes = answer.all("Content-Length")
    if len(sizes) > 1 or (sizes and not sizes[0].isdigit()):
        raise BadAnswer(f"Content-Length {sizes}")
    if answer.status in (100, 204, 304) or method == "HEAD":
        if sizes and int(sizes[0]) and method != "HEAD":
            raise BadAnswer(f"{answer.status} with Content-Length {sizes[0]}")
        return 0
    if not sizes:
        raise BadAnswer("no Content-Length")
    return int(sizes[0])


def _expand_label(digest, secret, label, context, size):
    """HKDF-Expand-Label of RFC 8446 §7.1."""
    full = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes([len(full)]) + full + bytes([len(context)]) + context
    found, block, number = b"", b"", 1
    while len(found) < size:
        block = hmac.new(secret, block + info + bytes([number]), digest).digest()
        found, number = found + block, number + 1
    return found[:size]
