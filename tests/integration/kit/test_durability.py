"""Whether a COMMIT survives a power cut: read once, for the metrics and the log."""

from collections.abc import AsyncGenerator, Generator

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from support.skips import skipping_without_server
from support.stores.servers import DatabaseServer
from support.stores.servers import mariadb as private_mariadb
from swapshop_kit.checks import database_check
from swapshop_kit.database import Database, create_engine, is_durable


@pytest.fixture(scope="module")
def server() -> Generator[DatabaseServer]:
    """Return a private server, since the tests change its settings."""
    with skipping_without_server(), private_mariadb() as server, server.schema("durability"):
        yield server


@pytest.fixture
async def database(server: DatabaseServer) -> AsyncGenerator[Database]:
    database = Database(create_engine(server.url("durability")))
    yield database
    server.execute(
        "SET GLOBAL sync_binlog = 1",
        "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
        "DROP TABLE IF EXISTS durability.schema_version",
    )
    await database.close()


async def _migrate(connection: AsyncConnection) -> None:
    await connection.execute(text("CREATE TABLE schema_version (version_num VARCHAR(32))"))
    await connection.execute(text("INSERT INTO schema_version VALUES ('0002')"))


def _reported(name: str) -> float | None:
    return REGISTRY.get_sample_value("swapshop_database_durable", {"pool": name})


@pytest.mark.parametrize("setting", ["sync_binlog = 0", "innodb_flush_log_at_trx_commit = 2"])
async def test_a_database_that_flushes_less_is_not_durable(
    server: DatabaseServer, database: Database, setting: str
) -> None:
    before = await is_durable(database)
    server.execute(f"SET GLOBAL {setting}")

    assert before
    assert not await is_durable(database)


async def test_a_ready_database_is_reported_once(
    server: DatabaseServer, database: Database
) -> None:
    check = database_check("kit-once", database, "0002")
    assert await check() == "away"
    assert _reported("kit-once") is None
    await database.transaction(_migrate)
    with capture_logs() as logs:
        assert await check() == "up"
        server.execute("SET GLOBAL sync_binlog = 0")
        assert await check() == "up"

    assert _reported("kit-once") == 1
    assert logs == []
    assert await database_check("kit-newer", database, "0003")() == "away"


async def test_a_database_that_is_not_durable_is_a_warning(
    server: DatabaseServer, database: Database
) -> None:
    server.execute("SET GLOBAL sync_binlog = 0")
    await database.transaction(_migrate)
    with capture_logs() as logs:
        assert await database_check("kit-weak", database, "0002")() == "up"

    assert _reported("kit-weak") == 0
    assert logs == [{"event": "database.not_durable", "log_level": "warning", "pool": "kit-weak"}]
