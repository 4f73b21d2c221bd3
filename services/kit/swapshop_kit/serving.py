"""Serving several ports from one event loop, and stopping without losing a request."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import structlog
import uvicorn
from starlette.types import ASGIApp

from swapshop_kit.event_loop import watching_event_loop
from swapshop_kit.signals import stop_on_signals

_log = structlog.get_logger()


class AddressTaken(Exception):
    """Another process listens there."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port} is taken by another process, or is not ours to open")


@dataclass(frozen=True)
class Endpoint:
    """An application and the listening socket that it is served on."""

    app: ASGIApp
    listener: socket.socket


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes any free one.

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
    """A server that leaves signals to ``serve``."""

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
) -> None:
    """Serve until SIGTERM or SIGINT; then refuse new connections and finish the rest.

    Args:
        endpoints: served together, in one loop; their lifespans are the caller's.
        keep_alive_seconds: an idle connection is kept so long.
        drain_seconds: requests in flight may take so long after the signal.
        on_drain: called at once when the drain begins, to end long streams.
        stop: ends serving in place of the signals.
    """
    stop = stop or stop_on_signals()
    servers = [
        _Server(
            uvicorn.Config(
                endpoint.app,
                loop="uvloop",
                http="httptools",
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
    gc.freeze()  # start-up objects never become garbage: later collections skip them
    async with watching_event_loop(), asyncio.TaskGroup() as tasks:
        for server, endpoint in zip(servers, endpoints, strict=True):
            tasks.create_task(server.serve(sockets=[endpoint.listener]))
        await stop.wait()
        _log.info("drain.started", seconds=drain_seconds)
        on_drain()
        for server in servers:
            server.should_exit = True
    _log.info("drain.finished")
