"""Pure ASGI middleware: the id, the measure and the log line of every request."""

import re
import time
import uuid
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swapshop_kit.metrics import ACTIVE_REQUESTS, OTHER_METHOD, REQUEST_DURATION
from swapshop_kit.problems import InternalError, preferred_language
from swapshop_kit.telemetry import exemplar, trace_id_of, untraced

_log = structlog.get_logger()
_usable_request_id = re.compile(r"[A-Za-z0-9._-]{8,64}").fullmatch
UNMATCHED: Final = "unmatched"
"""The route label of a request that no route took: paths must not become labels."""

CALLER_LEFT: Final = 499
"""The status label of a request that was given up before its answer began, as in nginx."""


class ObserveRequests:
    """Gives each request an id, measures and logs it, and answers a defect with a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = headers.get("x-request-id", "")
        if not _usable_request_id(request_id):
            request_id = uuid.uuid4().hex
        trace_id = trace_id_of(headers.get("traceparent")) or uuid.uuid4().hex
        language = preferred_language(headers.get("accept-language"))
        method = scope["method"] if scope["method"] in ACTIVE_REQUESTS else OTHER_METHOD
        active = ACTIVE_REQUESTS[method]
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        active.inc()
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id, trace_id=trace_id),
            untraced(trace_id),
        ):
            try:
                await self.app(scope, receive, send_with_id)
            except ClientDisconnect:
                pass  # it left before its body had arrived: counted below, and nobody to answer
            except Exception:  # a defect: what is foreseen was answered within
                _log.exception("request.failed", path=scope["path"])
                if status:
                    raise  # half an answer is out: only a broken connection tells the truth
                problem = InternalError().render(language)
                await problem(scope, receive, send_with_id)
            finally:
                active.dec()
                _observe(scope, method, status or CALLER_LEFT, time.perf_counter() - started)


def _observe(scope: Scope, method: str, status: int, seconds: float) -> None:
    route: Any = scope.get("route")
    path = getattr(route, "path", UNMATCHED)
    REQUEST_DURATION.labels(method, path, status).observe(seconds, exemplar())
    _log.info("request", method=method, route=path, status=status, seconds=round(seconds, 6))
