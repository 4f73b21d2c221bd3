"""The api's keys: fetched when due, and the last good set kept during an outage."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from swapshop_kit.jwks import JwksClient
from swapshop_kit.problems import KeysUnavailable


class _Api:
    """Publishes the keys of the given ids, or fails; counts the fetches."""

    def __init__(self, *kids: str) -> None:
        self.kids = list(kids)
        self.fetches = 0
        self.failure: Callable[[], httpx.Response] | None = None
        self.before_answer: Callable[[], Awaitable[object]] | None = None

    async def __call__(self, _: httpx.Request) -> httpx.Response:
        self.fetches += 1
        if self.before_answer:
            await self.before_answer()
        if self.failure:
            return self.failure()
        return httpx.Response(200, json={"keys": [self.jwk(kid) for kid in self.kids]})

    @staticmethod
    def jwk(kid: str) -> dict[str, str]:
        raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x}


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _client(api: _Api, clock: _Clock) -> JwksClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(api))
    return JwksClient(http, "http://api/.well-known/jwks.json", clock)


def _disconnect() -> httpx.Response:
    raise httpx.ConnectError("no route")


_FAILURES: list[Callable[[], httpx.Response]] = [
    _disconnect,
    lambda: httpx.Response(503),
    lambda: httpx.Response(500, json={"keys": [_Api.jwk("k9")]}),
    lambda: httpx.Response(302, headers={"Location": "http://evil"}),
    lambda: httpx.Response(200, text="not json"),
    lambda: httpx.Response(200, json={"keys": []}),
    lambda: httpx.Response(200, json=[]),
    lambda: httpx.Response(200, content=b"\xff"),
]


@pytest.mark.parametrize("failure", _FAILURES)
async def test_before_the_first_set_there_is_nothing_to_judge_by(
    failure: Callable[[], httpx.Response],
) -> None:
    api, clock = _Api("k1"), _Clock()
    api.failure = failure
    client = _client(api, clock)

    with pytest.raises(KeysUnavailable):
        await client.current()
    with pytest.raises(KeysUnavailable):
        await client.containing("k1")
    assert api.fetches == 1
    api.failure = None
    clock.now += 1
    assert (await client.current()).keys.keys() == {"k1"}


@pytest.mark.parametrize("failure", _FAILURES)
async def test_the_last_good_set_outlives_an_outage(failure: Callable[[], httpx.Response]) -> None:
    api, clock = _Api("k1"), _Clock()
    client = _client(api, clock)
    good = await client.current()
    api.failure = failure

    for _ in range(10):
        clock.now += 300
        assert await client.current() is good
    assert api.fetches == 11


async def test_a_set_is_used_for_five_minutes_and_then_fetched_anew() -> None:
    api, clock = _Api("k1"), _Clock()
    client = _client(api, clock)
    first = await client.current()
    clock.now += 299.9
    assert await client.current() is first
    api.kids = ["k2"]
    clock.now += 0.1

    assert (await client.current()).keys.keys() == {"k2"}
    assert api.fetches == 2


async def test_a_failed_refresh_is_tried_again_after_30_seconds() -> None:
    api, clock = _Api("k1"), _Clock()
    client = _client(api, clock)
    await client.current()
    api.failure = _disconnect
    clock.now += 300
    for _ in range(5):
        await client.current()
    assert api.fetches == 2
    clock.now += 29.9
    await client.current()
    assert api.fetches == 2
    api.failure = None
    clock.now += 0.1
    await client.current()
    assert api.fetches == 3


async def test_an_unknown_kid_makes_a_fetch_at_most_every_30_seconds() -> None:
    api, clock = _Api("k1"), _Clock()
    client = _client(api, clock)
    await client.current()
    for number in range(5):
        assert "bogus" not in (await client.containing(f"bogus{number}")).keys
    assert api.fetches == 1
    clock.now += 30
    api.kids = ["k1", "k2"]

    assert "k2" in (await client.containing("k2")).keys
    for number in range(5):
        await client.containing(f"bogus{number}")
    assert api.fetches == 2


async def test_a_known_kid_makes_none() -> None:
    api, clock = _Api("k1"), _Clock()
    client = _client(api, clock)
    await client.current()
    clock.now += 60
    await client.containing("k1")

    assert api.fetches == 1


async def test_a_crowd_makes_one_first_fetch() -> None:
    api, clock = _Api("k1"), _Clock()
    client = _client(api, clock)
    sets = await asyncio.gather(*(client.current() for _ in range(20)))

    assert api.fetches == 1
    assert all(each is sets[0] for each in sets)


async def test_a_slow_refresh_keeps_nobody_else_waiting() -> None:
    api, clock = _Api("k1"), _Clock()
    client = _client(api, clock)
    old = await client.current()
    clock.now += 300
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        asked.set()
        await may_answer.wait()

    api.before_answer = hang
    async with asyncio.TaskGroup() as tasks:
        refresh = tasks.create_task(client.current())
        await asked.wait()
        assert await client.current() is old
        may_answer.set()
    assert refresh.result() is not old
    assert api.fetches == 2


async def test_a_cancelled_fetch_leaves_the_client_usable() -> None:
    api, clock = _Api("k1"), _Clock()
    client = _client(api, clock)
    asked = asyncio.Event()

    async def hang() -> None:
        asked.set()
        await asyncio.Event().wait()

    api.before_answer = hang
    task = asyncio.create_task(client.current())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    api.before_answer = None
    clock.now += 1

    assert (await client.current()).keys.keys() == {"k1"}
