"""Rate limits in a Redis that is full: the cache gives way, and the limits stay."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from cluster import CHART
from support.redis_contents import names_in
from support.servers import redis_cluster, redis_server
from support.skips import skipping_without_server
from swapshop_api.auth.problems import TooManyRequests
from swapshop_api.auth.rate_limits import Limit, RateLimits
from swapshop_api.orders.cache import CachedOrder, OrderCache
from swapshop_kit.ids import new_id
from swapshop_kit.redis import create_redis
from swapshop_local.valkey import embedded_valkey

REGISTER = Limit("register", "198.51.100.1", 1, 3600)
INDEX = "limit:{log}:index"


def chart_policy() -> str:
    text = (CHART / "templates" / "redis.yaml").read_text()
    (policy,) = re.findall(r"^ *maxmemory-policy (\S+)$", text, re.MULTILINE)
    return policy


@asynccontextmanager
async def full_at(maxmemory: str) -> AsyncGenerator[Redis]:
    """A Redis with the chart's policy and so much memory."""
    options = ("--maxmemory", maxmemory, "--maxmemory-policy", chart_policy())
    with skipping_without_server(), redis_server(*options) as server:
        redis = create_redis(server.url, seconds=10)
        try:
            yield redis
        finally:
            await redis.aclose()


async def test_a_flood_of_cached_orders_drops_no_limit() -> None:
    async with full_at("8mb") as redis:
        limits, cache = RateLimits(redis, 1), OrderCache(redis)
        await limits.take(REGISTER)
        for _ in range(400):
            order_id = new_id()
            lease = (await cache.read(order_id)).lease
            assert lease is not None
            order = CachedOrder(new_id(), b"x" * 100_000)
            await cache.fill(order_id, lease, order, is_final=True)
            for _ in range(5):
                await cache.read(order_id)

        assert len(await names_in(redis, "order:*:value")) < 400
        with pytest.raises(TooManyRequests):
            await limits.take(REGISTER)


async def test_each_call_removes_ten_logs_that_are_over(redis: Redis) -> None:
    limits = RateLimits(redis, 1)
    logs = [Limit("login", str(number), 1, 60) for number in range(25)]
    for log in logs:
        await limits.take(log)
    await redis.zadd(INDEX, {log.key: 1 for log in logs})

    left: list[int] = []
    with_room = Limit("login", "another", 10, 60)
    for _ in range(4):
        await limits.take(with_room)
        left.append(len(await names_in(redis, "limit:*")))
    assert left == [15 + 2, 5 + 2, 2, 2], "the index and its own log remain"
    assert await redis.zcard(INDEX) == 1
    assert await redis.zscore(INDEX, with_room.key) is not None


async def test_a_log_is_over_when_its_window_is(redis: Redis) -> None:
    limit = Limit("login", "198.51.100.1", 2, 60)
    await RateLimits(redis, 1).take(limit)
    await RateLimits(redis, 1).take(limit)

    newest = int((await redis.lindex(limit.key, 0)) or 0)
    assert await redis.zscore(INDEX, limit.key) == newest + 60_000
    assert await redis.ttl(limit.key) == -1


async def test_where_limits_alone_fill_redis_each_pod_admits_its_share() -> None:
    async with full_at("1") as redis:
        limits, limit = RateLimits(redis, 3), Limit("login", "198.51.100.1", 6, 60)
        await limits.take(limit)
        await limits.take(limit)
        with pytest.raises(TooManyRequests):
            await limits.take(limit)
        assert await names_in(redis) == []


async def test_a_cluster_counts_all_limits_of_a_call() -> None:
    with skipping_without_server(), redis_cluster() as server:
        redis = create_redis(server.url, seconds=10)
        limits = RateLimits(redis, 1000)
        wanted = [Limit("account", "ana", 2, 60), Limit("address", "198.51.100.1", 2, 60)]
        await limits.take(*wanted)
        await limits.take(*wanted)

        assert [await redis.llen(limit.key) for limit in wanted] == [2, 2]
        await redis.aclose()


async def test_the_embedded_valkey_drops_as_the_charts_redis(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as url:
        redis = create_redis(url, seconds=10)
        policy = await redis.config_get("maxmemory-policy")  # pyright: ignore[reportUnknownMemberType] - untyped
        assert policy == {"maxmemory-policy": chart_policy()}
        await redis.aclose()
