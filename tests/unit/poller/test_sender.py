import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from support.poller.builders import TRACEPARENT, WEBHOOK_SECRET, delivery
from support.poller.virtual_time import run_in_virtual_time, virtual_now
from swapshop_kit.webhook_signatures import verify
from swapshop_poller.contract import Delivery
from swapshop_poller.policy import Answer, Attempt, Cause, Failure
from swapshop_poller.sender import MAX_ANSWER_BYTES, Sender


class Stream(httpx.AsyncByteStream):
    """A body in parts with pauses between them, which may end with an error."""

    def __init__(self, parts: list[bytes | float | Exception]) -> None:
        self._parts = parts
        self.was_closed = False
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, bytes):
                self.given += 1
                yield part
            else:
                await asyncio.sleep(part)

    async def aclose(self) -> None:
        self.was_closed = True


def answer(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    """Return an answer whose body has not been read yet."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=Stream([body]))


def send(handler: Callable[[httpx.Request], object], sending: Delivery | None = None) -> Attempt:
    async def main() -> Attempt:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:  # pyright: ignore[reportArgumentType] - sync or async, as httpx has it
            sender = Sender(
                http,
                "http://receiver.test:8001/",
                SecretStr(WEBHOOK_SECRET),
                total_seconds=10,
            )
            return await sender(sending or delivery())

    return run_in_virtual_time(main())


def requests_of(sending: Delivery) -> httpx.Request:
    """Return the request that sends a delivery."""
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(200)

    assert send(handle, sending) == Answer(200)
    return requests[0]


def test_a_webhook_is_signed_over_its_exact_bytes() -> None:
    body = b'{"total": 19.90,\n "a":"\xc3\xb1"}'

    request = requests_of(delivery(body=body))

    assert request.method == "POST"
    assert str(request.url) == "http://receiver.test:8001/webhooks/order-ready"
    assert request.headers["content-type"] == "application/json"
    assert request.content == body
    assert verify([SecretStr(WEBHOOK_SECRET)], request.headers, request.content) == "webhook-1"


def test_the_signature_is_of_the_present() -> None:
    stamp = int(requests_of(delivery()).headers["webhook-timestamp"])

    assert abs(stamp - datetime.now(UTC).timestamp()) < 60


def test_the_orders_trace_is_continued() -> None:
    traceparent = requests_of(delivery()).headers["traceparent"]

    assert traceparent.split("-")[1] == TRACEPARENT.split("-")[1]


@pytest.mark.parametrize(
    "traceparent", [None, "", "garbage", "00-0-0-00\r\nx: y", "00-" + "0" * 52]
)
def test_without_a_trace_no_header_is_sent(traceparent: str | None) -> None:
    assert "traceparent" not in requests_of(delivery(traceparent=traceparent)).headers


@pytest.mark.parametrize(
    ("given", "attempt"),
    [
        (answer(204), Answer(204)),
        (answer(302, location="http://elsewhere.test/"), Answer(302)),
        (answer(429, retry_after="7"), Answer(429, "7")),
        (answer(409, b'{"code": "other_content"}'), Answer(409, code="other_content")),
        (answer(500, b'{"code": "Not A Code"}'), Answer(500)),
        (answer(500, b'{"code": 7}'), Answer(500)),
        (answer(500, b'["code"]'), Answer(500)),
        (answer(500, b"{}"), Answer(500)),
        (answer(500, b"\xff<html>"), Answer(500)),
        (answer(500, b"[" * 8000), Answer(500)),
    ],
)
def test_an_answer_is_its_status_and_what_helps_to_understand_it(
    given: httpx.Response, attempt: Answer
) -> None:
    assert send(lambda _: given) == attempt


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (httpx.ConnectError("refused"), Cause.NO_CONNECTION),
        (httpx.ConnectTimeout("silence"), Cause.NO_CONNECTION),
        (httpx.PoolTimeout("busy"), Cause.NO_CONNECTION),
        (httpx.ReadTimeout("silence"), Cause.TIME_OUT),
        (httpx.WriteTimeout("silence"), Cause.TIME_OUT),
        (httpx.ReadError("reset"), Cause.BROKEN),
        (httpx.WriteError("reset"), Cause.BROKEN),
        (httpx.RemoteProtocolError("not HTTP"), Cause.BROKEN),
        (httpx.LocalProtocolError("illegal header"), Cause.UNSENDABLE),
    ],
)
def test_a_missing_answer_has_its_cause(error: httpx.RequestError, cause: Cause) -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        raise error

    assert send(handle) == Failure(cause, type(error).__name__)


def test_an_attempt_ends_after_its_time_limit() -> None:
    async def handle(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(3600)
        return answer(200)

    async def timed() -> tuple[Attempt, float]:
        began_at = virtual_now()
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            sender = Sender(http, "http://r.test", SecretStr(WEBHOOK_SECRET), total_seconds=10)
            return await sender(delivery()), virtual_now() - began_at

    assert run_in_virtual_time(timed()) == (Failure(Cause.TIME_OUT, "TimeoutError"), 10)


@pytest.mark.parametrize("end", [3600.0, httpx.ReadError("reset")])
def test_a_status_counts_even_if_the_rest_of_the_answer_is_missing(
    end: float | Exception,
) -> None:
    stream = Stream([b'{"code": "x"', end])

    assert send(lambda _: httpx.Response(200, stream=stream)) == Answer(200)
    assert stream.was_closed


def test_an_endless_answer_is_read_in_part() -> None:
    stream = Stream([b"x" * 1000] * 1000)

    assert send(lambda _: httpx.Response(200, stream=stream)) == Answer(200)
    assert stream.given == MAX_ANSWER_BYTES // 1000 + 1


@pytest.mark.parametrize("changes", [{"body": b"\xff"}, {"webhook_id": "ñ"}])
def test_a_delivery_that_makes_no_request_is_told_apart(changes: dict[str, object]) -> None:
    attempt = send(lambda _: answer(200), delivery().model_copy(update=changes))

    assert isinstance(attempt, Failure)
    assert attempt.cause is Cause.UNSENDABLE
