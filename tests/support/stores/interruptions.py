"""Stepping between the statements of a transaction: to hold it, to look, or to cut it."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from support.waiting import until
from swapshop_kit.database import Database

COMMIT = "COMMIT"
_NO_SUCH_THREAD = 1094

Interrupt = Callable[[int, str, Any], Awaitable[None]]
"""Gets the number of the statement in its transaction, from 1 on, its text (``COMMIT`` for that)
and the driver's connection."""


def interrupted(database: Database, interrupt: Interrupt) -> AbstractContextManager[None]:
    """Awaits ``interrupt`` before each statement and COMMIT of a Database's transactions."""
    return interrupted_engines(database.engine.sync_engine, interrupt)


@contextmanager
def interrupted_engines(target: Engine | type[Engine], interrupt: Interrupt) -> Generator[None]:
    """The same for an engine, or, given the class, for all of them that use a transaction."""
    numbers: dict[int, int] = {}

    def begin(connection: Connection) -> None:
        numbers[id(connection)] = 0

    def step(connection: Connection, statement: str) -> None:
        number = numbers[id(connection)] = numbers.get(id(connection), 0) + 1
        dbapi_connection: Any = connection.connection.dbapi_connection

        async def wait(driver: Any) -> None:
            await interrupt(number, statement, driver)

        dbapi_connection.run_async(wait)

    def before(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            step(connection, statement)

    def commit(connection: Connection) -> None:
        step(connection, COMMIT)

    listeners = (("begin", begin), ("before_cursor_execute", before), ("commit", commit))
    for name, listener in listeners:
        event.listen(target, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners:
            event.remove(target, name, listener)


class Gate:
    """An interrupt that holds the first transaction that comes to a statement; others pass.

    Args:
        at: how the statement begins.
    """

    def __init__(self, at: str = COMMIT) -> None:
        self._at = at
        self.is_held = asyncio.Event()
        self.others_came = asyncio.Event()
        """Set once another transaction sends a statement meanwhile."""
        self.opened = asyncio.Event()

    async def __call__(self, _number: int, statement: str, _driver: Any) -> None:
        if self.is_held.is_set():
            self.others_came.set()
        elif statement.startswith(self._at):
            self.is_held.set()
            await self.opened.wait()


async def kill_connection(admin: AsyncEngine, driver: Any) -> None:
    """Ends a connection from the server's side (MariaDB, MySQL); returns when it is gone."""
    kill = f"KILL CONNECTION {int(driver.thread_id())}"
    async with admin.connect() as connection:

        async def is_gone() -> bool:
            # no look at the list of processes: MySQL's fails on another's statement in binary
            try:
                await connection.exec_driver_sql(kill)
            except DBAPIError as error:
                if error.orig is None or error.orig.args[0] != _NO_SUCH_THREAD:
                    raise
                return True
            return False

        await until(is_gone)


async def is_waiting_for_a_lock(database: Database) -> bool:
    """Return whether a transaction of the server waits for a lock (MariaDB, MySQL)."""

    async def read(connection: AsyncConnection) -> bool:
        # not innodb_trx, which shows to frequent callers what it showed before
        query = text("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
        return (await connection.execute(query)).one()[1] != "0"

    return await database.read(read)
