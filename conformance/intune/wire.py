"""HTTP/1.1 as octets, for a server that must be able to do it wrong."""
import asyncio
import base64
import email.utils
import gzip
import itertools
import json
import socket
import ssl
import struct
import traceback
from dataclasses import dataclass, field
from http import HTTPStatus

HEAD_LIMIT, BODY_LIMIT = 1 << 16, 1 << 20
_numbers = itertools.count(1)


class NotHttp(Exception):
    """Why the octets are no request."""


@dataclass
class Request:
    method: str
    target: str
    version: str
    headers: list  # (name in lower case, value), as they came
    body: bytes
    site: str
    connection: int
    proxied: bool = False  # came by the stand-in's proxy

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def header(self, name):
        found = self.all(name)
        return found[0] if len(found) == 1 else None


@dataclass
class Answer:
    status: int
    json: object = None
    headers: list = field(default_factory=list)
    body: bytes | None = None  # in place of the JSON


async def read_head(reader):
    """(start line, headers), or None where the client left before it began."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as ended:
        if ended.partial:
            raise NotHttp("the head breaks off") from ended
        return None
    except asyncio.LimitOverrunError as long:
        raise NotHttp("the head is too long") from long
    start, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise NotHttp(f"header line {line!r}")
        headers.append((name.lower(), value.strip()))
    if len(start.split(" ")) != 3:
        raise NotHttp(f"start line {start!r}")
    return start.split(" "), headers


async def _read_body(reader, headers):
    lengths = [value for name, value in headers if name == "content-length"]
    codings = [value.lower() for name, value in headers if name == "transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        raise NotHttp("several lengths")
    if lengths:
        if not lengths[0].isdigit() or int(lengths[0]) > BODY_LIMIT:
            raise NotHttp(f"content-length {lengths[0]}")
        return await reader.readexactly(int(lengths[0]))
    body = b""
    while codings:
        if codings != ["chunked"]:
            raise NotHttp(f"transfer-encoding {codings[0]}")
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        body += (await reader.readexactly(size + 2))[:-2]
        if size == 0:
            break
        if len(body) > BODY_LIMIT:
            raise NotHttp("the body is too long")
    return body


def octets_of(answer, behaviour, now):
    """(the head, the body) with everything that the behaviour changes of them."""
    answered, headers, body = answer.json, answer.headers, answer.body
    if "json" in behaviour:
        answered, body = behaviour["json"], None
    if isinstance(answered, dict) and body is None:
        answered = {key: value for key, value in {**answered, **behaviour.get("set", {})}.items() if key not in behaviour.get("remove", [])}
        if "fill" in behaviour:
            answered = {"filling": "x" * behaviour["fill"], **answered}
    status = behaviour.get("status", answer.status)
    if "headers" in behaviour:
        headers = [[name, _retry_after(value, now) if name == "Retry-After" else str(value)] for name, value in behaviour["headers"]]
    elif body is None:
        headers = [["Content-Type", "application/json; odata.metadata=minimal"], *headers]
    if "body" in behaviour:
        body = base64.b64decode(behaviour["body"])
    elif body is None:
        body = json.dumps(answered).encode() if answered is not None else b""
    if behaviour.get("bom"):
        body = b"\xef\xbb\xbf" + body
    if "cut_body" in behaviour:
        body = body[:behaviour["cut_body"]]
    if behaviour.get("encode") == "gzip":
        body, headers = gzip.compress(body), [*headers, ["Content-Encoding", "gzip"]]
    if behaviour.get("encode") == "chunked":
        pieces = [body[i:i + 7] for i in range(0, len(body), 7)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        headers = [*headers, ["Transfer-Encoding", "chunked"]]
    elif status != 204:
        headers = [*headers, ["Content-Length", str(len(body))]]
    known = {s.value: s.phrase for s in HTTPStatus}
    lines = [f"HTTP/1.1 {status} {known.get(status, 'Status')}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body


def _retry_after(value, now):
    return email.utils.formatdate(now + value["in"], usegmt=True) if isinstance(value, dict) else str(value)


def abort(writer, reset=True):
    """Ends the connection at once; with `reset` the peer reads RST."""
    sock = writer.get_extra_info("socket")
    if reset and sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def left(reader):
    """Until the client is gone."""
    try:
        while await reader.read(1024):
            pass
    except (OSError, ssl.SSLError):
        pass


class Listener:
    """What takes connections on `port`; zero until it is open. When it is opened again it has the same."""

    def __init__(self):
        self.port, self._server, self._writers = 0, None, set()

    async def close(self):
        """Refuses from now on; what is open is reset."""
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            abort(writer)


class Site(Listener):
    """One listener of the stand-in. `handle` is a coroutine from Request to (Answer, behaviour, a function to call when it is over)."""

    def __init__(self, name, handle, world, context=None, address="127.0.0.1"):
        super().__init__()
        self.name, self.context, self.address = name, context, address
        self.mute = False  # takes connections, and says nothing, not even for TLS
        self._handle, self._world = handle, world

    async def open(self):
        self._server = await asyncio.start_server(self._serve, self.address, self.port, ssl=None if self.mute else self.context, limit=HEAD_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        connection, stale = next(_numbers), False
        try:
            if self.mute:
                await left(reader)
                return
            while True:
                try:
                    request = await self._read(reader, connection)
                except (NotHttp, ValueError) as wrong:
                    self._world.journal.stray(self.name, connection, str(wrong))
                    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    await writer.drain()
                    return
                if request is None:
                    return
                request.proxied = writer.get_extra_info("peername")[1] in self._world.proxy.ports
                if stale:
                    self._world.journal.on_stale(request)
                    abort(writer)
                    return
                answer, behaviour, over = await self._handle(request)
                try:
                    goes_on = await self._deliver(reader, writer, answer, behaviour)
                finally:
                    over()
                stale = behaviour.get("stale", False)
                if not goes_on or (request.header("connection") or "").lower() == "close" or request.version == "HTTP/1.0":
                    return
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception:  # of the stand-in itself: whoever started it must learn of it
            traceback.print_exc()
            self._world.faults += 1
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _read(self, reader, connection):
        head = await read_head(reader)
        if head is None:
            return None
        (method, target, version), headers = head
        return Request(method, target, version, headers, await _read_body(reader, headers), self.name, connection)

    async def _deliver(self, reader, writer, answer, behaviour):
        """Whether another request may follow."""
        head, body = octets_of(answer, behaviour, self._world.clock.now())
        if behaviour.get("hold"):
            gone, released = asyncio.ensure_future(left(reader)), asyncio.ensure_future(self._world.released())
            await asyncio.wait({gone, released}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                released.cancel()
                return False
            gone.cancel()
        if "pause" in behaviour:
            await asyncio.sleep(behaviour["pause"])
        octets = head + body
        if "end_after" in behaviour:
            writer.write(octets[:behaviour["end_after"]])
            await writer.drain()
            if behaviour.get("reset"):
                abort(writer)
            return False
        if "drip" in behaviour:
            for octet in octets:
                writer.write(bytes([octet]))
                await writer.drain()
                await asyncio.sleep(behaviour["drip"])
        else:
            writer.write(octets)
            await writer.drain()
        return not behaviour.get("hold")
