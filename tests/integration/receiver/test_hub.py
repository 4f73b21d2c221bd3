"""What wakes streams while Redis is away, and what that costs the database."""

import asyncio
import time
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from support.waiting import until
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_kit.redis import create_redis
from swapshop_receiver.notifications.hub import StreamHub, StreamLimits
from swapshop_receiver.notifications.problems import NetworkStreamsTaken, StreamsUnavailable
from swapshop_receiver.notifications.timing import LOOK_BACK, StreamTiming

POLLING = StreamTiming(poll=0.01)
LIMITS = StreamLimits(per_user=10, per_network=100, per_process=100)
AWAY = "redis://127.0.0.1:9/0"


@dataclass
class Database:
    """What was received within the window, and how often it was asked for."""

    recent: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    looks: list[set[str]] = field(default_factory=list[set[str]])
    error: Exception | None = None

    async def find(self, user_ids: Collection[str], within: timedelta) -> set[tuple[str, str]]:
        assert within >= LOOK_BACK
        self.looks.append(set(user_ids))
        if self.error is not None:
            raise self.error
        return {each for each in self.recent if each[0] in user_ids}

    async def next_look(self) -> None:
        """Returns when a look that began after now has been served."""
        seen = len(self.looks)
        await until(lambda: len(self.looks) >= seen + 2)


@asynccontextmanager
async def polling_hub(
    database: Database, timing: StreamTiming = POLLING, limits: StreamLimits = LIMITS
) -> AsyncGenerator[StreamHub]:
    redis: Redis = create_redis(AWAY, pool_size=1, seconds=None)
    hub = StreamHub(redis, database.find, limits=limits, timing=timing)
    task = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.wait([task])
        await redis.aclose()


async def test_one_look_serves_all_streams_and_wakes_those_with_news() -> None:
    database = Database()
    async with polling_hub(database) as hub:
        first, second, other = (hub.subscribe(user) for user in ("a", "a", "b"))
        await database.next_look()
        assert database.looks[-1] == {"a", "b"}
        for each in (first, second, other):
            each.take()
        database.recent.add(("a", "order-ready_1"))
        await until(first.take)
        await until(second.take)
        await database.next_look()
        assert not any(each.take() for each in (first, second, other))


async def test_without_streams_nothing_is_asked() -> None:
    database = Database()
    async with polling_hub(database) as hub:
        subscription = hub.subscribe("a")
        await database.next_look()
        hub.unsubscribe(subscription)
        looks = len(database.looks)
        other = hub.subscribe("b")
        await database.next_look()
        assert all(look == {"b"} for look in database.looks[looks + 1 :])
        hub.unsubscribe(other)
        assert hub.count == 0


async def test_a_database_that_is_away_is_asked_again() -> None:
    database = Database(error=DatabaseUnavailable())
    async with polling_hub(database) as hub:
        subscription = hub.subscribe("a")
        await database.next_look()
        database.recent.add(("a", "order-ready_1"))
        database.error = None
        await until(subscription.take)


async def test_after_a_long_gap_every_stream_looks_for_itself() -> None:
    database = Database()
    async with polling_hub(database, StreamTiming(poll=0.01, longest_gap=0.2)) as hub:
        subscription = hub.subscribe("a")
        await database.next_look()
        database.error, ended = DatabaseUnavailable(), time.monotonic() + 0.3
        await until(lambda: time.monotonic() > ended)
        subscription.take()
        database.error = None
        await until(subscription.take)


async def test_the_last_places_are_for_users_who_have_none() -> None:
    limits = StreamLimits(per_user=9, per_network=100, per_process=10, kept=2)
    async with polling_hub(Database(), limits=limits) as hub:
        for number in range(8):
            hub.subscribe("greedy", f"network-{number}")
        with pytest.raises(StreamsUnavailable):
            hub.subscribe("greedy")
        first = hub.subscribe("honest")
        with pytest.raises(StreamsUnavailable):
            hub.subscribe("honest")
        hub.subscribe("another")
        with pytest.raises(StreamsUnavailable):
            hub.subscribe("one too many")
        hub.unsubscribe(first)
        hub.subscribe("one too many")


async def test_a_networks_places_are_free_again_when_its_streams_end() -> None:
    limits = StreamLimits(per_user=9, per_network=1, per_process=10)
    async with polling_hub(Database(), limits=limits) as hub:
        subscription = hub.subscribe("a", "network")
        with pytest.raises(NetworkStreamsTaken):
            hub.subscribe("b", "network")
        hub.subscribe("b", "elsewhere")
        hub.unsubscribe(subscription)
        hub.subscribe("b", "network")


async def test_a_hub_that_fails_leaves_no_stream_that_nothing_wakes() -> None:
    database = Database(error=RuntimeError("a defect"))
    redis: Redis = create_redis(AWAY, pool_size=1, seconds=None)
    hub = StreamHub(redis, database.find, limits=LIMITS, timing=POLLING)
    subscription = hub.subscribe("a")
    with pytest.raises(ExceptionGroup):
        await hub.run()
    await redis.aclose()
    assert subscription.is_closing
    assert subscription.take()
    with pytest.raises(StreamsUnavailable):
        hub.subscribe("b")
