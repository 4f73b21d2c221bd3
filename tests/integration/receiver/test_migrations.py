"""The schema: what the models say, however often and wherever a migration was killed."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.servers import DatabaseServer
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id
from swapshop_kit.migrations import VERSION_TABLE, head_of, is_ready, migrate, read_version
from swapshop_receiver.container import MIGRATIONS
from swapshop_receiver.notifications.models import notifications

HEAD = head_of(MIGRATIONS)


@pytest.fixture(params=["sqlite", "mariadb"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """A schema without a table."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        return
    server: DatabaseServer = request.getfixturevalue("mariadb_server")
    with server.schema(f"migrations_{new_id()[-12:]}") as url:
        yield url


async def differences(url: str) -> list[Any]:
    """What alembic would change to make the schema what the models say."""
    wanted = MetaData()
    notifications.to_metadata(wanted)

    def compare(connection: Connection) -> list[Any]:
        # SQLite keeps no types to compare: it reads our BINARY(16) back as a number's
        has_types = connection.dialect.name != "sqlite"
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": has_types}
        )
        return list(compare_metadata(context, wanted))

    async def work(connection: AsyncConnection) -> list[Any]:
        return await connection.run_sync(compare)

    database = Database(create_engine(url))
    try:
        return await database.read(work)
    finally:
        await database.close()


async def test_the_schema_is_what_the_models_say(empty_url: str) -> None:
    assert await migrate(empty_url, MIGRATIONS) == HEAD
    assert await differences(empty_url) == []
    assert await migrate(empty_url, MIGRATIONS) == HEAD


class Killed(Exception):
    pass


@contextmanager
def killed_after(statements: int) -> Generator[list[str]]:
    """Breaks off before the next statement that changes a schema; lists those that ran."""
    done: list[str] = []

    def count(_: Connection, __: Any, statement: str, *___: Any) -> None:
        if statement.strip().startswith(("CREATE", "ALTER", "INSERT", "UPDATE")):
            if len(done) == statements:
                raise Killed
            done.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield done
    finally:
        event.remove(Engine, "before_cursor_execute", count)


@pytest.mark.parametrize("statements", range(7))
async def test_a_migration_killed_between_statements_is_finished_by_the_next(
    empty_url: str, statements: int
) -> None:
    with killed_after(statements) as done, pytest.raises(Killed):
        await migrate(empty_url, MIGRATIONS)
    assert len(done) == statements
    database = Database(create_engine(empty_url))
    assert not await is_ready(database, HEAD)
    assert await migrate(empty_url, MIGRATIONS) == HEAD
    assert await differences(empty_url) == []
    assert await is_ready(database, HEAD)
    await database.close()


async def test_seven_statements_are_all_there_are(empty_url: str) -> None:
    with killed_after(100) as done:
        await migrate(empty_url, MIGRATIONS)
    assert len(done) == 7


async def test_two_migrations_at_once_make_one_schema(mariadb_server: DatabaseServer) -> None:
    with mariadb_server.schema(f"migrations_{new_id()[-12:]}") as url:
        found = await asyncio.gather(*(migrate(url, MIGRATIONS) for _ in range(3)))
        assert found == [HEAD] * 3
        assert await differences(url) == []


async def test_a_newer_schema_stays_untouched(empty_url: str) -> None:
    await migrate(empty_url, MIGRATIONS)
    database = Database(create_engine(empty_url))

    async def raise_version(connection: AsyncConnection) -> None:
        await connection.execute(text("UPDATE schema_version SET version_num = '0999'"))

    await database.transaction(raise_version)
    assert await migrate(empty_url, MIGRATIONS) == "0999"
    assert await read_version(database) == "0999"
    assert await is_ready(database, HEAD)
    await database.close()
