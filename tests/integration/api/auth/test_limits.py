"""Rate limits in Redis, and what HTTP answers when they are used up."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from support.api.accounts import PASSWORD, Browser, Clock, api_container, api_settings
from support.stores.pairs import Stores
from support.stores.servers import RedisServer
from swapshop_api.app import whole_app
from swapshop_api.auth.problems import TooManyRequests
from swapshop_api.auth.rate_limits import Limit, RateLimits
from swapshop_api.container import Container
from swapshop_kit.database import Database
from swapshop_kit.redis import Circuit, create_redis

_LIMIT = Limit("login", "198.51.100.1", 3, 60)


def _logins(outcome: str) -> float:
    labels = {"event": "login", "outcome": outcome}
    return REGISTRY.get_sample_value("swapshop_security_events_total", labels) or 0.0


@pytest.fixture
def limited(stores: Stores, database: Database, redis: Redis, tmp_path: Path) -> Container:
    """The limits as they are by default, behind one proxy."""
    settings = api_settings(
        stores,
        tmp_path / "keys.json",
        login_per_account_per_minute=10,
        login_per_address_per_minute=60,
        register_per_address_per_hour=10,
        trusted_proxies=["10.0.0.0/8"],
    )
    return api_container(settings, database, redis)


async def _admitted(limits: RateLimits, *wanted: Limit) -> bool:
    try:
        await limits.take(*wanted)
    except TooManyRequests:
        return False
    return True


async def test_pods_share_a_limit(redis: Redis, stores: Stores) -> None:
    other = create_redis(stores.redis_url, seconds=2.0)
    pods = [RateLimits(redis, 2), RateLimits(other, 2)]
    admitted = await asyncio.gather(*(_admitted(pods[number % 2], _LIMIT) for number in range(12)))

    assert sum(admitted) == 3
    await other.aclose()


async def test_a_refusal_says_when_the_next_is_admitted(redis: Redis) -> None:
    limits = RateLimits(redis, 1)
    for _ in range(3):
        await limits.take(_LIMIT)

    with pytest.raises(TooManyRequests) as refusal:
        await limits.take(_LIMIT)
    assert 55 <= int(refusal.value.headers["Retry-After"]) <= 60


async def test_the_window_slides_with_the_clock_of_redis(redis: Redis) -> None:
    """The log is made older in place of waiting."""
    limits = RateLimits(redis, 1)
    for _ in range(3):
        await limits.take(_LIMIT)
    oldest = int((await redis.lrange(_LIMIT.key, -1, -1))[0])
    await redis.lset(_LIMIT.key, 2, str(oldest - 60_000))

    assert await _admitted(limits, _LIMIT)
    assert not await _admitted(limits, _LIMIT)


async def test_a_log_is_no_longer_than_its_limit(redis: Redis) -> None:
    limits = RateLimits(redis, 1)
    for _ in range(5):
        await _admitted(limits, _LIMIT)

    assert await redis.llen(_LIMIT.key) == 3


async def test_a_refused_call_counts_against_none_of_its_limits(redis: Redis) -> None:
    limits = RateLimits(redis, 1)
    account, address = Limit("account", "ana", 1, 60), Limit("address", "198.51.100.1", 2, 60)
    await limits.take(account, address)
    assert not await _admitted(limits, account, address)

    assert await _admitted(limits, address)
    assert not await _admitted(limits, address)


async def test_while_redis_is_away_each_pod_admits_its_share(valkey_server: RedisServer) -> None:
    redis = create_redis(valkey_server.url, seconds=1.0)
    clock = Clock()
    limits = RateLimits(redis, 3, circuit=Circuit(clock), clock=clock)
    with valkey_server.paused():
        admitted = [await _admitted(limits, _LIMIT) for _ in range(3)]
    assert admitted == [True, False, False]

    clock.now += 1.0
    limit = Limit("login", "another", 3, 60)
    assert [await _admitted(limits, limit) for _ in range(4)] == [True, True, True, False]
    await redis.aclose()


async def test_ten_logins_a_minute_for_one_account_and_address(limited: Container) -> None:
    app = whole_app(limited)
    there = Browser(app, address="203.0.113.6")
    await there.register()
    before = {result: _logins(result) for result in ("ok", "refused", "limited")}
    answers = [await Browser(app).login(password="wrong password") for _ in range(9)]
    answers += [await Browser(app).login(), await Browser(app).login()]

    assert [answer.status_code for answer in answers] == [401] * 9 + [200, 429]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert 55 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert {result: _logins(result) - count for result, count in before.items()} == {
        "ok": 1,
        "refused": 9,
        "limited": 1,
    }
    assert (await Browser(app).login(email="eva@example.com")).status_code == 401, "another account"
    assert (await there.login()).status_code == 200, "another address: no account is locked"


async def test_an_email_in_other_letters_is_the_same_account(limited: Container) -> None:
    browser = Browser(whole_app(limited))
    spellings = ["ana@example.com", " ANA@Example.com"]
    answers = [await browser.login(email=spellings[number % 2]) for number in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


async def test_an_email_with_its_domain_in_another_spelling_is_the_same_account(
    limited: Container,
) -> None:
    browser = Browser(whole_app(limited))
    spellings = ["ana@españa.example", "ana@xn--espaa-rta.example", "ana@ESPAN\u0303A.example"]
    answers = [await browser.login(email=spellings[number % 3]) for number in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


async def test_sixty_logins_a_minute_for_one_address(limited: Container) -> None:
    browser = Browser(whole_app(limited))
    answers = [await browser.login(email=f"{number}@example.com") for number in range(61)]

    assert [answer.status_code for answer in answers] == [401] * 60 + [429]


async def test_ten_registrations_an_hour_for_one_address(limited: Container) -> None:
    browser = Browser(whole_app(limited))
    answers = [await browser.register(email=f"{number}@example.com") for number in range(11)]

    assert [answer.status_code for answer in answers] == [201] * 10 + [429]
    assert 3590 <= int(answers[-1].headers["Retry-After"]) <= 3600


async def test_behind_a_proxy_each_client_has_its_own_limit(limited: Container) -> None:
    proxy = Browser(whole_app(limited), address="10.1.2.3")
    statuses: list[int] = []
    for client in (*["198.51.100.1"] * 11, "198.51.100.2"):
        proxy.headers["X-Forwarded-For"] = f"6.6.6.{len(statuses)}, {client}"
        statuses.append((await proxy.login()).status_code)

    assert statuses == [401] * 10 + [429, 401]


async def test_a_stolen_access_token_cannot_guess_the_password(limited: Container) -> None:
    browser = Browser(whole_app(limited))
    token = (await browser.register()).json()["token"]
    answers = [await browser.change_password(token, "wrong password", PASSWORD) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
