"""HTTP/1.1 from strangers: uvicorn's protocol with limits on heads, bodies and connections."""

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
"""Connections beyond the limit that are told so by a 503; further ones are closed at once."""

MAX_PIPELINED: Final = 16
"""Requests that may wait on one connection; each takes memory before it is answered."""

_SLICE_BYTES: Final = 8 * 1024
"""The parser is fed in such pieces, so a head never exceeds its limit by more than one of them."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a connection may take.

    Args:
        max_connections: open at once on one port.
        max_head_bytes: of a request line with its headers, and of a trailer.
        head_seconds: from the first byte of a head, or from the connection, to the head's end.
        window_seconds: the span over which the rate of a body is measured.
        min_bytes_per_second: a body that arrives more slowly is given up.
    """

    max_connections: int = 2000
    max_head_bytes: int = 64 * 1024
    head_seconds: float = 20.0
    window_seconds: float = 20.0
    min_bytes_per_second: int = 500


class DrainableState(ServerState):
    """uvicorn's state of a server, and whether each answer should end its connection."""

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
    """The process holds as many connections as it may."""

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
    """A client sends requests faster than it takes their answers."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """One connection.

    Trailers are ignored: a proxy that checks or removes a header does so in the head only, so a
    trailer must never count as one (RFC 9110 §6.5.1).
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
        """Received since the head began, or since the last piece of the body."""
        self._body_bytes = 0
        """Received of the body in this window."""
        self._deadline: asyncio.TimerHandle | None = None

    @classmethod
    def limited(cls, limits: HttpLimits) -> type["LimitedHttpProtocol"]:
        """Return the protocol with these limits, for uvicorn to make a connection of."""
        return type(cls.__name__, (cls,), {"limits": limits})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head, or refuse a connection beyond the limit."""
        super().connection_made(transport)
        excess = len(self.connections) - self.limits.max_connections
        if excess > REFUSED_CONNECTIONS:
            transport.abort()
            return
        if excess > 0:
            self.app = _refusal  # type: ignore[assignment]  # uvicorn types ASGI by TypedDicts
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse a piece at a time, and close once what is not body exceeds the limit."""
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
        """Answer what is not HTTP, as uvicorn found."""
        self._refuse(BadRequest())

    def on_message_begin(self) -> None:
        """Begin a head."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _TooManyPipelined
        self._enter(_Phase.HEAD)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header of the head, and none of a trailer."""
        if self._phase is _Phase.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request to the application."""
        self._enter(_Phase.BODY)
        self._body_bytes = 0
        super().on_headers_complete()
        assert isinstance(self.server_state, DrainableState)
        if self.server_state.is_draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._framing_bytes = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        """Count the framing of each chunk by itself."""
        self._framing_bytes = 0

    def on_message_complete(self) -> None:
        """End the request."""
        self._enter(_Phase.BETWEEN)
        super().on_message_complete()

    def begin_drain(self) -> None:
        """Let the answer under way be the last of this connection."""
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
        """See that something has a deadline while the next byte is the client's to send."""
        cycle = self._last_cycle()
        if self._phase is _Phase.BODY:
            if self._deadline is None:
                self._deadline = self.loop.call_later(self.limits.window_seconds, self._check_body)
        elif self._phase is _Phase.HEAD or cycle is None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(self.limits.head_seconds, self._end_head)
        elif cycle.response_complete and self.timeout_keep_alive_task is None:
            # The rest of a body whose request was answered early: uvicorn forgets its timer here.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _end_head(self) -> None:
        if self._phase is _Phase.BETWEEN:
            self.transport.close()  # nothing was asked, so there is nothing to answer
        else:
            self._refuse(RequestTimeout())

    def _check_body(self) -> None:
        """Give a body up that came too slowly, unless it was us who did not read."""
        self._deadline = None
        is_ours = self.flow.read_paused or self.cycle.waiting_for_100_continue
        wanted = self.limits.min_bytes_per_second * self.limits.window_seconds
        if is_ours or self._body_bytes >= wanted:
            self._body_bytes = 0
            self._watch()
        else:
            self._refuse(RequestTimeout())

    def _refuse(self, problem: Problem) -> None:
        """Answer unless an answer is under way, and close."""
        if self.transport.is_closing():
            return
        self._unwatch()
        cycle = self._last_cycle()
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_on_the_wire(problem))
        if cycle is not None:
            cycle.disconnected = True  # what the application still sends must not follow
        self.transport.close()

    def _last_cycle(self) -> RequestResponseCycle | None:
        return self.cycle


def _on_the_wire(problem: Problem) -> bytes:
    """Return an answer to a request whose head, and so its language, is not known."""
    response = problem.render("es")
    headers = (*response.raw_headers, *SECURITY_HEADERS, (b"connection", b"close"))
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return STATUS_LINE[problem.status] + lines + b"\r\n" + bytes(response.body)
