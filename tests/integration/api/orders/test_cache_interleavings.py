"""No interleaving of the cache's users shows an old state; with a simpler protocol one does."""

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from support.order_cache.all_interleavings import CacheTable, Explored, Explorer
from support.order_cache.weakened_caches import (
    AnyoneClearsTheMark,
    LeaseSurvivesTheMark,
    NoDeleteInTheEnd,
    NoDirtyMark,
    NoFillLease,
    ValueSurvivesTheMark,
)
from swapshop_api.orders.cache import OrderCache


async def explore(cache: OrderCache, redis: Redis, **options: Any) -> Explored:
    return await Explorer(CacheTable(cache, redis), **options).explore()


async def test_no_interleaving_of_creator_writers_and_readers_shows_an_old_state(
    redis: Redis,
) -> None:
    """Not even to who has only been shown the new one by another read; marks of the dead expire."""
    explored = await explore(OrderCache(redis), redis)

    assert (explored.stale_after, explored.schedule) == ("", [])
    assert explored.states > 5_000


@pytest.mark.parametrize(
    "simpler", [NoDirtyMark, NoFillLease, LeaseSurvivesTheMark, ValueSurvivesTheMark]
)
async def test_a_simpler_protocol_shows_an_old_state_after_the_answer(
    redis: Redis, simpler: Callable[[Redis], OrderCache]
) -> None:
    explored = await explore(simpler(redis), redis, tolerated="seen")

    assert explored.stale_after == "answered"
    assert explored.schedule[-1] == "stale read"


async def test_a_mark_that_anyone_clears_lets_time_run_backwards(redis: Redis) -> None:
    explored = await explore(AnyoneClearsTheMark(redis), redis)

    assert explored.stale_after == "seen"


async def test_what_a_lost_mark_let_in_is_gone_before_the_answer(redis: Redis) -> None:
    sound = await explore(OrderCache(redis), redis, writers=1, failing="mark", tolerated="seen")
    simpler = await explore(
        NoDeleteInTheEnd(redis), redis, writers=1, failing="mark", tolerated="seen"
    )

    assert (sound.stale_after, simpler.stale_after) == ("", "answered")


async def test_a_mark_that_is_not_cleared_costs_reads_and_no_truth(redis: Redis) -> None:
    explored = await explore(OrderCache(redis), redis, failing="clear")

    assert explored.stale_after == ""
