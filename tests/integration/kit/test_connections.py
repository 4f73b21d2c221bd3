"""Broken connections: before the COMMIT the work is retried, at the COMMIT it is unknown."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.database_proxy import AtCommit, DatabaseProxy
from support.stores.sample_table import add_word, count_of, words_in
from support.stores.servers import DatabaseServer
from swapshop_kit.database import Database, create_engine
from swapshop_kit.mysql import Limits
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown


async def _id_of(connection: AsyncConnection) -> int:
    return (await connection.execute(text("SELECT CONNECTION_ID()"))).scalar_one()


class _Killed:
    """Work whose connection is killed from outside the first times it runs."""

    def __init__(self, server: DatabaseServer, times: int) -> None:
        self._server = server
        self._times = times
        self.runs = 0

    async def __call__(self, connection: AsyncConnection) -> None:
        self.runs += 1
        await add_word(connection, "once")
        if self.runs <= self._times:
            self._server.execute(f"KILL {await _id_of(connection)}")
            await count_of(connection)


@pytest.fixture
async def proxy(mariadb: Database) -> AsyncGenerator[DatabaseProxy]:
    """Return a proxy in front of the database of the fixture ``mariadb``."""
    url = mariadb.engine.url.render_as_string(hide_password=False)
    async with DatabaseProxy(url).running() as proxy:
        yield proxy


@pytest.fixture
async def proxied(proxy: DatabaseProxy) -> AsyncGenerator[Database]:
    database = Database(create_engine(proxy.url, pool_size=1))
    await database.read(count_of)  # connecting also COMMITs
    yield database
    await database.close()


async def test_idle_connections_that_died_are_replaced_unnoticed(
    mariadb: Database, mariadb_server: DatabaseServer
) -> None:
    together = asyncio.Barrier(3)

    async def meet(connection: AsyncConnection) -> int:
        await together.wait()
        return await _id_of(connection)

    died = await asyncio.gather(*(mariadb.read(meet) for _ in range(3)))
    mariadb_server.execute(*(f"KILL {connection_id}" for connection_id in died))

    for number in range(3):
        await mariadb.transaction(lambda connection, n=number: add_word(connection, f"{n}"))
    assert await words_in(mariadb) == {"0": 0, "1": 0, "2": 0}
    assert await mariadb.read(_id_of) not in died


async def test_a_connection_killed_before_the_commit_is_tried_once_more(
    mariadb: Database, mariadb_server: DatabaseServer
) -> None:
    work = _Killed(mariadb_server, times=1)
    await mariadb.transaction(work)

    assert work.runs == 2
    assert await words_in(mariadb) == {"once": 0}


async def test_and_not_more_often(mariadb: Database, mariadb_server: DatabaseServer) -> None:
    work = _Killed(mariadb_server, times=2)
    with pytest.raises(DatabaseUnavailable):
        await mariadb.transaction(work)

    assert work.runs == 2
    assert await words_in(mariadb) == {}


async def test_a_domain_error_is_told_even_if_the_rollback_fails(
    mariadb: Database, mariadb_server: DatabaseServer
) -> None:
    async def work(connection: AsyncConnection) -> None:
        await add_word(connection, "a")
        mariadb_server.execute(f"KILL {await _id_of(connection)}")
        raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        await mariadb.transaction(work)
    assert await words_in(mariadb) == {}


async def test_a_commit_whose_answer_is_lost_is_unknown(
    mariadb: Database, proxy: DatabaseProxy, proxied: Database
) -> None:
    proxy.at_commit = AtCommit.CUT_AFTER
    with pytest.raises(OutcomeUnknown):
        await proxied.transaction(lambda connection: add_word(connection, "stored"))

    assert await words_in(mariadb) == {"stored": 0}
    await proxied.transaction(lambda connection: add_word(connection, "next"))
    assert await words_in(mariadb) == {"stored": 0, "next": 0}


async def test_a_commit_that_never_arrived_is_unknown_too(
    mariadb: Database, proxy: DatabaseProxy, proxied: Database
) -> None:
    proxy.at_commit = AtCommit.CUT_BEFORE
    with pytest.raises(OutcomeUnknown):
        await proxied.transaction(lambda connection: add_word(connection, "lost"))

    await proxied.transaction(lambda connection: add_word(connection, "next"))
    assert await words_in(mariadb) == {"next": 0}


async def test_a_commit_that_is_never_answered_is_unknown_in_bounded_time(
    mariadb: Database, proxy: DatabaseProxy
) -> None:
    proxied = Database(create_engine(proxy.url, pool_size=1, limits=Limits(answer=0.5)))
    await proxied.read(count_of)
    proxy.at_commit = AtCommit.HOLD
    async with asyncio.timeout(10):
        with pytest.raises(OutcomeUnknown):
            await proxied.transaction(lambda connection: add_word(connection, "held"))
    await proxied.transaction(lambda connection: add_word(connection, "next"))
    await proxied.close()

    assert await words_in(mariadb) == {"next": 0}


async def test_a_read_never_has_an_unknown_outcome(proxy: DatabaseProxy, proxied: Database) -> None:
    for cut in (AtCommit.CUT_BEFORE, AtCommit.CUT_AFTER):
        proxy.at_commit = cut
        with pytest.raises(DatabaseUnavailable):
            await proxied.read(count_of)
        assert await proxied.read(count_of) == 0


async def test_a_transaction_cancelled_at_its_commit_leaves_the_pool_usable(
    mariadb: Database, proxy: DatabaseProxy, proxied: Database
) -> None:
    proxy.at_commit = AtCommit.HOLD
    task = asyncio.create_task(proxied.transaction(lambda connection: add_word(connection, "held")))
    await proxy.held.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await proxied.transaction(lambda connection: add_word(connection, "next"))
    assert await words_in(mariadb) == {"next": 0}
