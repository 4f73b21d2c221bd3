"""The database: one engine per process, and transactions that are retried as a whole."""

import asyncio
import itertools
import random
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from swapshop_kit.dialect import SNAPSHOT, Failure, classify, is_undone, sqlite_utc_now
from swapshop_kit.mysql import Limits, create_mysql
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown
from swapshop_kit.statement_spans import trace_statements
from swapshop_kit.telemetry import is_tracing

T = TypeVar("T")

ATTEMPTS: Final = 3
"""Maximum attempts at a transaction that meets deadlocks or lock time-outs."""

_log = structlog.get_logger()


class DuplicateKey(Exception):
    """A unique key already exists; the transaction was rolled back."""


class LockTimeout(DatabaseUnavailable):
    """A lock was not granted in time, and the caller asked for no retry."""


class Database:
    """Runs transactions on one engine. Every statement of the services goes through this class."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._reader = engine.execution_options(read_only=True)

    async def transaction(
        self,
        work: Callable[[AsyncConnection], Awaitable[T]],
        *,
        retry_lock_timeout: bool = True,
    ) -> T:
        """Run ``work`` and COMMIT; after a deadlock or lock time-out ROLLBACK and run it again.

        It is also run again, but only once, if the connection was lost before the COMMIT or the
        server takes no writes: another connection may reach the new primary.

        Args:
            work: issues the statements; it can run three times, so it must have no other effects.
            retry_lock_timeout: False raises LockTimeout at the first lock time-out.

        Raises:
            DatabaseUnavailable: nothing was committed.
            OutcomeUnknown: the connection broke during COMMIT.
            DuplicateKey: a unique key already exists; nothing was committed.
            Exception: any exception of ``work``, after ROLLBACK.
        """
        return await self._retried(self.engine, work, retry_lock_timeout)

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run ``work``, which only reads; on SQLite it does not wait for a writer.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """
        try:
            return await self._retried(self._reader, work, retry_lock_timeout=True)
        except OutcomeUnknown as error:  # nothing was written, so the outcome is known
            raise DatabaseUnavailable from error

    async def snapshot(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run ``work``, which only reads, on one snapshot of all schemas that the user can see.

        On SQLite each attached file has its own snapshot, taken by the first statement on it.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """

        async def read(connection: AsyncConnection) -> T:
            for statement in SNAPSHOT if connection.dialect.name == "mysql" else ():
                await connection.exec_driver_sql(statement)
            return await work(connection)

        return await self.read(read)

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()

    async def _retried(
        self,
        engine: AsyncEngine,
        work: Callable[[AsyncConnection], Awaitable[T]],
        retry_lock_timeout: bool,
    ) -> T:
        for attempt in itertools.count(1):
            try:
                return await _run_once(engine, work)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                failure = classify(error)
                if failure is Failure.DUPLICATE:
                    raise DuplicateKey from error
                if failure is Failure.LOCK_TIMEOUT and not retry_lock_timeout:
                    raise LockTimeout from error
                if failure in (Failure.DEADLOCK, Failure.LOCK_TIMEOUT):
                    is_last = attempt == ATTEMPTS
                elif failure in (Failure.NOT_PRIMARY, Failure.UNAVAILABLE):
                    is_last = attempt > 1 or not _lost_connection(error)
                else:
                    raise
                if is_last:
                    raise DatabaseUnavailable from error
                await asyncio.sleep(random.uniform(0.005, 0.05) * attempt)
        raise AssertionError("unreachable")


def _lost_connection(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


async def _run_once(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    cancellations = _count_cancellations()
    async with engine.connect() as connection:
        try:
            result = await work(connection)
            _cancel_if_swallowed(cancellations)
        except BaseException:
            await _roll_back(connection)
            raise
        try:
            await connection.commit()
        except (SQLAlchemyError, OSError) as error:
            # a refused COMMIT leaves the transaction open, and the next caller would commit it
            await connection.invalidate()
            if is_undone(error):
                raise
            if classify(error) is Failure.DEFECT:
                _log.exception("database.commit_failed")
            raise OutcomeUnknown from error
        _cancel_if_swallowed(cancellations)
        return result


def _count_cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _cancel_if_swallowed(before: int) -> None:
    """Raise a cancellation that the driver has lost.

    Before Python 3.12 ``asyncio.wait_for``, which asyncmy reads with, loses a cancellation that
    arrives together with the answer: the task would run for ever.

    Raises:
        asyncio.CancelledError: the task was cancelled after ``before`` was counted.
    """
    if _count_cancellations() > before:
        raise asyncio.CancelledError


async def _roll_back(connection: AsyncConnection) -> None:
    """Roll back, or close the connection, which rolls back too; the first error is kept."""
    if connection.invalidated:
        return
    try:
        await connection.rollback()
    except (SQLAlchemyError, OSError):
        await connection.invalidate()


async def is_durable(database: Database) -> bool:
    """Return whether a COMMIT survives a power cut: MySQL must flush log and binlog each time."""
    if database.engine.dialect.name == "sqlite":
        return True

    async def read(connection: AsyncConnection) -> bool:
        query = text("SELECT @@innodb_flush_log_at_trx_commit = 1 AND @@sync_binlog = 1")
        return bool(await connection.scalar(query))

    return await database.read(read)


def create_engine(
    url: str,
    *,
    tls: ssl.SSLContext | None = None,
    pool_size: int = 10,
    limits: Limits | None = None,
) -> AsyncEngine:
    """Create an engine for ``sqlite+aiosqlite://`` or ``mysql+asyncmy://``.

    Args:
        url: URL with user and password.
        tls: context for MySQL; None connects without TLS. SQLite ignores it. The context must not
            be used for another server afterwards.
        pool_size: maximum number of connections; further callers wait up to 3 s for one.
        limits: limits of the connections to MySQL; ``Limits()`` by default.
    """
    if make_url(url).get_backend_name() == "sqlite":
        engine = _create_sqlite(url, pool_size)
    else:
        engine = create_mysql(url, tls, pool_size, limits or Limits())
    if is_tracing():
        trace_statements(engine)
    return engine


def _create_sqlite(url: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=3, pool_reset_on_return=None
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(dbapi_connection: Any, _: ConnectionPoolEntry) -> None:
        dbapi_connection.isolation_level = None  # the "begin" listener begins transactions
        dbapi_connection.create_function("swapshop_utc_now", 1, sqlite_utc_now)
        cursor = dbapi_connection.cursor()
        for pragma in (
            "busy_timeout = 5000",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "invalidate")
    def roll_back(dbapi_connection: Any, *_: object) -> None:
        # closing would keep the file locked while a cancelled query's cursor is still referenced
        dbapi_connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
