"""Serve several ports from one event loop, and stop without losing a request."""

import asyncio
import contextlib
import gc
import resource
import socket
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import structlog
import uvicorn
from starlette.types import ASGIApp

from swapshop_kit.event_loop import watching_event_loop
from swapshop_kit.http_protocol import (
    REFUSED_CONNECTIONS,
    DrainableState,
    HttpLimits,
    LimitedHttpProtocol,
)
from swapshop_kit.settings import ServingSettings
from swapshop_kit.signals import stop_on_signals

OTHER_FILES: Final = 256
"""Open files besides client connections: databases, Redis, logs."""

_log = structlog.get_logger()


class AddressTaken(Exception):
    """The port is used by another process, or may not be opened."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port} is in use by another process, or may not be opened")


def _allow_open_files(connections: int) -> None:
    """Raise the soft limit of open files to what the connections need, up to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        _log.warning("serving.few_open_files", wanted=wanted, allowed=allowed)


@dataclass(frozen=True)
class Endpoint:
    """An application and its listening socket."""

    app: ASGIApp
    listener: socket.socket


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 chooses any free one.

    Raises:
        AddressTaken: the port is in use, or may not be opened.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise AddressTaken(host, port) from error
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    """A server that leaves signals to ``serve``, and can close its connections after an answer."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state = DrainableState()

    def begin_drain(self) -> None:
        """Close each connection after its next answer."""
        self.server_state.is_draining = True
        for connection in cast("set[LimitedHttpProtocol]", self.server_state.connections):
            connection.begin_drain()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(
    endpoints: Sequence[Endpoint],
    *,
    keep_alive_seconds: int,
    drain_seconds: int,
    on_drain: Callable[[], None],
    stop: asyncio.Event | None = None,
    lame_duck_seconds: float = 0,
    limits: HttpLimits | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; then refuse new connections and finish the rest.

    Args:
        endpoints: served together in one loop; the caller runs their lifespans.
        keep_alive_seconds: time after which an idle connection is closed.
        drain_seconds: time for requests in flight once new connections are refused.
        on_drain: called when the drain begins, to end long streams.
        stop: ends serving, instead of the signals.
        lame_duck_seconds: time after the signal in which new requests are still answered, each
            with ``Connection: close``. A proxy that does not know of the end yet, or sends on an
            idle connection, then gets an answer instead of a closed connection.
        limits: limits of connections and requests, for each endpoint separately.
    """
    stop = stop or stop_on_signals()
    limits = limits or HttpLimits()
    _allow_open_files(len(endpoints) * (limits.max_connections + REFUSED_CONNECTIONS))
    servers = [
        _Server(
            uvicorn.Config(
                endpoint.app,
                loop="uvloop",
                http=LimitedHttpProtocol.limited(limits),
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_keep_alive=keep_alive_seconds,
                timeout_graceful_shutdown=drain_seconds,
            )
        )
        for endpoint in endpoints
    ]
    gc.collect()
    gc.freeze()  # start-up objects never become garbage, so collections can skip them
    async with watching_event_loop(), asyncio.TaskGroup() as tasks:
        for server, endpoint in zip(servers, endpoints, strict=True):
            tasks.create_task(server.serve(sockets=[endpoint.listener]))
        await stop.wait()
        _log.info("drain.started", seconds=drain_seconds)
        on_drain()
        for server in servers:
            server.begin_drain()
        await asyncio.sleep(lame_duck_seconds)
        for server in servers:
            server.should_exit = True
    _log.info("drain.finished")


async def serve_apps(
    settings: ServingSettings,
    listeners: Sequence[socket.socket],
    apps: Sequence[ASGIApp],
    on_drain: Callable[[], None],
) -> None:
    """Serve an application on each listener, by the process's settings; see ``serve``."""
    await serve(
        [Endpoint(app, listener) for app, listener in zip(apps, listeners, strict=True)],
        keep_alive_seconds=settings.keep_alive_seconds,
        drain_seconds=settings.drain_seconds,
        lame_duck_seconds=settings.lame_duck_seconds,
        limits=settings.http_limits,
        on_drain=on_drain,
    )
