"""The cache of orders on real Redis: what it keeps, for how long, and who may write it."""

import random
from collections.abc import AsyncGenerator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from support.api.orders import customer, operator, order_json, read_order
from support.counters import rise_of
from support.stores.pairs import Stores
from support.stores.redis_commands import CountedTrips, counting_trips, listing_commands
from support.stores.redis_keys import forget_all, names_in, pass_time
from swapshop_api.orders.cache import CachedOrder, Lookup, OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_kit.ids import new_id

ORDER_ID = new_id()
ORDER = CachedOrder(new_id(), b'{"estado":"PENDING"}')
VALUE, LEASE, DIRTY = (f"order:{{{ORDER_ID}}}:{part}" for part in ("value", "lease", "dirty"))


async def fill(cache: OrderCache, *, is_final: bool = False) -> None:
    found = await cache.read(ORDER_ID)
    assert found.lease is not None
    await cache.fill(ORDER_ID, found.lease, ORDER, is_final=is_final)


@pytest.fixture
async def counted_trips(stores: Stores) -> AsyncGenerator[CountedTrips]:
    async with counting_trips(stores.redis_url) as trips:
        yield trips


def counted(result: str) -> dict[str, str]:
    return {"cache": "orders", "result": result}


async def test_the_first_reader_may_fill_and_the_next_may_not(
    cache: OrderCache, redis: Redis
) -> None:
    rises = {
        result: rise_of("swapshop_cache_requests_total", **counted(result))
        for result in ("hit", "miss", "bypass", "stale", "error")
    }
    first = await cache.read(ORDER_ID)
    second = await cache.read(ORDER_ID)
    assert first.lease is not None
    await cache.fill(ORDER_ID, first.lease, ORDER, is_final=False)
    third = await cache.read(ORDER_ID)

    assert (first.result, second, third) == ("miss", Lookup("bypass"), Lookup("hit", ORDER))
    assert await redis.exists(LEASE) == 0
    assert {result: rise() for result, rise in rises.items()} == {
        "hit": 1, "miss": 1, "bypass": 1, "stale": 0, "error": 0
    }  # fmt: skip


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=300), user_id=st.uuids().map(str))
async def test_the_bytes_come_back_as_they_are(
    cache: OrderCache, redis: Redis, body: bytes, user_id: str
) -> None:
    await forget_all(redis)
    found = await cache.read(ORDER_ID)
    assert found.lease is not None
    await cache.fill(ORDER_ID, found.lease, CachedOrder(user_id, body), is_final=True)

    assert (await cache.read(ORDER_ID)).order == CachedOrder(user_id, body)


@pytest.mark.parametrize(
    ("is_final", "jitter", "seconds"),
    [(False, 0.9, 30), (False, 1.1, 30), (True, 0.9, 3240), (True, 1.0, 3600), (True, 1.1, 3960)],
)
async def test_a_final_state_lives_about_an_hour_and_any_other_30_seconds(
    redis: Redis, is_final: bool, jitter: float, seconds: int
) -> None:
    await fill(OrderCache(redis, jitter=lambda: jitter), is_final=is_final)

    assert seconds * 1000 - 5_000 < await redis.pttl(VALUE) <= seconds * 1000


async def test_lifetimes_differ_by_a_tenth_at_most(redis: Redis, cache: OrderCache) -> None:
    lifetimes: list[int] = []
    for _ in range(50):
        await fill(cache, is_final=True)
        lifetimes.append(await redis.pttl(VALUE))
        await redis.delete(VALUE)

    assert len(set(lifetimes)) > 10
    assert 3_235_000 < min(lifetimes) <= max(lifetimes) <= 3_960_000


async def test_leases_and_marks_end_by_themselves(cache: OrderCache, redis: Redis) -> None:
    await cache.read(ORDER_ID)
    lease = await redis.pttl(LEASE)
    await forget_all(redis)
    await cache.lease_new(ORDER_ID)
    new_lease = await redis.pttl(LEASE)
    await cache.dirty_marks().mark([ORDER_ID])
    dirty = await redis.pttl(DIRTY)

    assert 1_000 < lease <= 2_000
    assert 1_000 < new_lease <= 2_000
    assert 9_000 < dirty <= 10_000


async def test_a_lease_that_ran_out_fills_nothing(cache: OrderCache, redis: Redis) -> None:
    stale = rise_of("swapshop_cache_requests_total", **counted("stale"))
    found = await cache.read(ORDER_ID)
    await pass_time(redis, 2_000)
    other = await cache.read(ORDER_ID)
    assert found.lease is not None

    await cache.fill(ORDER_ID, found.lease, ORDER, is_final=False)

    assert other.result == "miss"
    assert await redis.exists(VALUE) == 0
    assert await redis.get(LEASE) == (other.lease or "").encode()
    assert stale() == 1


async def test_a_mark_takes_the_value_and_the_lease_away(cache: OrderCache, redis: Redis) -> None:
    await fill(cache)
    await redis.set(LEASE, "a reader's")

    marks = cache.dirty_marks()
    await marks.mark([ORDER_ID])
    marked = (await redis.exists(VALUE, LEASE), await redis.get(DIRTY))
    hidden = await cache.read(ORDER_ID)
    new = await cache.lease_new(ORDER_ID)
    await marks.clear()

    assert marked == (0, marks.token.encode())
    assert hidden == Lookup("bypass")
    assert new is not None
    assert await redis.exists(VALUE, LEASE, DIRTY) == 0


async def test_a_writer_clears_no_mark_but_its_own(cache: OrderCache, redis: Redis) -> None:
    first, second = cache.dirty_marks(), cache.dirty_marks()
    await first.mark([ORDER_ID])
    await second.mark([ORDER_ID])

    await first.clear()
    after_first = await redis.get(DIRTY)
    await second.clear()

    assert after_first == second.token.encode()
    assert await redis.exists(DIRTY) == 0


async def test_all_orders_of_a_writer_are_marked_and_cleared_in_one_round_trip_each(
    redis: Redis, counted_trips: CountedTrips
) -> None:
    ids = [new_id() for _ in range(100)]
    marks = OrderCache(counted_trips.redis).dirty_marks()

    await marks.mark(ids[:60])
    await marks.mark(ids[40:])
    marked = len(await names_in(redis, "order:*:dirty"))
    await marks.clear()

    assert counted_trips.number == 3
    assert marked == 100
    assert await names_in(redis) == []


async def test_a_writer_without_orders_does_not_bother_redis(
    cache: OrderCache, redis: Redis
) -> None:
    async with listing_commands(redis) as commands:
        marks = cache.dirty_marks()
        await marks.mark([])
        await marks.clear()

    assert commands == []


async def test_after_a_dead_writers_mark_ran_out_reads_fill_again(
    cache: OrderCache, redis: Redis
) -> None:
    await cache.dirty_marks().mark([ORDER_ID])
    left = await redis.pttl(DIRTY)
    await pass_time(redis, left - 500)
    before = await cache.read(ORDER_ID)
    await pass_time(redis, 500)

    await fill(cache, is_final=True)

    assert before == Lookup("bypass")
    assert await cache.read(ORDER_ID) == Lookup("hit", ORDER)


async def test_a_redis_that_forgot_the_scripts_is_told_them_again(
    cache: OrderCache, redis: Redis
) -> None:
    marks = cache.dirty_marks()
    await redis.script_flush()
    await fill(cache)
    await redis.script_flush()
    hit = await cache.read(ORDER_ID)
    await redis.script_flush()
    await marks.mark([ORDER_ID])
    await redis.script_flush()
    await marks.clear()

    assert hit == Lookup("hit", ORDER)
    assert await names_in(redis) == []


async def test_switched_off_it_is_neither_read_nor_filled_and_writers_mark_all_the_same(
    redis: Redis,
) -> None:
    cache = OrderCache(redis, enabled=False)
    await redis.set(VALUE, f"{ORDER.user_id}old")

    found, lease = await cache.read(ORDER_ID), await cache.lease_new(ORDER_ID)
    marks = cache.dirty_marks()
    await marks.mark([ORDER_ID])

    assert (found, lease) == (Lookup("bypass"), None)
    assert await names_in(redis) == [DIRTY]
    await marks.clear()
    assert await names_in(redis) == []


async def test_one_order_is_never_taken_for_another(orders: Orders) -> None:
    owners = [customer() for _ in range(5)]
    placed = [
        (owner, await orders.place(owner.sub, read_order(order_json()), None)) for owner in owners
    ]
    random.Random(1).shuffle(placed)

    for owner, order in placed:
        assert (await orders.get(owner, order.order_id)).body == order.body
        assert (await orders.get(operator(), order.order_id)).cache == "HIT"
