import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from support.poller.builders import delivery
from support.poller.virtual_time import run_in_virtual_time, virtual_now
from swapshop_poller.api_client import ApiAway, ApiClient, ApiRefused
from swapshop_poller.contract import Acknowledgement, LeaseAnswer, LeaseRequest, Outcome, Result

REQUEST = LeaseRequest(lease_token="token", limit=50, lease_seconds=60)
EMPTY: dict[str, Any] = {"remaining_ms": 60_000, "deliveries": []}
DELIVERY = b'{"id":"1","webhook_id":"1","event_type":"e","body":"e30=","attempts":0}'
RESULTS = [Result(delivery_id="delivery-1", outcome=Outcome.RETRY, status=429, retry_after=7)]


class Api:
    """Answers like the api; issues token-1, token-2 and so on, and accepts only the latest."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.token_answer: httpx.Response | None = None
        self.tokens = 0
        self.expires_in = 600

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == "/internal/auth/token":
            self.tokens += 1
            return self.token_answer or httpx.Response(
                200,
                json={
                    "access_token": f"token-{self.tokens}",
                    "token_type": "Bearer",
                    "expires_in": self.expires_in,
                },
            )
        return self.answers.pop(0) if self.answers else httpx.Response(200, json=EMPTY)

    @property
    def calls(self) -> list[httpx.Request]:
        """Return the requests other than those for a token."""
        return [each for each in self.requests if each.url.path != "/internal/auth/token"]


def run(api: Callable[[httpx.Request], Any], work: Callable[[ApiClient], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(api)) as http:
            client = ApiClient(
                http,
                "http://api.test:8001/",
                "poller",
                SecretStr("secret"),
                total_seconds=10,
                clock=virtual_now,
            )
            return await work(client)

    return run_in_virtual_time(main())


def lease(client: ApiClient) -> Awaitable[LeaseAnswer]:
    return client.lease(REQUEST)


def test_a_lease_is_asked_for_with_client_credentials() -> None:
    wire = {
        "id": "delivery-1",
        "webhook_id": "webhook-1",
        "event_type": "ORDER_READY",
        "body": base64.b64encode(delivery().body).decode(),
        "attempts": 0,
        "traceparent": delivery().traceparent,
        "added_by_a_later_version": 1,
    }
    api = Api(httpx.Response(200, json={"remaining_ms": 59_990, "deliveries": [wire]}))

    answer = run(api, lease)

    assert answer == LeaseAnswer(remaining_ms=59_990, deliveries=[delivery()])
    token, call = api.requests
    assert str(token.url) == "http://api.test:8001/internal/auth/token"
    assert parse_qs(token.content.decode()) == {"grant_type": ["client_credentials"]}
    basic = base64.b64encode(b"poller:secret").decode()
    assert token.headers["authorization"] == f"Basic {basic}"
    assert str(call.url) == "http://api.test:8001/internal/dispatch/leases"
    assert call.headers["authorization"] == "Bearer token-1"
    assert call.headers["content-type"] == "application/json"
    assert call.content == b'{"lease_token":"token","limit":50,"lease_seconds":60}'


def test_results_are_reported_under_their_lease() -> None:
    answer = {"results": [{"delivery_id": "delivery-1", "result": "stale"}]}
    api = Api(httpx.Response(200, json=answer))

    acknowledged = run(api, lambda client: client.report("a-token", RESULTS))

    assert acknowledged == [Acknowledgement(delivery_id="delivery-1", result="stale")]
    assert api.calls[0].url.path == "/internal/dispatch/leases/a-token/results"
    assert api.calls[0].content == (
        b'{"results":[{"delivery_id":"delivery-1","outcome":"retry","status":429,"error":null,'
        b'"retry_after":7}]}'
    )


def confirm(client: ApiClient) -> Awaitable[None]:
    return client.confirm("a-token")


def test_a_lease_is_confirmed_under_its_token() -> None:
    api = Api(httpx.Response(204))

    run(api, confirm)

    assert api.calls[0].url.path == "/internal/dispatch/leases/a-token/receipt"
    assert api.calls[0].content == b""


def test_an_api_of_the_release_before_needs_no_confirmation() -> None:
    run(Api(httpx.Response(404)), confirm)


@pytest.mark.parametrize(("status", "kind"), [(503, ApiAway), (422, ApiRefused), (200, ApiRefused)])
def test_a_confirmation_fails_like_every_call(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        run(Api(httpx.Response(status)), confirm)


@pytest.mark.parametrize(
    ("expires_in", "pause", "tokens"), [(600, 569, 1), (600, 570, 2), (40, 29, 1), (40, 30, 2)]
)
def test_a_token_is_used_until_shortly_before_it_expires(
    expires_in: int, pause: float, tokens: int
) -> None:
    api = Api()
    api.expires_in = expires_in

    async def work(client: ApiClient) -> None:
        await client.lease(REQUEST)
        await asyncio.sleep(pause)
        await client.lease(REQUEST)

    run(api, work)

    assert api.tokens == tokens


def test_a_token_that_is_not_accepted_is_replaced_once() -> None:
    api = Api(httpx.Response(401))

    assert run(api, lease) == LeaseAnswer(remaining_ms=60_000, deliveries=[])
    assert [each.headers["authorization"] for each in api.calls] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


def test_a_fresh_token_that_is_not_accepted_is_a_refusal() -> None:
    api = Api(httpx.Response(401), httpx.Response(401))

    with pytest.raises(ApiRefused, match="HTTP 401"):
        run(api, lease)

    assert api.tokens == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 302, 204])
def test_what_a_person_must_put_right_is_a_refusal(status: int) -> None:
    answers = [httpx.Response(status), httpx.Response(status)]

    with pytest.raises(ApiRefused):
        run(Api(*answers), lease)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_passes_is_an_api_that_is_away(status: int) -> None:
    with pytest.raises(ApiAway) as raised:
        run(Api(httpx.Response(status)), lease)

    assert raised.value.answered


@pytest.mark.parametrize(
    ("answer", "kind"), [(httpx.Response(401), ApiRefused), (httpx.Response(503), ApiAway)]
)
def test_the_token_endpoint_fails_like_every_call(
    answer: httpx.Response, kind: type[Exception]
) -> None:
    api = Api()
    api.token_answer = answer

    with pytest.raises(kind):
        run(api, lease)

    assert api.calls == []


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("silence"),
        httpx.ReadError("reset"),
        httpx.DecodingError("not gzip"),
    ],
)
def test_no_answer_is_an_api_that_is_away(error: httpx.RequestError) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(ApiAway, match=type(error).__name__) as raised:
        run(fail, lease)

    assert not raised.value.answered


def test_a_call_with_its_token_is_limited_in_time() -> None:
    api = Api()

    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(6)
        return api(request)

    async def work(client: ApiClient) -> float:
        began_at = virtual_now()
        with pytest.raises(ApiAway):
            await client.lease(REQUEST)
        return virtual_now() - began_at

    assert run(slow, work) == 10


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"remaining_ms": "soon", "deliveries": []}',
        b'{"remaining_ms": 1, "deliveries": [{"id": "1"}]}',
        b'{"remaining_ms": 1, "deliveries": [%s]}' % DELIVERY.replace(b'"e30="', b'"e3!0="'),
        b'{"remaining_ms": 1, "deliveries": [%s]}' % DELIVERY.replace(b'"e30="', b"5"),
    ],
)
def test_an_answer_that_is_not_understood_is_a_refusal(answer: bytes) -> None:
    with pytest.raises(ApiRefused, match="not understood"):
        run(Api(httpx.Response(200, content=answer)), lease)


def test_a_delivery_without_a_trace_is_understood() -> None:
    content = b'{"remaining_ms": 1, "deliveries": [%s]}' % DELIVERY

    answer: LeaseAnswer = run(Api(httpx.Response(200, content=content)), lease)

    assert [(each.body, each.traceparent) for each in answer.deliveries] == [(b"{}", None)]
