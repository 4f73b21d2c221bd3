"""Statements of a Database: counted the way its budgets count them, and explained."""

from collections.abc import Awaitable, Callable, Generator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from asyncmy.cursors import RE_INSERT_VALUES
from sqlalchemy import event, text
from sqlalchemy.dialects.mysql.base import MySQLDialect
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_kit.database import Database


@contextmanager
def counting(database: Database) -> Generator[list[str]]:
    """Lists the statements that reach the server within the block, without BEGIN and COMMIT.

    A statement for many rows counts once only where the driver sends it once: asyncmy joins the
    rows of an INSERT of plain parameters, and sends any other statement row by row.
    """
    sent: list[str] = []

    def count(
        _connection: Connection,
        _cursor: Any,
        statement: str,
        parameters: Sized,
        _context: Any,
        executemany: bool,
    ) -> None:
        if statement.startswith("BEGIN"):
            return
        is_split = (
            executemany
            and database.engine.dialect.name == "mysql"
            and not RE_INSERT_VALUES.match(statement)
        )
        sent.extend([statement] * (len(parameters) if is_split else 1))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", count)


def explanation(dialect: Dialect) -> str:
    """The prefix that makes a statement return its plan as rows."""
    if dialect.name == "sqlite":
        return "EXPLAIN QUERY PLAN"
    # MySQL's own default is a tree, and MariaDB knows no name for its rows
    return "EXPLAIN" if cast(MySQLDialect, dialect).is_mariadb else "EXPLAIN FORMAT=TRADITIONAL"


def clock_first(database: Database) -> list[str]:
    """The SELECT before an INSERT of an order where the INSERT cannot return the time: MySQL."""
    return [] if database.engine.dialect.insert_returning else ["SELECT"]


@dataclass(frozen=True)
class Plan:
    """How MariaDB or MySQL reads one table in a statement."""

    statement: str
    table: str
    type: str
    key: str | None
    rows: int
    extra: str


@contextmanager
def explaining(database: Database) -> Generator[list[Plan]]:
    """Lists the plans of the statements within the block, each as it is right before it runs."""
    plans: list[Plan] = []

    def explain(
        connection: Connection,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        executemany: bool,
    ) -> None:
        if not statement.startswith(("SELECT", "UPDATE", "DELETE")) or not parameters:
            return
        one: Any = next(iter(parameters)) if executemany else parameters
        query = f"{explanation(connection.dialect)} {statement}"
        for row in connection.exec_driver_sql(query, one).mappings():
            if row["table"] is not None:
                plan = Plan(
                    statement=" ".join(statement.split()),
                    table=row["table"],
                    type=row["type"],
                    key=row["key"],
                    rows=int(row["rows"] or 0),
                    extra=row["Extra"] or "",
                )
                plans.append(plan)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", explain)


async def is_running(connection: AsyncConnection, beginning: str) -> bool:
    """Whether the server (MariaDB, MySQL) runs a statement that begins so, for anybody."""
    # MySQL's other lists of processes fail on another's statement that has bytes in it
    is_mariadb = cast(MySQLDialect, connection.dialect).is_mariadb
    processes = ("information" if is_mariadb else "performance") + "_schema.processlist"
    query = text(f"SELECT COUNT(*) FROM {processes} WHERE info LIKE :info")  # noqa: S608 - constants of ours
    return bool(await connection.scalar(query, {"info": f"{beginning}%"}))


async def rows_read(database: Database, work: Callable[[], Awaitable[object]]) -> int:
    """Run ``work`` on a Database of one connection; return how many rows the server looked at."""

    async def reset(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("FLUSH STATUS")

    async def read(connection: AsyncConnection) -> int:
        status = await connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'"))
        return sum(int(row[1]) for row in status)

    await database.read(reset)
    await work()
    return await database.read(read)
