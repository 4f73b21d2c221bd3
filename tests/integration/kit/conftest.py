"""The kit on real databases, in the services' event loop."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uvloop
from sqlalchemy import delete
from structlog.testing import capture_logs

from support.stores.pairs import prepare
from support.stores.sample_table import METADATA, samples
from support.stores.servers import DatabaseServer
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def quiet() -> Generator[None]:
    """Discard log lines: structlog's default rendering of a traceback takes seconds."""
    with capture_logs():
        yield


def _create_tables(url: str) -> None:
    async def create() -> None:
        engine = create_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        await engine.dispose()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, create()).result()


@pytest.fixture(scope="module")
def mariadb_url(mariadb_server: DatabaseServer) -> Generator[str]:
    with mariadb_server.schema(f"kit_{new_id()[-12:]}") as url:
        _create_tables(url)
        yield url


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("kit") / "kit.db"
    _create_tables(f"sqlite+aiosqlite:///{path}")
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return each database in turn, with the table of samples."""
    return request.getfixturevalue(f"{request.param}_url")


async def _empty(url: str) -> AsyncGenerator[Database]:
    database = Database(create_engine(url))
    await prepare(database, lambda connection: connection.execute(delete(samples)))
    yield database
    await database.close()


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """Return each database in turn, with an empty table."""
    async for each in _empty(database_url):
        yield each


@pytest.fixture
async def mariadb(mariadb_url: str) -> AsyncGenerator[Database]:
    """Return MariaDB or MySQL, with an empty table."""
    async for each in _empty(mariadb_url):
        yield each


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncGenerator[Database]:
    """Return SQLite, with an empty table."""
    async for each in _empty(sqlite_url):
        yield each
