"""The memory of rate limits: logs that are over are removed; a cluster keeps all in one slot."""

from redis.asyncio import Redis

from support.skips import skipping_without_server
from support.stores.redis_keys import names_in
from support.stores.servers import redis_cluster
from swapshop_api.auth.rate_limits import Limit, RateLimits
from swapshop_kit.redis import create_redis

INDEX = "limit:{log}:index"


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


async def test_a_cluster_counts_all_limits_of_a_call() -> None:
    with skipping_without_server(), redis_cluster() as server:
        redis = create_redis(server.url, seconds=10)
        limits = RateLimits(redis, 1000)
        wanted = [Limit("account", "ana", 2, 60), Limit("address", "198.51.100.1", 2, 60)]
        await limits.take(*wanted)
        await limits.take(*wanted)

        assert [await redis.llen(limit.key) for limit in wanted] == [2, 2]
        await redis.aclose()
