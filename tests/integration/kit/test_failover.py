"""When another server replaces a fenced primary, connections follow the Service."""

from collections.abc import AsyncGenerator, Generator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from support.skips import skipping_without_server
from support.stores.database_proxy import DatabaseProxy
from support.stores.failovers import Failover, two_servers
from support.stores.sample_table import METADATA, add_word, count_of, words_in
from swapshop_kit.checks import database_check
from swapshop_kit.database import Database, create_engine
from swapshop_kit.mysql import Limits
from swapshop_kit.problems import DatabaseUnavailable

_NEVER, _ALWAYS = Limits(check=3600), Limits(check=0)


@pytest.fixture(scope="module")
def servers() -> Generator[Failover]:
    with skipping_without_server(), two_servers("failover") as servers:
        yield servers


@pytest.fixture
async def failover(servers: Failover) -> AsyncGenerator[Failover]:
    """Return both servers with an empty table of samples, and the Service on the old one."""
    for server in servers.old, servers.new:
        database = Database(create_engine(server.url(servers.schema)))
        async with database.engine.begin() as connection:
            await connection.run_sync(METADATA.drop_all)
            await connection.run_sync(METADATA.create_all)
        await database.close()
    async with DatabaseProxy(servers.old_url).running() as service:
        servers.service = service
        yield servers
    servers.unfence()


async def _connect(failover: Failover, limits: Limits, size: int = 3) -> Database:
    """Return a database whose full pool is connected to the old primary."""
    database = Database(create_engine(failover.service.url, pool_size=size, limits=limits))

    async def use(connection: AsyncConnection, left: int) -> None:
        await count_of(connection)
        if left:
            await database.read(lambda other: use(other, left - 1))

    await database.read(lambda connection: use(connection, size - 1))
    return database


async def _port(connection: AsyncConnection) -> int:
    return await connection.scalar(text("SELECT @@port")) or 0


async def test_the_first_write_after_the_switch_succeeds(failover: Failover) -> None:
    database = await _connect(failover, _NEVER)
    failover.fence()
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            await database.transaction(lambda connection: add_word(connection, "refused"))

    failover.switch()
    for number in range(5):
        await database.transaction(lambda connection, n=number: add_word(connection, f"{n}"))
        assert await database.read(_port) == failover.new.port
    assert set(await words_in(database)) == set("01234")
    await database.close()


async def test_a_write_that_the_old_primary_refuses_is_done_by_the_new_one(
    failover: Failover,
) -> None:
    """Every pooled connection is to the old primary, and no write was refused before."""
    database = await _connect(failover, _NEVER)
    failover.fence()
    failover.switch()

    await database.transaction(lambda connection: add_word(connection, "once"))

    assert await words_in(database) == {"once": 0}
    await database.close()


async def test_a_commit_that_the_old_primary_refuses_is_done_by_the_new_one(
    failover: Failover,
) -> None:
    database = await _connect(failover, _NEVER)
    runs: list[str] = []

    async def work(connection: AsyncConnection) -> None:
        runs.append(await add_word(connection, "once"))
        if len(runs) == 1:
            failover.fence()
            failover.switch()

    await database.transaction(work)

    assert len(runs) == 2
    assert await words_in(database) == {"once": 0}
    await database.close()


async def test_reads_notice_the_new_primary_too(failover: Failover) -> None:
    """A pooled connection is checked when it leaves the pool, if its last check is old."""
    database = await _connect(failover, _ALWAYS)
    failover.fence()
    while_fenced = [await database.read(_port) for _ in range(4)]
    failover.switch()
    after = [await database.read(_port) for _ in range(4)]

    assert set(while_fenced) == {failover.old.port}  # there is no other to read from
    assert set(after) == {failover.new.port}
    await database.close()


async def test_a_connection_is_not_checked_at_each_use(failover: Failover) -> None:
    database = await _connect(failover, _NEVER)
    before = len(failover.service.sent)
    for _ in range(3):
        await database.read(count_of)

    assert failover.service.sent[before:].count(b"read_only") == 0
    await database.close()


async def test_readiness_names_a_server_that_takes_no_writes(failover: Failover) -> None:
    database = await _connect(failover, Limits())

    async def migrate(connection: AsyncConnection) -> None:
        for statement in (
            "CREATE TABLE IF NOT EXISTS schema_version (version_num VARCHAR(32))",
            "DELETE FROM schema_version",
            "INSERT INTO schema_version VALUES ('0002')",
        ):
            await connection.execute(text(statement))

    owner = Database(create_engine(failover.old.url(failover.schema)))
    await owner.transaction(migrate)
    await owner.close()
    check = database_check("failover", database, "0002")
    before = await check()
    failover.fence()

    assert (before, await check()) == ("up", "read-only")
    await database.close()
