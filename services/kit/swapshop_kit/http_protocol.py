"""uvicorn's HTTP/1.1 protocol with limits on heads, bodies and connections."""

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, ClassVar, Final

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from swapshop_kit.asgi import SECURITY_HEADERS, ObserveRequests
from swapshop_kit.problems import BadRequest, Problem, Text, preferred_language

REFUSED_CONNECTIONS: Final = 200
"""Connections beyond the limit that are answered 503; any more are closed at once."""

MAX_PIPELINED: Final = 16
"""Requests that may wait on one connection; each holds memory until it is answered."""

_SLICE_BYTES: Final = 8 * 1024
"""Size of the pieces the parser gets, so a head exceeds its limit by one piece at most."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Limits of connections and requests.

    Args:
        max_connections: maximum open connections per port.
        max_head_bytes: maximum size of a request line with its headers, and of a trailer.
        head_seconds: time from the first byte of a head, or from the connection, to its end.
        window_seconds: time over which the rate of a body is measured.
        min_bytes_per_second: minimum rate of a body; a slower request is refused.
    """

    max_connections: int = 2000
    max_head_bytes: int = 64 * 1024
    head_seconds: float = 20.0
    window_seconds: float = 20.0
    min_bytes_per_second: int = 500


class DrainableState(ServerState):
    """uvicorn's server state, and whether each answer should end its connection."""

    is_draining = False


class HeadTooLarge(Problem):
    """The request line and headers, or a trailer, exceed the limit."""

    code = "head_too_large"
    status = 431
    es = Text("Cabeceras demasiado grandes", "Las cabeceras superan el tamaño permitido.")
    en = Text("Headers too large", "The headers are larger than allowed.")


class RequestTimeout(Problem):
    """The request did not arrive in time."""

    code = "request_timeout"
    status = 408
    es = Text("Solicitud demasiado lenta", "La solicitud no llegó a tiempo; envíela de nuevo.")
    en = Text("Request too slow", "The request did not arrive in time; send it again.")


class TooManyConnections(Problem):
    """The port has its maximum number of connections."""

    code = "too_many_connections"
    status = 503
    es = Text("Servicio ocupado", "Hay demasiadas conexiones; inténtelo en unos segundos.")
    en = Text("Service busy", "There are too many connections; try again in a few seconds.")

    def __init__(self) -> None:
        super().__init__(retry_after=2, headers={"Connection": "close"})


async def _refuse_connection(scope: Scope, receive: Receive, send: Send) -> None:
    language = preferred_language(Headers(scope=scope).get("accept-language"))
    await TooManyConnections().render(language)(scope, receive, send)


_refusal: Final = ObserveRequests(_refuse_connection)


class _Phase(Enum):
    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()


class _TooManyPipelined(Exception):
    """A client sends requests faster than it reads the answers."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Handles one connection.

    Trailers are ignored: a proxy checks and removes headers only in the head, so a trailer must
    never count as a header (RFC 9110 §6.5.1).
    """

    limits: ClassVar[HttpLimits] = HttpLimits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._phase = _Phase.BETWEEN
        self._framing_bytes = 0
        """Bytes received since the head began, or since the last piece of the body."""
        self._body_bytes = 0
        """Bytes of the body received in this window."""
        self._deadline: asyncio.TimerHandle | None = None

    @classmethod
    def limited(cls, limits: HttpLimits) -> type["LimitedHttpProtocol"]:
        """Return a subclass with these limits, which uvicorn instantiates for each connection."""
        return type(cls.__name__, (cls,), {"limits": limits})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head, or refuse a connection beyond the limit."""
        super().connection_made(transport)
        excess = len(self.connections) - self.limits.max_connections
        if excess > REFUSED_CONNECTIONS:
            transport.abort()
            return
        if excess > 0:
            self.app = _refusal  # type: ignore[assignment]  # uvicorn types ASGI by TypedDicts
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data in pieces, and refuse once the head or framing exceeds the limit."""
        for start in range(0, len(data), _SLICE_BYTES):
            if self.transport.is_closing():
                return
            piece = data[start : start + _SLICE_BYTES]
            self._framing_bytes += len(piece)
            super().data_received(piece)
            if self._framing_bytes > self.limits.max_head_bytes:
                self._refuse(HeadTooLarge())
        if not self.transport.is_closing():
            self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answer data that uvicorn could not parse as HTTP."""
        self._refuse(BadRequest())

    def on_message_begin(self) -> None:
        """Handle the start of a head."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _TooManyPipelined
        self._enter(_Phase.HEAD)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Accept a header of the head; ignore one of a trailer."""
        if self._phase is _Phase.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass the request to the application."""
        self._enter(_Phase.BODY)
        self._body_bytes = 0
        super().on_headers_complete()
        assert isinstance(self.server_state, DrainableState)
        if self.server_state.is_draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Handle a piece of the body."""
        self._framing_bytes = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        """Count the framing of each chunk separately."""
        self._framing_bytes = 0

    def on_message_complete(self) -> None:
        """Handle the end of the request."""
        self._enter(_Phase.BETWEEN)
        super().on_message_complete()

    def begin_drain(self) -> None:
        """Close the connection after the current answer."""
        cycle = self._last_cycle()
        if cycle is not None:
            cycle.keep_alive = False

    def _enter(self, phase: _Phase) -> None:
        self._phase = phase
        self._framing_bytes = 0
        self._unwatch()

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _watch(self) -> None:
        """Ensure that a deadline is set while the client has to send the next byte."""
        cycle = self._last_cycle()
        if self._phase is _Phase.BODY:
            if self._deadline is None:
                self._deadline = self.loop.call_later(self.limits.window_seconds, self._check_body)
        elif self._phase is _Phase.HEAD or cycle is None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(self.limits.head_seconds, self._end_head)
        elif cycle.response_complete and self.timeout_keep_alive_task is None:
            # The request was answered before its body ended: uvicorn sets no timer in this case.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _end_head(self) -> None:
        if self._phase is _Phase.BETWEEN:
            self.transport.close()  # there is no request to answer
        else:
            self._refuse(RequestTimeout())

    def _check_body(self) -> None:
        """Refuse a body that arrived too slowly, unless we were not reading it."""
        self._deadline = None
        is_ours = self.flow.read_paused or self.cycle.waiting_for_100_continue
        wanted = self.limits.min_bytes_per_second * self.limits.window_seconds
        if is_ours or self._body_bytes >= wanted:
            self._body_bytes = 0
            self._watch()
        else:
            self._refuse(RequestTimeout())

    def _refuse(self, problem: Problem) -> None:
        """Answer with a problem unless an answer has begun, and close the connection."""
        if self.transport.is_closing():
            return
        self._unwatch()
        cycle = self._last_cycle()
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_on_the_wire(problem))
        if cycle is not None:
            cycle.disconnected = True  # drop what the application still sends
        self.transport.close()

    def _last_cycle(self) -> RequestResponseCycle | None:
        return self.cycle


def _on_the_wire(problem: Problem) -> bytes:
    """Return an answer to a request whose head, and so whose language, is unknown."""
    response = problem.render("es")
    headers = (*response.raw_headers, *SECURITY_HEADERS, (b"connection", b"close"))
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return STATUS_LINE[problem.status] + lines + b"\r\n" + bytes(response.body)
