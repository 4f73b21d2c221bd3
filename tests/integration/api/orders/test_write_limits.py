"""What one customer may place a minute, in Redis and without it."""

import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from support.api.accounts import Clock, api_container, api_settings
from support.api.client import Shop, bearer, code_of
from support.api.orders import order_json, read_order
from support.stores.pairs import Stores
from support.stores.redis_commands import listing_commands
from support.stores.redis_keys import forget_all, names_in
from support.stores.statements import clock_first, counting
from support.waiting import until
from swapshop_api.app import whole_app
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.write_limits import WriteLimits, WriteRate
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id
from swapshop_kit.redis import Circuit, create_redis

KIB = 1024
RATE = WriteRate(orders=3, bytes=1024 * KIB)
AWAY = "redis://127.0.0.1:9/0"


@pytest.fixture
async def limited(
    stores: Stores, database: Database, redis: Redis, tmp_path: Path
) -> AsyncGenerator[Shop]:
    """A customer of an api that admits three orders a minute."""
    settings = api_settings(stores, tmp_path / "keys.json", orders_per_customer_per_minute=3)
    container = api_container(settings, database, redis)
    async with Shop(whole_app(container), bearer(container)) as shop:
        yield shop


async def test_one_order_too_many_is_refused_and_not_stored(limited: Shop) -> None:
    for _ in range(3):
        await limited.placed()
    refused = await limited.place(key="fourth")
    assert code_of(refused) == (429, "too_many_orders")
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    assert len((await limited.pages())[0]) == 3


async def test_a_repetition_is_answered_whatever_its_customer_placed_since(limited: Shop) -> None:
    first = await limited.place(key="first")
    for _ in range(2):
        await limited.placed()
    assert (await limited.place()).status_code == 429
    again = await limited.place(key="first")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_a_refused_key_places_its_order_once_there_is_room(
    limited: Shop, redis: Redis
) -> None:
    for _ in range(3):
        await limited.placed()
    assert (await limited.place(key="fourth")).status_code == 429
    await forget_all(redis)  # as if the minute had passed
    answer = await limited.place(key="fourth")
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers


async def test_a_customers_limit_is_no_others(redis: Redis) -> None:
    limits = WriteLimits(redis, RATE)
    user, other = new_id(), new_id()
    for _ in range(3):
        assert await limits.spend(user, 100) == 0
    assert await limits.spend(user, 100) > 0
    assert await limits.spend(other, 100) == 0


async def test_bytes_are_limited_too_and_a_refusal_spends_nothing(redis: Redis) -> None:
    limits = WriteLimits(redis, WriteRate(orders=1000, bytes=1024 * KIB))
    user = new_id()
    for _ in range(4):
        assert await limits.spend(user, 250 * KIB) == 0
    wait = await limits.spend(user, 250 * KIB)
    assert 0 < wait <= 15
    assert await limits.spend(user, 1 * KIB) == 0


async def test_pods_share_a_customers_limit(redis: Redis, stores: Stores) -> None:
    other = create_redis(stores.redis_url, seconds=2.0)
    pods = [WriteLimits(redis, RATE), WriteLimits(other, RATE)]
    user = new_id()
    waits = [await pods[number % 2].spend(user, 100) for number in range(6)]
    assert [wait > 0 for wait in waits] == [False] * 3 + [True] * 3
    await other.aclose()


async def test_a_moment_from_a_clock_that_was_ahead_holds_a_customer_for_a_minute_at_most(
    redis: Redis,
) -> None:
    user = new_id()
    limits = WriteLimits(redis, RATE)
    await limits.spend(user, 100)
    for key in await names_in(redis, "limit:*"):
        await redis.zadd(key, {user: (time.time() + 600) * 1000})
    assert 0 < await limits.spend(user, 100) <= 20


async def test_of_customers_who_place_nothing_any_more_nothing_is_kept(redis: Redis) -> None:
    limits, customers = WriteLimits(redis, WriteRate(orders=60_000, bytes=2**30)), 5
    for _ in range(customers):
        await limits.spend(new_id(), 1)

    async def only_the_last_is_there() -> bool:
        await limits.spend(new_id(), 1)
        sizes = [await redis.zcard(key) for key in await names_in(redis, "limit:*")]
        return len(sizes) == 2 and max(sizes) == 1

    await until(only_the_last_is_there)


def _without_redis(clock: Clock, max_replicas: int = 1) -> WriteLimits:
    circuit = Circuit(lambda: 0.0)
    circuit.trip()  # for ever: no server is ever asked
    return WriteLimits(create_redis(AWAY), RATE, max_replicas, circuit=circuit, clock=clock)


async def test_without_redis_a_pod_counts_its_share() -> None:
    clock, user = Clock(0.0), new_id()
    limits = _without_redis(clock, max_replicas=3)
    assert await limits.spend(user, 100) == 0
    assert await limits.spend(user, 100) == 60
    assert await limits.spend(new_id(), 100) == 0
    clock.now = 60.0
    assert await limits.spend(user, 100) == 0


async def test_without_redis_an_order_larger_than_the_pods_share_is_admitted() -> None:
    clock, user = Clock(0.0), new_id()
    limits = _without_redis(clock, max_replicas=8)
    assert await limits.spend(user, 256 * KIB) == 0
    assert await limits.spend(user, 256 * KIB) > 0


async def test_redis_that_goes_away_refuses_nobody() -> None:
    limits = WriteLimits(create_redis(AWAY), RATE)
    assert await limits.spend(new_id(), 100) == 0


async def test_the_limit_costs_no_statement_and_one_call_beside_that_of_the_cache(
    database: Database, redis: Redis
) -> None:
    orders = Orders(database, OrderCache(redis), WriteLimits(redis, RATE))
    order = read_order(order_json())
    await orders.place(new_id(), order, "warm")
    with counting(database) as statements:
        async with listing_commands(redis) as commands:
            await orders.place(new_id(), order, "key")
    assert len(statements) == len(clock_first(database)) + 2
    # The calls may open a second connection.
    calls = sorted(each for each in commands if each not in ("HELLO", "CLIENT"))
    assert calls == ["EVALSHA", "EVALSHA", "SET"]
