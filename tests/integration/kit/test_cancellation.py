"""A cancelled task leaves neither a lost connection nor half a transaction."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import QueuePool

from support.stores.sample_table import add_word, words_in
from support.stores.statements import is_running
from support.waiting import until
from swapshop_kit.database import Database, create_engine


@pytest.fixture
async def small(database: Database) -> AsyncGenerator[Database]:
    """Return the database of the fixture ``database`` with a pool of one connection."""
    url = database.engine.url.render_as_string(hide_password=False)
    small = Database(create_engine(url, pool_size=1))
    yield small
    await small.close()


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def _in_use(database: Database) -> int:
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def test_cancelled_between_its_statements_a_transaction_is_rolled_back(
    small: Database,
) -> None:
    has_written = asyncio.Event()

    async def work(connection: AsyncConnection) -> None:
        await add_word(connection, "half")
        has_written.set()
        await asyncio.Event().wait()

    for number in range(5):
        has_written.clear()
        task = asyncio.create_task(small.transaction(work))
        await has_written.wait()
        await _cancel(task)
        await small.transaction(lambda connection, n=number: add_word(connection, f"{n}"))

    assert set(await words_in(small)) == set("01234")
    assert _in_use(small) == 0


async def test_cancelled_in_the_middle_of_a_query_it_poisons_no_connection(
    mariadb: Database, mariadb_url: str
) -> None:
    small = Database(create_engine(mariadb_url, pool_size=1))

    async def work(connection: AsyncConnection, number: int) -> None:
        await add_word(connection, f"{number}")
        await connection.execute(text(f"SELECT SLEEP(4), {number}"))

    async def echo(connection: AsyncConnection, number: int) -> int | None:
        return await connection.scalar(text(f"SELECT {number} + 0"))

    for number in range(3):
        task = asyncio.create_task(small.transaction(partial(work, number=number)))
        await until(
            lambda n=number: mariadb.read(partial(is_running, beginning=f"SELECT SLEEP(4), {n}"))
        )
        await _cancel(task)
        # The answer to the previous query must not be read as the answer to this one.
        assert await small.read(partial(echo, number=number)) == number
    assert _in_use(small) == 0
    await small.close()

    assert await words_in(mariadb) == {}


@pytest.mark.parametrize("swallows", ["before", "after"])
async def test_a_cancellation_that_the_driver_loses_still_ends_the_transaction(
    small: Database, swallows: str
) -> None:
    """On Python 3.11 ``asyncio.wait_for`` loses a cancellation that arrives with the answer."""
    is_begun = asyncio.Event()

    async def lose(connection: AsyncConnection) -> None:
        if swallows == "after":
            await add_word(connection, "half")
        is_begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        if swallows == "before":
            await add_word(connection, "half")

    task = asyncio.create_task(small.transaction(lose))
    await is_begun.wait()
    await _cancel(task)

    assert await words_in(small) == {}
    assert _in_use(small) == 0


async def test_one_that_was_cancelled_before_may_still_clean_up(small: Database) -> None:
    is_begun = asyncio.Event()

    async def serve() -> None:
        try:
            is_begun.set()
            await asyncio.Event().wait()
        finally:
            await small.transaction(lambda connection: add_word(connection, "cleaned"))

    task = asyncio.create_task(serve())
    await is_begun.wait()
    await _cancel(task)

    assert await words_in(small) == {"cleaned": 0}


class _Gate:
    """Blocks a query of SQLite, which runs in a thread of the driver."""

    def __init__(self) -> None:
        self.is_reached = threading.Event()
        self.is_open = threading.Event()

    def wait(self) -> int:
        self.is_reached.set()
        self.is_open.wait()
        return 1


@pytest.fixture
def gate(small: Database) -> Generator[_Gate]:
    gate = _Gate()

    @event.listens_for(small.engine.sync_engine, "connect")
    def add_function(dbapi_connection: Any, _: object) -> None:
        if small.engine.dialect.name == "sqlite":
            dbapi_connection.create_function("gate", 0, gate.wait)

    yield gate
    gate.is_open.set()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_cancelled_in_the_middle_of_a_query_of_sqlite_it_frees_the_file(
    small: Database, gate: _Gate
) -> None:
    async def work(connection: AsyncConnection) -> None:
        await add_word(connection, "half")
        await connection.execute(text("SELECT gate()"))

    task = asyncio.create_task(small.transaction(work))
    await until(gate.is_reached.is_set)
    task.cancel()
    gate.is_open.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    await small.transaction(lambda connection: add_word(connection, "next"))
    assert await words_in(small) == {"next": 0}
    assert _in_use(small) == 0


async def test_cancelled_while_it_waits_for_a_connection_it_takes_none(small: Database) -> None:
    is_held, may_end = asyncio.Event(), asyncio.Event()

    async def hold(connection: AsyncConnection) -> None:
        is_held.set()
        await may_end.wait()
        await add_word(connection, "held")

    holder = asyncio.create_task(small.transaction(hold))
    await is_held.wait()
    waiting = [
        asyncio.create_task(small.transaction(lambda connection: add_word(connection, "never")))
        for _ in range(5)
    ]
    await asyncio.sleep(0)
    for task in waiting:
        await _cancel(task)
    may_end.set()
    await holder

    assert await words_in(small) == {"held": 0}
    assert _in_use(small) == 0


async def test_cancelled_while_it_connects_it_leaves_the_pool_whole(
    small: Database, database: Database
) -> None:
    await database.transaction(lambda connection: add_word(connection, "there"))
    threads = threading.active_count()
    for steps in range(25):
        task = asyncio.create_task(small.transaction(_touch))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await small.engine.dispose()
        assert _in_use(small) == 0
        assert await words_in(small) == {"there": 0}
    await small.close()
    # The driver of SQLite ends the thread of a half-open connection later.
    await until(lambda: threading.active_count() <= threads)


async def _touch(connection: AsyncConnection) -> None:
    await connection.execute(text("UPDATE samples SET number = number"))
