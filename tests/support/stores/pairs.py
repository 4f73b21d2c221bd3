"""The pairs of stores that tests run on: SQLite with Valkey, MariaDB or MySQL with Redis."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from support.waiting import until
from swapshop_kit.database import Database
from swapshop_kit.migrations import migrate
from swapshop_kit.problems import DatabaseUnavailable

Value = TypeVar("Value")


@dataclass(frozen=True)
class Stores:
    """A migrated schema, and a Redis."""

    database_url: str
    redis_url: str

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def run_apart(main: Coroutine[Any, Any, Value]) -> Value:
    """Runs a coroutine to its end from a test that may be in an event loop already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, main).result()


def migrate_to_head(url: str, scripts: Path) -> None:
    """Migrates a schema to its newest revision."""
    run_apart(migrate(url, scripts))


async def prepare(database: Database, work: Callable[[AsyncConnection], Awaitable[object]]) -> None:
    """Runs a transaction before a test, patiently: a busy machine is no outage."""

    async def is_done() -> bool:
        try:
            await database.transaction(work)
        except DatabaseUnavailable:
            return False
        return True

    await until(is_done)
