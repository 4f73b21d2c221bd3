"""Metrics that a process exports about itself."""

from pathlib import Path

from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import create_async_engine

from swapshop_kit.build_info import report_build
from swapshop_kit.database import Database, create_engine
from swapshop_kit.metrics import report_durability, watch_pool


def _connections(state: str) -> float | None:
    labels = {"pool": "sample", "state": state}
    return REGISTRY.get_sample_value("db_client_connection_count", labels)


async def test_a_pools_connections_are_counted_as_they_are(tmp_path: Path) -> None:
    database = Database(create_engine(f"sqlite+aiosqlite:///{tmp_path}/sample.db"))
    watch_pool("sample", database)
    before = (_connections("used"), _connections("idle"))
    async with database.engine.connect():
        during = (_connections("used"), _connections("idle"))
    after = (_connections("used"), _connections("idle"))
    await database.close()

    assert (before, during, after) == ((0, 0), (1, 0), (0, 1))


async def test_a_pool_of_one_memory_database_is_not_counted() -> None:
    database = Database(create_async_engine("sqlite+aiosqlite://"))
    watch_pool("memory", database)
    await database.close()

    labels = {"pool": "memory", "state": "used"}
    assert REGISTRY.get_sample_value("db_client_connection_count", labels) is None


def test_durability_is_one_or_zero() -> None:
    seen: list[float | None] = []
    for durable in (True, False):
        report_durability("sample", durable)
        seen.append(REGISTRY.get_sample_value("swapshop_database_durable", {"pool": "sample"}))

    assert seen == [1, 0]


def test_the_version_is_a_label() -> None:
    report_build("sample", "1.2.3")

    labels = {"service": "sample", "version": "1.2.3"}
    assert REGISTRY.get_sample_value("swapshop_build_info", labels) == 1
