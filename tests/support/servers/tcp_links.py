"""TCP proxies between the parts of a system, each a network link that can fail."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from support.servers.processes import HOST

_CHUNK = 65536
Address = tuple[str, int]


class Link:
    """Forwards each connection to one of its servers that accepts it, chosen at random.

    Args:
        servers: addresses, as behind a Service.
        choice: chooses among them.
    """

    def __init__(self, *servers: Address, choice: random.Random | None = None) -> None:
        self._servers = list(servers)
        self._choice = choice or random.Random()
        self._connections: dict[asyncio.Task[None], _Connection] = {}
        self.port = 0
        self.latency_seconds = 0.0
        """Added to each chunk, in both directions."""
        self.keeps_server_side = False
        """A client that ends now is not announced to its server, as when its host vanishes."""
        self._requests_pass = _opened()
        self._answers_pass = _opened()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Link"]:
        server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.heal()
            while self._connections:
                self.cut()
                await asyncio.wait(list(self._connections))
            await server.wait_closed()

    def hold(self, *, requests: bool = False) -> None:
        """From now on answers do not arrive, and with ``requests`` neither do requests."""
        self._answers_pass.clear()
        if requests:
            self._requests_pass.clear()

    def heal(self) -> None:
        """Deliver what was held back."""
        self._answers_pass.set()
        self._requests_pass.set()

    def cut(self) -> None:
        """Break every connection; what was held back is lost."""
        for connection in self._connections.values():
            connection.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = self._connections[task] = _Connection(writer)
        try:
            server = await self._connect()
            if server is not None:
                server_reader, server_writer = server
                connection.add(server_writer)
                requests = self._pump(reader, server_writer, self._requests_pass)
                answers = self._pump(server_reader, writer, self._answers_pass)
                await self._until_closed(
                    asyncio.create_task(requests), asyncio.create_task(answers)
                )
        finally:
            connection.abort()
            del self._connections[task]

    async def _until_closed(
        self, requests: asyncio.Task[None], answers: asyncio.Task[None]
    ) -> None:
        try:
            await asyncio.wait((requests, answers), return_when=asyncio.FIRST_COMPLETED)
            if requests.done() and self.keeps_server_side:
                await asyncio.wait((answers,))
        finally:
            requests.cancel()
            answers.cancel()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for host, port in self._choice.sample(self._servers, len(self._servers)):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(host, port)
        return None

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passes: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):  # a broken connection ends like a closed one
            while data := await reader.read(_CHUNK):
                await passes.wait()
                if self.latency_seconds:
                    await asyncio.sleep(self.latency_seconds)
                writer.write(data)
                await writer.drain()


class _Connection:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writers = [writer]
        self._is_aborted = False

    def add(self, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        if self._is_aborted:
            self.abort()

    def abort(self) -> None:
        self._is_aborted = True
        for writer in self._writers:
            writer.transport.abort()


def _opened() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
