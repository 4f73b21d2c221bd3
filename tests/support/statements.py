"""Statements of a Database: counted the way its budgets count them, and explained."""

from collections.abc import Awaitable, Callable, Generator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from asyncmy.cursors import RE_INSERT_VALUES
from sqlalchemy import event, text
from sqlalchemy.engine import Connection
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
        for row in connection.exec_driver_sql(f"EXPLAIN {statement}", one).mappings():
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
