"""Cache and limits on a Redis Cluster, where one call may touch the keys of one slot only."""

from collections.abc import AsyncGenerator, Generator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from support.counters import rise_of
from support.skips import skipping_without_server
from support.stores.redis_keys import names_in
from support.stores.servers import RedisServer, redis_cluster
from swapshop_api.auth.problems import TooManyRequests
from swapshop_api.auth.rate_limits import Limit, RateLimits
from swapshop_api.orders.cache import CachedOrder, OrderCache
from swapshop_api.orders.write_limits import WriteLimits, WriteRate
from swapshop_kit.ids import new_id
from swapshop_kit.redis import create_redis

IDS = [new_id() for _ in range(20)]


@pytest.fixture(scope="module")
def cluster() -> Generator[RedisServer]:
    with skipping_without_server(), redis_cluster() as server:
        yield server


@pytest.fixture
async def clustered(cluster: RedisServer) -> AsyncGenerator[Redis]:
    redis = create_redis(cluster.url, seconds=10)
    yield redis
    await redis.aclose()


async def test_it_refuses_one_call_for_orders_of_several_slots(clustered: Redis) -> None:
    keys = [f"order:{{{order_id}}}:value" for order_id in IDS]

    with pytest.raises(ResponseError, match="slot"):
        await clustered.eval("return 1", len(keys), *keys)  # pyright: ignore[reportUnknownMemberType] - untyped


async def test_the_orders_of_a_batch_are_marked_and_cleared(clustered: Redis) -> None:
    failures = [
        rise_of("swapshop_cache_write_failures_total", script=script)
        for script in ("mark", "clear")
    ]
    marks = OrderCache(clustered).dirty_marks()

    await marks.mark(IDS)
    marked = await names_in(clustered, "order:*:dirty")
    await marks.clear()

    assert len(marked) == len(IDS)
    assert await names_in(clustered) == []
    assert [rise() for rise in failures] == [0, 0]


async def test_an_order_is_filled_and_read(clustered: Redis) -> None:
    cache, order = OrderCache(clustered), CachedOrder(new_id(), b"{}")
    found = await cache.read(IDS[0])
    assert found.lease is not None
    await cache.fill(IDS[0], found.lease, order, is_final=False)

    assert (await cache.read(IDS[0])).order == order


async def test_what_a_customer_places_is_counted(clustered: Redis) -> None:
    limits, user = WriteLimits(clustered, WriteRate(orders=3, bytes=2**20), 10), new_id()

    waits = [await limits.spend(user, 100) for _ in range(4)]
    assert [wait > 0 for wait in waits] == [False] * 3 + [True]


async def test_sign_ins_are_counted(clustered: Redis) -> None:
    limits = RateLimits(clustered, 10)
    both = (Limit("login", "ana@example.com", 3, 60), Limit("login", "198.51.100.1", 3, 60))

    for _ in range(3):
        await limits.take(*both)
    with pytest.raises(TooManyRequests):
        await limits.take(*both)
