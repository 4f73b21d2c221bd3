"""Send signed webhooks to the receiver."""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from opentelemetry.trace import Span
from pydantic import SecretStr

from swapshop_kit.telemetry import current_traceparent, trace_headers
from swapshop_kit.webhook_events import webhook_path
from swapshop_kit.webhook_signatures import sign
from swapshop_poller.contract import Delivery
from swapshop_poller.policy import Answer, Attempt, Cause, Failure
from swapshop_poller.spans import (
    client_span,
    context_of,
    link_to_round,
    note_answer,
    note_failure,
)

MAX_ANSWER_BYTES: Final = 8192
"""Maximum bytes read of an answer's body."""

_is_problem_code = re.compile(r"[a-z0-9_]{1,64}").fullmatch


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sender:
    """Makes one attempt at a delivery, with a time-out; failures of the receiver never raise.

    Args:
        http: client that follows no redirects.
        receiver_url: base URL of the receiver's internal port.
        secret: newest signing secret.
        total_seconds: time-out from the connection to the end of the answer.
        now: clock of the signature's timestamp.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        receiver_url: str,
        secret: SecretStr,
        *,
        total_seconds: float,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._http = http
        self._receiver_url = receiver_url.rstrip("/")
        self._secret = secret
        self._total_seconds = total_seconds
        self._now = now

    async def __call__(self, delivery: Delivery) -> Attempt:
        """Send a delivery, in a span of its order's trace."""
        parent = context_of(delivery.traceparent)
        path = webhook_path(delivery.event_type)
        url = self._receiver_url + path
        with client_span(url, path, context=parent, links=link_to_round()) as span:
            try:
                headers = {
                    **sign(self._secret, delivery.webhook_id, delivery.body, self._now),
                    **trace_headers(current_traceparent()),
                    "content-type": "application/json",
                }
                request = self._http.build_request(
                    "POST", url, headers=headers, content=delivery.body
                )
            except UnicodeError as error:
                return _failure(span, Cause.UNSENDABLE, error)
            return await self._exchange(request, span)

    async def _exchange(self, request: httpx.Request, span: Span) -> Attempt:
        ends_at = asyncio.get_running_loop().time() + self._total_seconds
        try:
            async with asyncio.timeout_at(ends_at):
                answer = await self._http.send(request, stream=True)
        except (httpx.RequestError, TimeoutError) as error:
            return _failure(span, _cause(error), error)
        note_answer(span, answer)
        code = _problem_code(await _read(answer, ends_at))
        return Answer(answer.status_code, answer.headers.get("retry-after"), code)


async def _read(answer: httpx.Response, ends_at: float) -> bytes:
    """Read an answer's body up to a limit, so the connection can be used again."""
    body = bytearray()
    try:
        async with asyncio.timeout_at(ends_at):
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    break
    except (httpx.RequestError, TimeoutError):
        body.clear()  # the status already decides; the body changes nothing
    finally:
        await answer.aclose()
    return bytes(body)


def _failure(span: Span, cause: Cause, error: Exception) -> Failure:
    note_failure(span, type(error).__qualname__)
    return Failure(cause, type(error).__name__)


def _cause(error: Exception) -> Cause:
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return Cause.NO_CONNECTION
        case httpx.TimeoutException() | TimeoutError():
            return Cause.TIME_OUT
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
            return Cause.UNSENDABLE
        case _:
            return Cause.BROKEN


def _problem_code(body: bytes) -> str | None:
    """Return the ``code`` of problem details (RFC 9457); None if it is missing or malformed."""
    try:
        problem: Any = json.loads(body)
        code = problem["code"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return code if isinstance(code, str) and _is_problem_code(code) else None
