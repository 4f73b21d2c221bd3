"""Our own server in the test's event loop, and raw connections to it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from support.servers.processes import HOST
from swapshop_kit.http_protocol import HttpLimits
from swapshop_kit.serving import Endpoint, listen, serve

BOUND = 30.0
"""Seconds that a busy machine may take."""


@dataclass
class Serving:
    """A server that runs, and what ends it."""

    ports: list[int]
    stop: asyncio.Event
    drained: list[str]
    task: asyncio.Task[None]

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


@asynccontextmanager
async def serving(
    *apps: ASGIApp,
    drain_seconds: int = 20,
    keep_alive_seconds: int = 95,
    lame_duck_seconds: float = 0,
    limits: HttpLimits | None = None,
) -> AsyncGenerator[Serving]:
    """Serves the applications, each on its own port, until the block or ``stop`` ends it."""
    listeners = [listen(HOST, 0) for _ in apps]
    stop, drained = asyncio.Event(), list[str]()
    ports = [listener.getsockname()[1] for listener in listeners]
    task = asyncio.create_task(
        serve(
            [Endpoint(app, listener) for app, listener in zip(apps, listeners, strict=True)],
            keep_alive_seconds=keep_alive_seconds,
            drain_seconds=drain_seconds,
            on_drain=lambda: drained.append("now"),
            stop=stop,
            lame_duck_seconds=lame_duck_seconds,
            limits=limits,
        )
    )
    try:
        yield Serving(ports, stop, drained, task)
    finally:
        stop.set()
        await task


@dataclass
class Wire:
    """A connection to which a test writes bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes | str) -> None:
        self.writer.write(data.encode() if isinstance(data, str) else data)

    async def head(self) -> str:
        """Returns the next answer's head, in lower case."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), BOUND)
        return head.decode().lower()

    async def rest(self) -> bytes:
        """Returns everything up to the end of the connection, which must come."""
        try:
            return await asyncio.wait_for(self.reader.read(), BOUND)
        except ConnectionError:  # closed while we were still sending
            return b""


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[Wire]:
    """Opens a connection, and breaks it at the end of the block."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()
