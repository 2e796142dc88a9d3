"""A TCP relay: each connection goes to the next backend, whoever it comes from. What stands in front of nodes."""
import asyncio
import threading

CONNECT_SECONDS = 5
_CHUNK = 1 << 16


class Relay:
    """One listening port; `backends` is read anew for each connection. A backend that does not take the connection
    is left out."""

    def __init__(self, port, backends):
        self.port = port
        self.backends = backends
        self.served = {}  # backend -> connections it was given
        self._next = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        assert self._ready.wait(30), f"the relay does not listen on port {self.port}"

    def stop(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_CHUNK))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _connect(self):
        backends = list(self.backends())
        for _ in backends:
            backend = backends[self._next % len(backends)]
            self._next += 1
            try:
                streams = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", backend, limit=_CHUNK), CONNECT_SECONDS)
            except (OSError, asyncio.TimeoutError):
                continue
            self.served[backend] = self.served.get(backend, 0) + 1
            return streams
        return None

    async def _serve(self, reader, writer):
        streams = await self._connect()
        if streams is None:
            writer.transport.abort()
            return
        there, back = streams
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer), return_exceptions=True)

    @staticmethod
    async def _pump(reader, writer):
        """Until the end of one direction, which is passed on."""
        try:
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
