"""What the exporter tells while the database's clock is set, or a failover changes it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.api.dispatch import Pipeline
from support.api.exporter import (
    DEADLINES,
    LATENCY,
    POLLER_AGE,
    Samples,
    Watch,
    notify,
    now_of,
    watch,
)
from support.api.orders import insert_orders
from support.stores.database_clock import DatabaseClock
from support.stores.pairs import migrate_to_head
from swapshop_api.container import MIGRATIONS
from swapshop_kit.database import Database, create_engine
from swapshop_receiver.container import MIGRATIONS as RECEIVER_MIGRATIONS

WRONG = [timedelta(minutes=10), timedelta(minutes=-10)]
LATER = timedelta(minutes=4)


def counts(shown: Samples) -> tuple[float, float]:
    """Notifications, and orders whose time is over."""
    orders = shown[f"{DEADLINES}{{met}}"] + shown[f"{DEADLINES}{{missed}}"]
    return shown[f"{LATENCY}_count"], orders


async def order_now(database: Database) -> str:
    [order_id] = await insert_orders(database, [{"created_at": await now_of(database)}])
    return order_id


@pytest.mark.parametrize("wrong", WRONG, ids=str)
async def test_each_order_and_notification_is_counted_once_while_the_clock_is_set(
    database: Database, receiver: Database, watched: Watch, wrong: timedelta
) -> None:
    clock = DatabaseClock().govern(database, receiver, watched.database)
    expected, decided = 0, list[float]()
    for ahead in (timedelta(), wrong, timedelta(seconds=1), timedelta(seconds=2)):
        clock.ahead = ahead
        await notify(receiver, await order_now(database))
        expected += 1
        notifications, orders = counts(await watched.look())
        assert notifications == expected
        decided.append(orders)
    for minutes in range(4, 20):
        clock.ahead = timedelta(minutes=minutes)
        notifications, orders = counts(await watched.look())
        assert notifications == expected
        decided.append(orders)
    assert decided == sorted(decided)
    assert decided[-1] == expected
    restarted = Watch(watched.database)
    assert counts(await restarted.look()) == (expected, expected)


async def test_a_clock_put_back_by_an_hour_is_followed(
    database: Database, receiver: Database, watched: Watch
) -> None:
    clock = DatabaseClock(timedelta(hours=1)).govern(database, receiver, watched.database)
    await notify(receiver, await order_now(database))
    await watched.look()
    clock.ahead = timedelta()
    await notify(receiver, await order_now(database))
    assert counts(await watched.look())[0] == 2


async def test_a_pollers_age_is_told_by_the_clock_that_stamped_it(
    watched: Watch, pipeline: Pipeline
) -> None:
    """A database two hours behind every other machine, as after a failover."""
    clock = DatabaseClock(timedelta(hours=-2)).govern(pipeline.database, watched.database)
    await pipeline.lease()
    clock.ahead += LATER
    assert (await watched.look())[POLLER_AGE] == pytest.approx(240, abs=60)


async def test_a_heartbeat_from_the_future_hides_no_poller_that_has_stopped(
    watched: Watch, pipeline: Pipeline
) -> None:
    clock = DatabaseClock(timedelta(minutes=10)).govern(pipeline.database, watched.database)
    await pipeline.lease()
    clock.ahead = timedelta()
    assert POLLER_AGE not in await watched.look()
    await pipeline.lease()
    assert (await watched.look())[POLLER_AGE] < 60
    clock.ahead = LATER
    assert (await watched.look())[POLLER_AGE] == pytest.approx(240, abs=60)


Rows = Sequence[tuple[float, float]]


@settings(max_examples=25)
@given(
    # when a notification was inserted, and seconds until it is committed
    rows=st.lists(st.tuples(st.floats(0, 1500), st.floats(0, 60)), max_size=8),
    looks=st.lists(st.floats(0, 1500), max_size=5),
    jumps=st.lists(st.tuples(st.floats(0, 1500), st.floats(0, 600)), max_size=4),
)
def test_whatever_the_clock_does_all_are_counted_once(
    tmp_path_factory: pytest.TempPathFactory,
    rows: Rows,
    looks: list[float],
    jumps: list[tuple[float, float]],
) -> None:
    folder = tmp_path_factory.mktemp("clock")
    asyncio.run(_count_all(folder, rows, looks, jumps))


async def _count_all(
    folder: Path, rows: Rows, looks: list[float], jumps: list[tuple[float, float]]
) -> None:
    urls = [f"sqlite+aiosqlite:///{folder / name}.db" for name in ("swapshop", "notifications")]
    for url, migrations in zip(urls, (MIGRATIONS, RECEIVER_MIGRATIONS), strict=True):
        await asyncio.to_thread(migrate_to_head, url, migrations)
    database, receiver = (Database(create_engine(url)) for url in urls)
    watching, clock = watch(database, receiver), DatabaseClock()
    clock.govern(watching.database)
    begin, committed = await now_of(database), 0

    def told(seconds: float) -> timedelta:
        offsets = [ahead for when, ahead in sorted(jumps) if when <= seconds]
        return timedelta(seconds=seconds + (offsets[-1] if offsets else 0.0))

    by_commit = sorted(rows, key=sum)
    for look in [*sorted(looks), 5000.0]:
        while committed < len(rows) and sum(by_commit[committed]) <= look:
            at = begin + told(by_commit[committed][0])
            [order_id] = await insert_orders(database, [{"created_at": at}])
            await notify(receiver, order_id, at)
            committed += 1
        clock.ahead = told(look)
        assert counts(await watching.look())[0] == committed
    assert counts(watching.shown()) == (len(rows), len(rows))
    for each in (database, receiver, watching.database):
        await each.close()
