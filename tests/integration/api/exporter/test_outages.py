"""While the database is away there are no figures, and nothing says 0."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from support.api.dispatch import Pipeline
from support.api.exporter import (
    ERRORS,
    LATENCY,
    UNACCOUNTED,
    WITHOUT_DELIVERY,
    Watch,
    watch,
    watch_url,
)
from support.servers.processes import free_port
from support.stores.database_proxy import DatabaseProxy
from support.stores.interruptions import interrupted
from support.stores.pairs import Stores
from support.stores.servers import DatabaseServer
from support.waiting import until
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id

on_mariadb = pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)


@pytest.fixture
async def unreachable() -> AsyncGenerator[Watch]:
    """An exporter whose server is not there."""
    watching = watch_url(
        f"mysql+asyncmy://nobody:x@127.0.0.1:{free_port()}/swapshop", "notifications"
    )
    yield watching
    await watching.database.close()


async def rename(receiver: Database, old: str, new: str) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    await receiver.transaction(work)


async def test_a_failure_takes_every_figure_away_until_the_next_success(
    watched: Watch, pipeline: Pipeline, receiver: Database
) -> None:
    await pipeline.place()
    before = await watched.look()
    await rename(receiver, "notifications", "hidden")
    try:
        assert not await watched.exporter.collect()
        assert watched.shown() == {ERRORS: 1}
        assert not await watched.exporter.collect()
        assert watched.shown() == {ERRORS: 2}
    finally:
        await rename(receiver, "hidden", "notifications")
    after = await watched.look()
    assert after.keys() == before.keys()
    assert after[ERRORS] == 2
    assert after["swapshop_orders{PENDING}"] == 1


async def test_without_a_first_snapshot_there_is_nothing_but_the_failure(
    unreachable: Watch,
) -> None:
    assert unreachable.shown() == {ERRORS: 0}
    assert not await unreachable.exporter.collect()
    assert unreachable.shown() == {ERRORS: 1}


async def test_a_loop_outlives_failures(unreachable: Watch) -> None:
    often = Watch(unreachable.database, interval_seconds=0.05)
    task = asyncio.create_task(often.exporter.run())
    await until(lambda: often.shown()[ERRORS] >= 3)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_loop_takes_a_snapshot_per_interval(watched: Watch, pipeline: Pipeline) -> None:
    often = Watch(watched.database, interval_seconds=1)
    task = asyncio.create_task(often.exporter.run())
    await until(lambda: often.shown().get("swapshop_orders{PENDING}") == 0)
    await pipeline.place()
    await until(lambda: often.shown().get("swapshop_orders{PENDING}") == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_losses_that_take_too_long_take_no_other_figure_away(
    watched: Watch, pipeline: Pipeline
) -> None:
    """And they get a rest, as after any long count."""
    await pipeline.place()
    hasty = Watch(watched.database, interval_seconds=30, losses_seconds=0.1, clock=lambda: now)
    now, counts = 0.0, 0

    async def hang(_number: int, statement: str, _driver: Any) -> None:
        nonlocal now, counts
        if statement.count("OUTER JOIN") == 2:  # to notifications, and to deliveries
            counts += 1
            now += 60
            await asyncio.Event().wait()

    with interrupted(hasty.database, hang):
        for _ in range(2):
            shown = await hasty.look()
            assert (shown["swapshop_orders{PENDING}"], shown[ERRORS]) == (1, 1)
            assert not shown.keys() & {UNACCOUNTED, WITHOUT_DELIVERY}
    assert counts == 1
    now += 9 * 60
    shown = await hasty.look()
    assert (shown[UNACCOUNTED], shown[WITHOUT_DELIVERY], shown[ERRORS]) == (0, 0, 1)


@on_mariadb
async def test_a_server_that_hangs_is_noticed_within_an_interval(
    stores: Stores, receiver_schema: str
) -> None:
    """And the connection that hung is not used again."""
    async with DatabaseProxy(stores.database_url).running() as proxy:
        hasty = watch_url(proxy.url, receiver_schema, interval_seconds=3)
        assert f"{LATENCY}_count" in await hasty.look()
        with proxy.paused():
            async with asyncio.timeout(20):
                assert not await hasty.exporter.collect()
            assert hasty.shown() == {ERRORS: 1}
        await until(hasty.exporter.collect)
        assert f"{LATENCY}_count" in hasty.shown()
        await hasty.database.close()


@on_mariadb
async def test_a_user_who_may_only_read_is_enough(
    database: Database,
    receiver: Database,
    mariadb_server: DatabaseServer,
) -> None:
    url = database.engine.url
    user = f"reads_{new_id()[-12:]}"
    mariadb_server.execute(
        f"CREATE USER {user} IDENTIFIED BY 'made-up-password'",
        f"GRANT SELECT ON `{url.database}`.* TO {user}",
        f"GRANT SELECT ON `{receiver.engine.url.database}`.* TO {user}",
    )
    try:
        reading = create_async_engine(url.set(username=user, password="made-up-password"))
        watching = watch(Database(reading), receiver)
        assert await watching.exporter.collect()
        await watching.database.close()
    finally:
        mariadb_server.execute(f"DROP USER {user}")
