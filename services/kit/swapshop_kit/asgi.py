"""Pure ASGI middleware: request ids, metrics, log lines and security headers."""

import asyncio
import re
import time
import uuid
from typing import Any, Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swapshop_kit.metrics import ACTIVE_REQUESTS, OTHER_METHOD, REQUEST_DURATION
from swapshop_kit.problems import (
    InternalError,
    OutcomeUnknown,
    Problem,
    ServerStopping,
    preferred_language,
)
from swapshop_kit.telemetry import exemplar, trace_id_of, untraced

_log = structlog.get_logger()
_usable_request_id = re.compile(r"[A-Za-z0-9._-]{8,64}").fullmatch
UNMATCHED: Final = "unmatched"
"""Route label of a request that matched no route: paths must not become labels."""

CALLER_LEFT: Final = 499
"""Status label of a request whose client left before the answer began, as in nginx."""


SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""Sent with every answer, so that no browser treats data as a document or a script."""

NO_STORE: Final = (b"cache-control", b"no-store")
"""Sent unless the route sets Cache-Control: most answers are about one person."""

HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
"""Sent only over TLS (RFC 6797 §7.2), as reported by the proxy that terminates it."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class ObserveRequests:
    """Gives each request an id, measures and logs it, and answers unexpected errors with a 500.

    Args:
        app: the application.
        trusted_callers: whether only our own services call. The ids that other callers send
            could imitate those of another request: their request id is logged as
            ``client_request_id``, and their trace is not continued.
    """

    def __init__(self, app: ASGIApp, *, trusted_callers: bool = False) -> None:
        self.app = app
        self._trusts = trusted_callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        ids = self._ids(headers)
        language = preferred_language(headers.get("accept-language"))
        added = _added_headers(headers, ids["request_id"])
        method = scope["method"] if scope["method"] in ACTIVE_REQUESTS else OTHER_METHOD
        active = ACTIVE_REQUESTS[method]
        started = time.perf_counter()
        status = 0

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message.get("headers", ())
                names = {name for name, _ in given}
                message["headers"] = [*given, *(each for each in added if each[0] not in names)]
            await send(message)

        async def answer(problem: Problem) -> None:
            await problem.render(language)(scope, receive, send_observed)

        active.inc()
        with structlog.contextvars.bound_contextvars(**ids), untraced(ids["trace_id"]):
            try:
                await self.app(scope, receive, send_observed)
            except ClientDisconnect:
                pass  # the client left before its body had arrived: counted below, not answered
            except asyncio.CancelledError:  # the time to drain is over
                if not status:
                    is_safe = scope["method"] in SAFE_METHODS
                    await answer(ServerStopping() if is_safe else OutcomeUnknown())
                raise
            except Exception:  # a bug: expected errors are answered by the application
                _log.exception("request.failed", path=scope["path"])
                if status:
                    raise  # part of the answer is sent, so break the connection
                await answer(InternalError())
            finally:
                active.dec()
                _observe(scope, method, status or CALLER_LEFT, time.perf_counter() - started)

    def _ids(self, headers: Headers) -> dict[str, str]:
        """Return the ids that go into the log lines of a request."""
        trace_id = trace_id_of(headers.get("traceparent")) if self._trusts else None
        ids = {"request_id": uuid.uuid4().hex, "trace_id": trace_id or uuid.uuid4().hex}
        given = headers.get("x-request-id", "")
        if _usable_request_id(given):
            ids["request_id" if self._trusts else "client_request_id"] = given
        return ids


def _added_headers(headers: Headers, request_id: str) -> list[tuple[bytes, bytes]]:
    own = (b"x-request-id", request_id.encode())
    is_secure = headers.get("x-forwarded-proto") == "https"
    return [own, *SECURITY_HEADERS, NO_STORE, *([HSTS] if is_secure else [])]


def _observe(scope: Scope, method: str, status: int, seconds: float) -> None:
    route: Any = scope.get("route")
    path = getattr(route, "path", UNMATCHED)
    REQUEST_DURATION.labels(method, path, status).observe(seconds, exemplar())
    _log.info("request", method=method, route=path, status=status, seconds=round(seconds, 6))
