"""Schema migrations: alembic under a lock, safe to kill between any two statements."""

import asyncio
import itertools
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import structlog
from alembic import command, context, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Column,
    Connection,
    Constraint,
    Index,
    String,
    column,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from swapshop_kit.database import Database, DuplicateKey, create_engine
from swapshop_kit.dialect import Failure, classify, is_read_only
from swapshop_kit.health import State
from swapshop_kit.mysql import Limits
from swapshop_kit.problems import DatabaseUnavailable

VERSION_TABLE: Final = "schema_version"
LOCK_WAIT_SECONDS: Final = 60

LIMITS: Final = Limits(statement=None, metadata_lock=5)
"""Every statement on a table queues behind a migration that waits for the table's metadata lock.
So the migration gives up first: the services wait twice, up to 3 s each time."""

ATTEMPTS: Final = 20
"""Maximum attempts to lock a table; then the migration fails, and its Job restarts it."""

GIVE_WAY_SECONDS: Final = 1.0

Finish = Callable[[AsyncConnection], Awaitable[None]]

_read_version: Final = select(column("version_num", String())).select_from(table(VERSION_TABLE))
_log = structlog.get_logger()


class MigrationLocked(Exception):
    """Another process was still migrating this schema when the wait ended."""


def head_of(scripts: Path) -> str:
    """Return the newest revision in a folder; the revisions are numbered from 0001."""
    return ScriptDirectory(str(scripts)).get_current_head() or ""


async def read_version(database: Database) -> str:
    """Return the schema's revision; empty before the first migration.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """

    async def read(connection: AsyncConnection) -> str:
        return await connection.run_sync(_version_in)

    return await database.read(read)


def _version_in(connection: Connection) -> str:
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    return str(connection.scalar(_read_version) or "")


async def state_of(database: Database, head: str) -> State:
    """Return whether the database answers, is at least at ``head``, and takes writes."""

    async def read(connection: AsyncConnection) -> State:
        row = (await connection.execute(_read_version.add_columns(is_read_only()))).one_or_none()
        if row is None or str(row[0] or "") < head:
            return "away"
        return "read-only" if row[1] else "up"

    try:
        return await database.read(read)
    except DatabaseUnavailable:
        return "away"


async def is_ready(database: Database, head: str) -> bool:
    """Return whether the database answers and its schema is at least at ``head``."""
    return await state_of(database, head) != "away"


async def migrate(
    url: str,
    scripts: Path,
    *,
    tls: ssl.SSLContext | None = None,
    lock_wait_seconds: int = LOCK_WAIT_SECONDS,
    limits: Limits = LIMITS,
    finish: Finish | None = None,
) -> str:
    """Upgrade a schema to the newest revision and return its revision; a newer one is left alone.

    A process must not run two migrations at once: alembic keeps its context in globals.

    Args:
        url: URL of the schema, with a user who may change it.
        scripts: the service's folder of migrations.
        tls: see ``create_engine``.
        lock_wait_seconds: maximum wait for another process that is migrating this schema.
        limits: limits of the connection to MySQL.
        finish: work in the transaction that records the newest revision. No service is ready
            before it commits, so no service can be used before this work is done.

    Raises:
        DatabaseUnavailable: the server cannot be reached, or a table stayed locked; run the
            migration again.
        DuplicateKey: ``finish`` met an existing unique key; none of its work was committed.
        MigrationLocked: another process is migrating this schema.
    """
    engine = create_engine(url, tls=tls, pool_size=1, limits=limits)
    head = head_of(scripts)
    try:
        found = await _take_turns(
            lambda: _migrate_once(engine, scripts, head, lock_wait_seconds, finish)
        )
    finally:
        await engine.dispose()
    if found > head:
        _log.info("migrate.newer_schema", found=found, own=head)
        return found
    _log.info("migrate.done", before=found, now=head)
    return head


async def _take_turns(upgrade: Callable[[], Awaitable[str]]) -> str:
    """Run an upgrade; if it cannot lock a table, let the services run for a second and retry.

    Raises:
        DatabaseUnavailable: the server cannot be reached, or the table stayed locked.
        DuplicateKey: a unique key already exists.
    """
    for attempt in itertools.count(1):
        try:
            return await upgrade()
        except (DBAPIError, OSError, TimeoutError) as error:
            failure = classify(error)
            if failure is Failure.LOCK_TIMEOUT and attempt < ATTEMPTS:
                _log.warning("migrate.gave_way", attempt=attempt)
                await asyncio.sleep(GIVE_WAY_SECONDS)
            elif failure in (Failure.LOCK_TIMEOUT, Failure.UNAVAILABLE, Failure.NOT_PRIMARY):
                raise DatabaseUnavailable from error
            elif failure is Failure.DUPLICATE:
                raise DuplicateKey from error
            else:
                raise
    raise AssertionError("unreachable")


async def _migrate_once(
    engine: AsyncEngine, scripts: Path, head: str, lock_wait_seconds: int, finish: Finish | None
) -> str:
    async with engine.connect() as connection:
        await connection.run_sync(_lock, lock_wait_seconds)
        try:
            found = await connection.run_sync(_upgrade, scripts, head)
            if finish is not None:
                await finish(connection)
            # before the lock is released, so the next process reads the new version
            await connection.commit()
        finally:
            await connection.run_sync(_unlock)
        await connection.commit()
        return found


def _upgrade(connection: Connection, scripts: Path, head: str) -> str:
    """Upgrade unless the schema is newer; return its previous revision. The caller commits."""
    found = _version_in(connection)  # the last holder of the lock may have been a newer release
    if found <= head:
        config = Config()
        config.set_main_option("script_location", str(scripts))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return found


def _lock(connection: Connection, wait_seconds: int) -> None:
    if connection.dialect.name != "mysql":
        return
    parameters = {"name": _lock_name(connection), "seconds": wait_seconds}
    if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), parameters) != 1:
        raise MigrationLocked("another process is migrating this schema; try again")


def _unlock(connection: Connection) -> None:
    if connection.dialect.name != "mysql" or connection.invalidated:
        return
    connection.rollback()  # failed work must not be committed with the release
    connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _lock_name(connection)})


def _lock_name(connection: Connection) -> str:
    return f"swapshop.migrate.{connection.engine.url.database}"[:64]


def run_environment() -> None:
    """Run as a service's ``env.py``."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        version_table=VERSION_TABLE,
        transactional_ddl=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def create_table(name: str, *elements: Column[Any] | Constraint | Index) -> None:
    """Create a table and its indexes, each unless it exists.

    MySQL commits each DDL statement separately: a migration that was killed between two of them
    is run again, and skips what exists.
    """
    indexes = [element for element in elements if isinstance(element, Index)]
    others = [element for element in elements if not isinstance(element, Index)]
    op.create_table(
        name,
        *others,
        if_not_exists=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    create_indexes(name, *indexes)


def create_indexes(name: str, *indexes: Index) -> None:
    """Create those indexes of a table that do not exist."""
    existing = {index["name"] for index in inspect(op.get_bind()).get_indexes(name)}
    for index in indexes:
        if index.name not in existing:
            columns = [str(expression) for expression in index.expressions]
            op.create_index(index.name, name, columns, unique=index.unique)


def add_column(name: str, column: Column[Any]) -> None:
    """Add a column to a table unless it exists. The previous release does not know it."""
    if column.name not in {each["name"] for each in inspect(op.get_bind()).get_columns(name)}:
        op.add_column(name, column)
