"""The services as real processes on MariaDB or MySQL, and Redis."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx
import pytest

from support.stores.servers import DatabaseServer, RedisServer
from support.system.separate_processes import Customer, Started, System, migrated_schemas, processes
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id


@pytest.fixture(scope="module")
def schemas(mariadb_server: DatabaseServer) -> Generator[tuple[str, str]]:
    """The migrated schemas of api and receiver."""
    with migrated_schemas(mariadb_server) as urls:
        yield urls


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
