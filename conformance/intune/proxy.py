"""An HTTP proxy that only knows CONNECT, and leads to the stand-in alone, whatever name it is asked for."""
import asyncio
import base64
import ssl

from .tls import ENTRA_HOSTS, GRAPH_HOSTS, INTUNE_HOSTS
from .wire import Answer, Listener, NotHttp, Request, abort, left, octets_of, read_head

_CHUNK = 1 << 16


class Proxy(Listener):
    """`credentials` is user:password, or None where nobody is asked."""

    def __init__(self, world):
        super().__init__()
        self._world, self.credentials = world, None
        self.ports = set()  # of its own connections to the sites, so that they know who came by here

    async def open(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]

    def _destination(self, target):
        """(address, port) of one of the sites, or None."""
        host, _, port = target.rpartition(":")
        sites = self._world.sites
        for hosts, name in ((ENTRA_HOSTS, "entra"), (GRAPH_HOSTS, "graph"), (INTUNE_HOSTS, "intune")):
            if host in hosts and port == "443":
                return "127.0.0.1", sites[name].port
        for site in [*sites.values(), *self._world.left_behind]:
            if port == str(site.port) and (host in ("localhost", site.address) or host.endswith(".standin.test")):
                return site.address, site.port
        return None

    def _judge(self, entry):
        """The status that the request deserves."""
        request = entry.request
        if request.method != "CONNECT":
            entry.blame(f"{request.method} through a proxy for CONNECT")
            return 405
        if self.credentials is not None:
            wanted = "Basic " + base64.b64encode(self.credentials.encode()).decode()
            given = request.all("proxy-authorization")
            if given != [wanted]:
                # Coming without credentials first is no fault: 407 is how to learn of them.
                entry.blame(*(["wrong credentials"] if given else []))
                return 407
        if request.all("authorization"):
            entry.blame("a bearer token for the proxy")
        if self._destination(request.target) is None:
            entry.blame(f"a name that nobody has: {request.target}")
            return 502
        return 200

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        try:
            head = await read_head(reader)
            if head is None:
                return
            (method, target, version), headers = head
            entry = self._world.journal.enter(Request(method, target, version, headers, b"", "proxy", 0), "proxy")
            try:
                await self._connect(reader, writer, entry, target)
            finally:
                self._world.journal.leave("proxy")
        except NotHttp as wrong:
            self._world.journal.stray("proxy", 0, str(wrong))
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _connect(self, reader, writer, entry, target):
        entry.behaviour = behaviour = self._world.scripts.take("proxy", None)
        status = self._judge(entry)
        entry.status = behaviour.get("status", status)
        if behaviour.get("hold"):
            await left(reader)
            return
        if "end_after" in behaviour:
            abort(writer, behaviour.get("reset", False))
            return
        await asyncio.sleep(behaviour.get("pause", 0))
        if entry.status != 200:
            headers = [["Proxy-Authenticate", 'Basic realm="standin"']] if entry.status == 407 else []
            scripted = {key: value for key, value in behaviour.items() if key in ("status", "body", "headers")}
            head, body = octets_of(Answer(entry.status, headers=headers, body=b""), scripted, self._world.clock.now())
            writer.write(head + body)
            await writer.drain()
            return
        there, back = await asyncio.open_connection(*self._destination(target))
        port = back.get_extra_info("sockname")[1]
        self.ports.add(port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            self.ports.discard(port)
            back.close()

    @staticmethod
    async def _pump(reader, writer):
        """One direction, until it ends or breaks, which ends the other too."""
        try:
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.transport.abort()
