"""Migrations: one at a time, safe to kill between any two statements, never backwards."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from support.servers.processes import HOST, free_port
from support.servers.python_programs import run_python
from support.stores.servers import DatabaseServer
from support.waiting import until
from swapshop_kit.database import Database, DuplicateKey, create_engine
from swapshop_kit.ids import new_id
from swapshop_kit.migrations import MigrationLocked, head_of, is_ready, migrate, read_version
from swapshop_kit.mysql import Limits
from swapshop_kit.problems import DatabaseUnavailable

_ENVIRONMENT = "from swapshop_kit.migrations import run_environment\n\nrun_environment()\n"
_FIRST = """
from sqlalchemy import Column, Index, Integer, UniqueConstraint
from swapshop_kit.dialect import OpaqueText, UtcTime
from swapshop_kit.migrations import create_table

revision, down_revision = "0001", None


def upgrade() -> None:
    create_table(
        "toys",
        Column("id", Integer, primary_key=True),
        Column("name", OpaqueText(64), nullable=False),
        Column("made_at", UtcTime()),
        UniqueConstraint("name", name="uq_toys_name"),
        Index("ix_toys_made_at", "made_at", "id"),
        Index("ix_toys_both", "name", "made_at", unique=True),
    )
"""
_SECOND = """
from sqlalchemy import Column, Integer
from swapshop_kit.migrations import create_table

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    create_table("shelves", Column("id", Integer, primary_key=True))
"""
_THIRD = """
from sqlalchemy import Column, Integer
from swapshop_kit.migrations import add_column

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    add_column("toys", Column("colour", Integer))
"""
_PROCESS = """
    import asyncio
    from pathlib import Path
    from swapshop_kit.migrations import migrate

    print(asyncio.run(migrate({url!r}, Path({scripts!r}))))
"""
_KILLED = """
    import asyncio
    import os
    from pathlib import Path
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from swapshop_kit.migrations import migrate

    left = {statements}

    @event.listens_for(Engine, "after_cursor_execute")
    def die(connection, cursor, statement, *_):
        global left
        if statement.split()[0] in ("CREATE", "INSERT", "UPDATE"):
            left -= 1
            if left == 0:
                os._exit(9)

    asyncio.run(migrate({url!r}, Path({scripts!r})))
"""
_insert_toy = text("INSERT INTO toys (id, name) VALUES (1, 'bear')")
_STATEMENTS = 7
"""The version table; toys and its two indexes; the version; shelves; the version."""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("migrations")
    versions = folder / "versions"
    versions.mkdir()
    (folder / "env.py").write_text(_ENVIRONMENT)
    (versions / "0001_toys.py").write_text(_FIRST)
    (versions / "0002_shelves.py").write_text(_SECOND)
    return folder


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """Return an empty schema on each database in turn."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/fresh.db"
    else:
        server: DatabaseServer = request.getfixturevalue("mariadb_server")
        with server.schema(f"kit_{new_id()[-12:]}") as url:
            yield url


@pytest.fixture
async def database(url: str) -> AsyncGenerator[Database]:
    database = Database(create_engine(url))
    yield database
    await database.close()


async def _schema(database: Database) -> dict[str, set[str]]:
    """Return the tables and the names of their indexes."""

    async def read(connection: AsyncConnection) -> dict[str, set[str]]:
        def tables(sync: Connection) -> dict[str, set[str]]:
            inspector = inspect(sync)
            return {
                name: {str(index["name"]) for index in inspector.get_indexes(name)}
                for name in inspector.get_table_names()
            }

        return await connection.run_sync(tables)

    return await database.read(read)


async def _assert_complete(database: Database) -> None:
    schema = await _schema(database)
    assert schema.keys() == {"schema_version", "toys", "shelves"}
    assert schema["toys"] >= {"ix_toys_made_at", "ix_toys_both"}
    assert await read_version(database) == "0002"


async def test_a_fresh_schema_becomes_ready(url: str, scripts: Path, database: Database) -> None:
    assert head_of(scripts) == "0002"
    assert await read_version(database) == ""
    assert not await is_ready(database, "0001")

    assert await migrate(url, scripts) == "0002"

    await _assert_complete(database)
    assert await is_ready(database, "0001")
    assert await is_ready(database, "0002")
    assert not await is_ready(database, "0003")


async def test_migrating_again_changes_nothing(url: str, scripts: Path, database: Database) -> None:
    for _ in range(2):
        assert await migrate(url, scripts) == "0002"
    await _assert_complete(database)


async def test_a_newer_schema_stays_untouched(url: str, scripts: Path, database: Database) -> None:
    await migrate(url, scripts)
    newer = (
        "UPDATE schema_version SET version_num = '9999'",
        "DROP TABLE shelves",
    )

    async def change(connection: AsyncConnection) -> None:
        for statement in newer:
            await connection.execute(text(statement))

    await database.transaction(change)
    assert await migrate(url, scripts) == "9999"

    assert (await _schema(database)).keys() == {"schema_version", "toys"}
    assert await read_version(database) == "9999"
    assert await is_ready(database, "0002")


async def test_several_processes_at_once_take_turns(
    url: str, scripts: Path, database: Database
) -> None:
    program = _PROCESS.format(url=url, scripts=str(scripts))
    ended = await asyncio.gather(*(asyncio.to_thread(run_python, program) for _ in range(3)))

    assert [output.splitlines()[-1] for output in ended] == ["0002"] * 3
    await _assert_complete(database)


@pytest.mark.parametrize("statements", range(1, _STATEMENTS + 1))
async def test_killed_after_any_statement_it_is_finished_by_the_next(
    url: str, scripts: Path, database: Database, statements: int
) -> None:
    program = _KILLED.format(statements=statements, url=url, scripts=str(scripts))
    await asyncio.to_thread(run_python, program, 9)

    assert await migrate(url, scripts, lock_wait_seconds=10) == "0002"
    await _assert_complete(database)


@pytest.mark.parametrize("url", ["mariadb"], indirect=True)
async def test_while_another_migrates_it_gives_up_in_time(
    url: str, scripts: Path, database: Database
) -> None:
    lock = f"swapshop.migrate.{database.engine.url.database}"

    async def hold(connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT GET_LOCK(:lock, 0)"), {"lock": lock})
        with pytest.raises(MigrationLocked):
            await migrate(url, scripts, lock_wait_seconds=1)
        await connection.execute(text("SELECT RELEASE_LOCK(:lock)"), {"lock": lock})

    await database.transaction(hold)
    assert await read_version(database) == ""
    assert await migrate(url, scripts, lock_wait_seconds=1) == "0002"


async def test_what_finishes_a_migration_is_committed_with_its_version(
    url: str, scripts: Path, database: Database
) -> None:
    """So no service is ready, and nobody can use the schema, before it is done."""

    async def fail(connection: AsyncConnection) -> None:
        await connection.execute(_insert_toy)
        raise ValueError("killed before the commit")

    async def finish(connection: AsyncConnection) -> None:
        await connection.execute(_insert_toy)
        if url.startswith("mysql"):  # a writer in SQLite blocks other writers, not readers
            assert not await is_ready(database, "0002")

    with pytest.raises(ValueError, match="killed"):
        await migrate(url, scripts, finish=fail)
    assert not await is_ready(database, "0002")
    await migrate(url, scripts, finish=finish)
    assert await is_ready(database, "0002")
    with pytest.raises(DuplicateKey):
        await migrate(url, scripts, finish=finish)


@pytest.mark.parametrize("url", ["mariadb"], indirect=True)
async def test_a_failed_migration_frees_the_lock(
    url: str, scripts: Path, database: Database, tmp_path: Path
) -> None:
    _write_first(tmp_path, "raise ValueError('x')")
    with pytest.raises(ValueError, match="x"):
        await migrate(url, tmp_path)

    assert await migrate(url, scripts, lock_wait_seconds=1) == "0002"
    await _assert_complete(database)


async def test_a_wrong_statement_is_told_as_it_is(
    url: str, scripts: Path, database: Database, tmp_path: Path
) -> None:
    _write_first(tmp_path, "from alembic import op; op.execute('SELEC 1')")
    with pytest.raises(DBAPIError, match="SELEC"):
        await migrate(url, tmp_path)

    assert await migrate(url, scripts) == "0002"
    await _assert_complete(database)


async def test_an_absent_server_is_unavailable(scripts: Path) -> None:
    url = f"mysql+asyncmy://nobody:nothing@{HOST}:{free_port()}/nowhere"
    with pytest.raises(DatabaseUnavailable):
        await migrate(url, scripts)


@pytest.mark.parametrize("url", ["mariadb"], indirect=True)
async def test_a_connection_lost_while_migrating_is_unavailable(
    url: str, database: Database, tmp_path: Path
) -> None:
    _write_first(tmp_path, "from alembic import op; op.execute('KILL CONNECTION_ID()')")
    with pytest.raises(DatabaseUnavailable):
        await migrate(url, tmp_path)

    assert await read_version(database) == ""


def _write_first(folder: Path, statement: str) -> None:
    """Write migrations whose first one begins with a Python statement."""
    (folder / "versions").mkdir()
    (folder / "env.py").write_text(_ENVIRONMENT)
    upgrade = "def upgrade() -> None:\n"
    changed = _FIRST.replace(upgrade, f"{upgrade}    {statement}\n")
    (folder / "versions" / "0001_changed.py").write_text(changed)


async def test_a_migration_gives_way_while_a_table_is_in_use_and_then_succeeds(
    mariadb_server: DatabaseServer, scripts: Path, tmp_path: Path
) -> None:
    """Every statement on a table queues behind a migration that waits for it."""
    newer = tmp_path / "newer"
    shutil.copytree(scripts, newer)
    (newer / "versions" / "0003_colour.py").write_text(_THIRD)
    with mariadb_server.schema(f"kit_{new_id()[-12:]}") as url, capture_logs() as logs:
        await migrate(url, scripts)
        database = Database(create_engine(url))
        count = text("SELECT COUNT(*) FROM toys")

        async def use(connection: AsyncConnection) -> None:
            await connection.execute(count)
            limits = Limits(statement=None, metadata_lock=1)
            migration = asyncio.create_task(migrate(url, newer, limits=limits))
            await until(lambda: {"event": "migrate.gave_way", "attempt": 1} in _told(logs))
            assert not migration.done()
            await database.read(lambda other: other.execute(count))
            await connection.commit()
            assert await migration == "0003"

        await database.read(use)
        await database.close()


def _told(logs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{key: log[key] for key in ("event", "attempt") if key in log} for log in logs]
