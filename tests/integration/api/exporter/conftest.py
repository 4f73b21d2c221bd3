"""Both schemas on each database, an exporter over them, and the dispatch that fills them."""

from collections.abc import AsyncGenerator, Generator

import pytest
from sqlalchemy import true

from support.api.exporter import Watch, remove, watch
from support.stores.pairs import Stores, migrate_to_head
from support.stores.servers import DatabaseServer
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id
from swapshop_receiver.container import MIGRATIONS
from swapshop_receiver.notifications.models import notifications


@pytest.fixture(scope="module")
def receiver_url(stores: Stores, request: pytest.FixtureRequest) -> Generator[str]:
    """The receiver's schema, on the same server or in the same folder."""
    if stores.is_sqlite:
        url = stores.database_url.replace("swapshop.db", "notifications.db")
        migrate_to_head(url, MIGRATIONS)
        yield url
        return
    server: DatabaseServer = request.getfixturevalue("mariadb_server")
    with server.schema(f"notifications_{new_id()[-12:]}") as url:
        migrate_to_head(url, MIGRATIONS)
        yield url


@pytest.fixture
async def receiver(receiver_url: str) -> AsyncGenerator[Database]:
    """The schema of notifications, without a row."""
    database = Database(create_engine(receiver_url))
    await remove(database, notifications, true())
    yield database
    await database.close()


@pytest.fixture(scope="module")
def receiver_schema(receiver_url: str) -> str:
    return receiver_url.rpartition("/")[2].removesuffix(".db")


@pytest.fixture
async def watched(database: Database, receiver: Database) -> AsyncGenerator[Watch]:
    """An exporter over both, which start empty."""
    watching = watch(database, receiver)
    yield watching
    await watching.database.close()
