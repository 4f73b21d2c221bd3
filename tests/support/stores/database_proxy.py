"""A TCP proxy in front of MariaDB or MySQL that misbehaves as networks, hosts and failovers do."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from enum import Enum, auto

from sqlalchemy.engine import make_url

from support.servers.processes import HOST

_COMMIT = b"\x03COMMIT"  # COM_QUERY and its text
_CHUNK = 65536


class AtCommit(Enum):
    """The proxy's treatment of the next COMMIT."""

    PASS = auto()
    CUT_BEFORE = auto()
    """The connection breaks, and the server never sees it."""
    CUT_AFTER = auto()
    """The server has done it, and its answer gets lost."""
    HOLD = auto()
    """It is neither forwarded nor answered."""


class DatabaseProxy:
    """One COMMIT is treated as ``at_commit`` says; after that everything passes.

    ``sent`` has the bytes that clients sent to the server.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._port = 0
        self.at_commit = AtCommit.PASS
        self.held = asyncio.Event()
        self.sent = bytearray()
        self._clients: set[asyncio.StreamWriter] = set()
        self._servers: set[asyncio.StreamWriter] = set()
        self._abandoned: set[asyncio.StreamWriter] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self._greets_only = False

    @property
    def url(self) -> str:
        return self._url.set(host=HOST, port=self._port).render_as_string(hide_password=False)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["DatabaseProxy"]:
        server = await asyncio.start_server(self._serve, HOST, 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Neither forwards nor answers anything in the block, like a server that hangs."""
        self._passes.clear()
        try:
            yield
        finally:
            self._passes.set()

    def fall_silent_at_tls(self) -> None:
        """Greets new clients, and forwards nothing that they say."""
        self._greets_only = True

    def cut(self) -> None:
        """Breaks every connection."""
        for writer in self._clients | self._servers | self._abandoned:
            writer.transport.abort()

    def lose_clients(self) -> None:
        """The hosts of all clients vanish: the server hears nothing, not even of an end."""
        self._abandoned |= self._servers
        for writer in self._clients:
            writer.transport.abort()

    def lead_to(self, url: str) -> None:
        """Leads new connections to another server, as a Service does after a failover."""
        self._url = make_url(url)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(self._url.host, self._url.port)
        self._clients.add(writer)
        self._servers.add(server_writer)
        try:
            async with asyncio.TaskGroup() as tasks:
                answers = tasks.create_task(self._answer(server_reader, writer))
                await self._forward(reader, server_reader, server_writer, answers)
                answers.cancel()
        except* OSError:
            pass  # one side broke the connection: so do we
        finally:
            for each in {writer, server_writer} - self._abandoned:
                each.transport.abort()
            self._clients.discard(writer)
            self._servers.discard(server_writer)

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        while data := await reader.read(_CHUNK):
            await self._passes.wait()
            if self._greets_only:
                continue
            if _COMMIT in data and self.at_commit is not AtCommit.PASS:
                what, self.at_commit = self.at_commit, AtCommit.PASS
                if what is AtCommit.HOLD:
                    self.held.set()
                    await reader.read()  # until the client closes
                if what is AtCommit.CUT_AFTER:
                    answers.cancel()
                    await asyncio.wait([answers])
                    server_writer.write(data)
                    await server_reader.read(_CHUNK)
                return
            self.sent += data
            server_writer.write(data)
            await server_writer.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            await self._passes.wait()
            writer.write(data)
            await writer.drain()
            if self._greets_only:
                return
        writer.transport.abort()
