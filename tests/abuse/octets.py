"""Octets on a connection, as a stranger would write them: nothing here corrects what it is given."""
import json
import socket
import ssl
import time
from dataclasses import dataclass, field

# Bounds a hang. No test depends on how long something takes.
SECONDS = 30


class Ended(Exception):
    """The peer ended the connection where an answer was wanted."""


@dataclass
class Answer:
    status: int
    headers: list
    body: bytes
    octets: bytes = field(repr=False)
    """The whole answer as it came."""

    def header(self, name):
        """The only value of that name, or None; a name that comes twice fails the test."""
        found = self.all(name)
        assert len(found) < 2, f"{name} comes {len(found)} times"
        return found[0] if found else None

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def type(self):
        """The ACME error type without its URN, or None where the body is no problem document."""
        if self.header("Content-Type") != "application/problem+json":
            return None
        return self.json["type"].removeprefix("urn:ietf:params:acme:error:")

    @property
    def nonce(self):
        return self.header("Replay-Nonce")


def trusting(root):
    """A TLS context as an honest client has it."""
    return ssl.create_default_context(cafile=str(root))


def lenient(version):
    """A context for one TLS version with everything on that today's defaults turn off."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:eNULL:aNULL:@SECLEVEL=0")
    context.minimum_version = version
    context.maximum_version = version
    return context


class Connection:
    """One connection to a listener. `saw` is called with every answer that is read."""

    def __init__(self, address, context=None, saw=lambda answer: None, server_name="127.0.0.1"):
        self._saw = saw
        self._buffer = b""
        self.socket = socket.create_connection(address, timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local_port = self.socket.getsockname()[1]
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname=server_name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def send_until_refused(self, octets, part=16384):
        """Sends on until all is out or the peer no longer listens; says how much went out."""
        sent = 0
        try:
            while sent < len(octets):
                sent += self.socket.send(octets[sent:sent + part])
        except OSError:
            pass
        return sent

    def _more(self):
        try:
            return self.socket.recv(65536)
        except ssl.SSLEOFError:
            return b""

    def _until(self, mark):
        while mark not in self._buffer:
            got = self._more()
            if not got:
                raise Ended(f"the connection ended after {self._buffer[:200]!r}")
            self._buffer += got
        head, self._buffer = self._buffer.split(mark, 1)
        return head

    def read(self, head_only=False):
        """The next final answer. Raises Ended, and ConnectionResetError for a reset."""
        head = self._until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        assert lines[0].startswith("HTTP/1.1 "), lines[0]
        status = int(lines[0].split(" ")[1])
        if status == 100:
            return self.read(head_only)
        headers = [tuple(line.split(": ", 1)) for line in lines[1:]]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        if head_only or status in (204, 304):
            length = 0
        while len(self._buffer) < length:
            got = self._more()
            if not got:
                raise Ended(f"the connection ended within the body of a {status}")
            self._buffer += got
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        answer = Answer(status, headers, body, head + b"\r\n\r\n" + body)
        self._saw(answer)
        return answer

    def ask(self, octets, **how):
        self.send(octets)
        return self.read(**how)

    def at_end(self):
        """True when the peer ends the connection and says nothing more before."""
        try:
            return self._buffer == b"" and self._more() == b""
        except ConnectionResetError:
            return True

    def alert(self):
        """The description of the fatal alert that comes next on a connection without TLS of ours, or
        None where the connection ends without one (RFC 8446 §6)."""
        while len(self._buffer) < 7 and (got := self._more()):
            self._buffer += got
        record, self._buffer = self._buffer[:7], self._buffer[7:]
        return record[6] if len(record) == 7 and record[0] == 21 and record[5] == 2 else None


def request(method, target, *headers, host="localhost", body=b"", version="HTTP/1.1"):
    """A request's octets. `headers` are whole lines; Host and Content-Length come first where they apply."""
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def refused(laboratory, octets, status, listener="https", close=True):
    """The answer to octets on a connection of their own, which ends after it."""
    with laboratory.connect(listener) as connection:
        answer = connection.ask(octets)
        assert answer.status == status, answer
        if close:
            assert answer.header("Connection") == "close"
            assert connection.at_end()
        return answer


def until(holds, what, seconds=SECONDS):
    """Waits for something that must come to hold, however long that takes within reason."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what() if callable(what) else what}"
        time.sleep(0.005)
