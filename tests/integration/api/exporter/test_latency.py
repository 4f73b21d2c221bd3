"""How long orders waited for their notification, and which missed the deadline."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from support.api.exporter import (
    DEADLINES,
    LATENCY,
    Samples,
    Watch,
    notify,
    now_of,
    order_and_notification,
    watch,
)
from support.api.orders import insert_orders
from swapshop_kit.database import Database

MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def latencies(shown: Samples) -> tuple[float, float, float, float]:
    """Count, sum, and how many took at most 120 s and at most 180 s."""
    at_most = shown[f"{LATENCY}_bucket{{120.0}}"], shown[f"{LATENCY}_bucket{{180.0}}"]
    return shown[f"{LATENCY}_count"], shown[f"{LATENCY}_sum"], *at_most


def deadlines(shown: Samples) -> tuple[float, float]:
    """Met and missed."""
    return shown[f"{DEADLINES}{{met}}"], shown[f"{DEADLINES}{{missed}}"]


@pytest.fixture(params=[1, 2, 20_000])
async def chunked(
    request: pytest.FixtureRequest,
    database: Database,
    receiver: Database,
) -> AsyncGenerator[Watch]:
    """An exporter that reads so many rows at a time."""
    watching = watch(database, receiver, chunk_rows=request.param)
    yield watching
    await watching.database.close()


async def test_exactly_120_s_are_in_time_and_a_microsecond_more_is_not(
    database: Database, receiver: Database, watched: Watch
) -> None:
    limit = timedelta(seconds=120)
    for latency in (limit, limit + MICROSECOND):
        await order_and_notification(database, receiver, HOUR, latency)
    shown = await watched.look()
    assert latencies(shown) == (2, pytest.approx(240.000001, abs=1e-9), 1, 2)
    assert deadlines(shown) == (1, 1)


async def test_the_first_pass_counts_every_row_once_whatever_its_chunks(
    database: Database, receiver: Database, chunked: Watch
) -> None:
    for seconds in (1.25, 3.5, 60, 150, 2000):
        await order_and_notification(database, receiver, HOUR, timedelta(seconds=seconds))
    created_at = await now_of(database) - HOUR  # three of one microsecond, and one that waits
    same = await insert_orders(database, [{"created_at": created_at}] * 4)
    for order_id in same[:3]:
        await notify(receiver, order_id, created_at + timedelta(seconds=2))
    shown = await chunked.look()
    assert latencies(shown) == (8, pytest.approx(2220.75), 6, 7)
    assert deadlines(shown) == (6, 3)
    assert shown[f"{LATENCY}_bucket{{+Inf}}"] == 8
    assert shown[f"{LATENCY}_bucket{{1800.0}}"] == 7
    again = await chunked.look()
    assert (latencies(again), deadlines(again)) == (latencies(shown), deadlines(shown))


async def test_a_restart_tells_the_same(
    database: Database, receiver: Database, watched: Watch
) -> None:
    await order_and_notification(database, receiver, HOUR, timedelta(seconds=1))
    await watched.look()
    await order_and_notification(database, receiver, HOUR / 2, timedelta(seconds=200))
    before = await watched.look()  # the second one is older than what was counted last
    after = await Watch(watched.database).look()
    assert latencies(after) == (2, pytest.approx(201), 1, 1)
    assert deadlines(after) == (1, 1)
    assert latencies(before)[0] == 1


@pytest.mark.parametrize("seconds", [5, 14, 59])
async def test_a_row_that_commits_late_is_counted(
    database: Database, receiver: Database, watched: Watch, seconds: int
) -> None:
    """A COMMIT may be held on its way: its row is older than rows that were seen before it."""
    [order_id] = await insert_orders(database, [{"created_at": await now_of(database) - HOUR}])
    assert latencies(await watched.look())[0] == 0
    await notify(receiver, order_id, await now_of(receiver) - timedelta(seconds=seconds))
    for _ in range(2):
        assert latencies(await watched.look())[0] == 1
    assert latencies(await Watch(watched.database).look())[0] == 1


async def test_a_notification_is_counted_at_once(
    database: Database, receiver: Database, watched: Watch
) -> None:
    await order_and_notification(database, receiver, timedelta(seconds=1), timedelta(seconds=1))
    assert latencies(await watched.look())[0] == 1


async def test_an_order_that_waits_is_missed_when_its_time_is_over(
    database: Database, receiver: Database, watched: Watch
) -> None:
    waiting = await order_and_notification(database, receiver, timedelta(seconds=190), None)
    await order_and_notification(database, receiver, timedelta(seconds=150), None)
    shown = await watched.look()
    assert deadlines(shown) == (0, 1)
    await notify(receiver, waiting)
    assert deadlines(await watched.look()) == (0, 1)
    assert deadlines(await Watch(watched.database).look()) == (0, 1)


async def test_the_deadline_of_an_order_is_met_by_what_was_stored_before_it(
    database: Database, receiver: Database, watched: Watch
) -> None:
    ago = timedelta(seconds=190)
    await order_and_notification(database, receiver, ago, timedelta(seconds=100))
    assert deadlines(await watched.look()) == (1, 0)


async def test_fractions_of_a_second_are_kept(
    database: Database, receiver: Database, watched: Watch
) -> None:
    """Rounded to milliseconds, 0.9996 s would end in the next second."""
    created_at = (await now_of(database) - HOUR).replace(microsecond=999_600)
    [order_id] = await insert_orders(database, [{"created_at": created_at}])
    await notify(receiver, order_id, created_at + timedelta(microseconds=900_399))
    assert latencies(await watched.look())[1] == pytest.approx(0.900399, abs=1e-9)
