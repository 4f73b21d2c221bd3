"""The operations port of ``loop``: liveness, readiness and metrics, served by a thread."""

import asyncio
import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from swapshop_poller.loop import Poller

JSON: Final = "application/json"

Page = tuple[int, str, bytes]
"""Status, content type and body."""


class OperationsPortTaken(Exception):
    """The port is used by another process, or may not be opened."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port} is in use by another process, or may not be opened")


class Operations:
    """The pages of the operations port; its methods may block, and run in threads.

    Args:
        poller: the poller that the pages describe.
        loop: the poller's event loop.
        turn_seconds: time in which a live event loop must run a callback.
    """

    def __init__(
        self, poller: Poller, loop: asyncio.AbstractEventLoop, turn_seconds: float = 2
    ) -> None:
        self._poller = poller
        self._loop = loop
        self._turn_seconds = turn_seconds

    def page(self, path: str) -> Page:
        """Return the page at a path."""
        match path:
            case "/livez":
                return self._livez()
            case "/readyz":
                return self._readyz()
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest()
            case _:
                return _json(404, {})

    def _livez(self) -> Page:
        turn = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop)
        try:
            turn.result(self._turn_seconds)
        except TimeoutError:
            return _json(503, {"live": False})
        return _json(200, {"live": True})

    def _readyz(self) -> Page:
        poller = self._poller
        is_ready = poller.has_leased and not poller.is_stopping
        has_api = poller.has_leased and poller.api_failures == 0
        dependencies = {
            "api": "up" if has_api else "away",
            "receiver": "away" if poller.receiver.needs_probe else "up",
        }
        body = {"ready": is_ready, "draining": poller.is_stopping, "dependencies": dependencies}
        return _json(200 if is_ready else 503, body)


def _json(status: int, body: dict[str, Any]) -> Page:
    return status, JSON, json.dumps(body).encode()


@contextmanager
def serve_operations(operations: Operations, host: str, port: int) -> Generator[int]:
    """Serve the pages during a block, and yield the port; 0 chooses any free one.

    Raises:
        OperationsPortTaken: the port is in use, or may not be opened.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 5
        """Time-out in seconds after which a silent client's thread is freed."""

        def do_GET(self) -> None:
            status, content_type, body = operations.page(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - of the base class
            """Log nothing: probes come every few seconds."""

    try:
        listening = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise OperationsPortTaken(host, port) from error
    with listening as server:
        thread = Thread(target=server.serve_forever, args=(0.1,), name="operations")
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
