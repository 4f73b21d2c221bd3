"""The services as real processes on MariaDB or MySQL, and Redis."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx
import pytest

import swapshop_api.container
import swapshop_receiver.container
from support.servers import DatabaseServer, RedisServer
from support.stores import migrate_to_head
from support.system import Customer, Started, System, processes
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id


@pytest.fixture(scope="module")
def schemas(mariadb_server: DatabaseServer) -> Generator[tuple[str, str]]:
    """The migrated schemas of api and receiver."""
    suffix = new_id()[-12:]
    with (
        mariadb_server.schema(f"swapshop_{suffix}") as api_url,
        mariadb_server.schema(f"notifications_{suffix}") as receiver_url,
    ):
        migrate_to_head(api_url, swapshop_api.container.MIGRATIONS)
        migrate_to_head(receiver_url, swapshop_receiver.container.MIGRATIONS)
        yield api_url, receiver_url


@pytest.fixture
def system(tmp_path: Path, schemas: tuple[str, str], redis_server: RedisServer) -> System:
    return System(tmp_path, *schemas, redis_server.url)


@pytest.fixture
def started() -> Generator[Started]:
    with processes() as started:
        yield started


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=15) as http:
        yield http


@pytest.fixture
async def customer(http: httpx.AsyncClient, system: System, started: Started) -> Customer:
    """A new customer of an api and a receiver that run."""
    started.start(system.api())
    return await Customer.register(http, system, f"ana-{new_id()}@example.com")


@pytest.fixture
async def api_database(schemas: tuple[str, str]) -> AsyncGenerator[Database]:
    """The api's schema, to look at and to move its times."""
    database = Database(create_engine(schemas[0]))
    yield database
    await database.close()
