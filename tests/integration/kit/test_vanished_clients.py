"""When a client's host vanishes, the server ends its session and frees its locks."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.database_proxy import AtCommit, DatabaseProxy
from support.stores.sample_table import add_to, add_word, count_of, words_in
from support.waiting import until
from swapshop_kit.database import Database, create_engine
from swapshop_kit.mysql import Limits
from swapshop_kit.problems import DatabaseUnavailable

_IMPATIENT = Limits(idle=1)
_MIGRATION = Limits(statement=None, idle=1)


@pytest.fixture
async def proxy(mariadb: Database) -> AsyncGenerator[DatabaseProxy]:
    """Return a proxy in front of the database of the fixture ``mariadb``."""
    url = mariadb.engine.url.render_as_string(hide_password=False)
    async with DatabaseProxy(url).running() as proxy:
        yield proxy


@asynccontextmanager
async def _vanished(
    proxy: DatabaseProxy, limits: Limits, work: Callable[[AsyncConnection], Awaitable[object]]
) -> AsyncGenerator[None]:
    """Run a block after a client vanished with its work done but not committed."""
    is_done = asyncio.Event()

    async def work_and_wait(connection: AsyncConnection) -> None:
        await work(connection)
        is_done.set()
        await asyncio.Event().wait()

    victim = Database(create_engine(proxy.url, pool_size=1, limits=limits))
    task = asyncio.create_task(victim.transaction(work_and_wait))
    await is_done.wait()
    proxy.lose_clients()
    task.cancel()
    await asyncio.wait([task])
    await victim.close()
    yield


async def _succeeds(attempt: Awaitable[object]) -> bool:
    try:
        await attempt
    except (DatabaseUnavailable, DBAPIError):
        return False
    return True


async def test_its_rows_can_be_locked_again(mariadb: Database, proxy: DatabaseProxy) -> None:
    await mariadb.transaction(lambda connection: add_word(connection, "order"))
    async with _vanished(proxy, _IMPATIENT, lambda connection: add_to(connection, "order", 1)):
        await until(lambda: _succeeds(mariadb.transaction(lambda other: add_to(other, "order", 5))))
    assert await words_in(mariadb) == {"order": 5}


async def test_a_key_that_it_inserted_is_free_again(
    mariadb: Database, proxy: DatabaseProxy
) -> None:
    async with _vanished(proxy, _IMPATIENT, lambda connection: add_word(connection, "key", 1)):
        await until(lambda: _succeeds(mariadb.transaction(lambda other: add_word(other, "key", 2))))
    assert await words_in(mariadb) == {"key": 2}


async def test_so_too_when_its_commit_never_arrived(
    mariadb: Database, proxy: DatabaseProxy
) -> None:
    victim = Database(create_engine(proxy.url, pool_size=1, limits=_IMPATIENT))
    await victim.read(count_of)  # connecting also COMMITs
    proxy.at_commit = AtCommit.HOLD
    task = asyncio.create_task(victim.transaction(lambda other: add_word(other, "key", 1)))
    await proxy.held.wait()
    proxy.lose_clients()
    task.cancel()
    await asyncio.wait([task])
    await victim.close()

    await until(lambda: _succeeds(mariadb.transaction(lambda other: add_word(other, "key", 2))))
    assert await words_in(mariadb) == {"key": 2}


async def test_what_a_migration_locked_is_free_again(
    mariadb: Database, proxy: DatabaseProxy
) -> None:
    async def migrate(connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT GET_LOCK('kit.vanished', 0)"))
        await count_of(connection)

    async def takes_over(connection: AsyncConnection) -> bool:
        taken = await connection.scalar(text("SELECT GET_LOCK('kit.vanished', 0)"))
        await connection.execute(text("DO RELEASE_LOCK('kit.vanished')"))
        return taken == 1

    async with _vanished(proxy, _MIGRATION, migrate):
        await until(lambda: mariadb.read(takes_over))
        await until(lambda: _succeeds(mariadb.transaction(_alter)))


async def test_a_snapshot_that_it_took_holds_up_no_migration(
    mariadb: Database, proxy: DatabaseProxy
) -> None:
    async def read(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        await count_of(connection)

    async with _vanished(proxy, _IMPATIENT, read):
        await until(lambda: _succeeds(mariadb.transaction(_alter)))


async def _alter(connection: AsyncConnection) -> None:
    await connection.execute(text("ALTER TABLE samples COMMENT 'altered'"))


async def test_a_statement_may_take_longer_than_a_session_may_be_idle(mariadb_url: str) -> None:
    """DDL of a migration can take that long."""
    database = Database(create_engine(mariadb_url, limits=_MIGRATION))

    async def work(connection: AsyncConnection) -> str:
        await connection.execute(text("SELECT SLEEP(2.5)"))
        return await add_word(connection, "after")

    await database.transaction(work)
    assert await words_in(database) == {"after": 0}
    await database.close()


@pytest.mark.parametrize("check", [0.0, 3600.0])
async def test_a_pooled_session_that_the_server_has_ended_costs_no_try(
    mariadb: Database, mariadb_url: str, check: float
) -> None:
    database = Database(create_engine(mariadb_url, limits=Limits(idle=1, check=check)))
    runs: list[str] = []

    async def work(connection: AsyncConnection) -> int:
        id_ = await connection.scalar(text("SELECT CONNECTION_ID()"))
        runs.append(await add_word(connection, f"{id_}"))
        return id_ or 0

    async def is_ended(connection: AsyncConnection, id_: int) -> bool:
        query = text("SELECT COUNT(*) FROM information_schema.processlist WHERE id = :id")
        return await connection.scalar(query, {"id": id_}) == 0

    first = await database.transaction(work)
    await until(lambda: mariadb.read(lambda connection: is_ended(connection, first)))
    assert await database.transaction(work) != first
    assert len(runs) == 2
    await database.close()
