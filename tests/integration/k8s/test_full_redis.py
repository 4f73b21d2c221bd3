"""Rate limits in a Redis that is full, by the chart's policy: cached orders go, limits stay."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from support.skips import skipping_without_server
from support.stores.redis_keys import names_in
from support.stores.servers import redis_server
from swapshop_api.auth.problems import TooManyRequests
from swapshop_api.auth.rate_limits import Limit, RateLimits
from swapshop_api.orders.cache import CachedOrder, OrderCache
from swapshop_api.orders.write_limits import WriteLimits, WriteRate
from swapshop_kit.checks import redis_check
from swapshop_kit.ids import new_id
from swapshop_kit.redis import create_redis
from swapshop_local.valkey import embedded_valkey
from swapshop_operations.repository import CHART

REGISTER = Limit("register", "198.51.100.1", 1, 3600)


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
        orders, user = WriteLimits(redis, WriteRate(orders=1, bytes=2**20)), new_id()
        assert await orders.spend(user, 100) == 0
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
        assert await orders.spend(user, 100) > 0


async def test_where_limits_alone_fill_redis_each_pod_admits_its_share() -> None:
    async with full_at("1") as redis:
        limits, limit = RateLimits(redis, 3), Limit("login", "198.51.100.1", 6, 60)
        await limits.take(limit)
        await limits.take(limit)
        with pytest.raises(TooManyRequests):
            await limits.take(limit)
        assert await names_in(redis) == []


async def test_the_embedded_valkey_drops_as_the_charts_redis(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as url:
        redis = create_redis(url, seconds=10)
        policy = await redis.config_get("maxmemory-policy")  # pyright: ignore[reportUnknownMemberType] - untyped
        assert policy == {"maxmemory-policy": chart_policy()}
        await redis.aclose()


@pytest.mark.parametrize(
    ("policy", "warnings"),
    [("allkeys-lfu", ["redis.evicts_rate_limits"]), ("volatile-lfu", []), ("noeviction", [])],
)
async def test_a_policy_that_can_drop_limits_is_logged_once(
    policy: str, warnings: list[str]
) -> None:
    with skipping_without_server(), redis_server("--maxmemory-policy", policy) as server:
        redis = create_redis(server.url, seconds=10)
        check = redis_check(redis)
        with capture_logs() as logs:
            assert [await check(), await check()] == [True, True]
        await redis.aclose()
    assert [entry["event"] for entry in logs] == warnings
