"""The receiver on each pair of stores: SQLite with Valkey, MariaDB or MySQL with Redis."""

from collections.abc import AsyncGenerator, Generator

import pytest

from support.receiver.server import Receiver, opened_receiver, receiver_settings, running_receiver
from support.stores.pairs import Stores, migrate_to_head
from support.stores.servers import DatabaseServer, RedisServer
from swapshop_kit.ids import new_id
from swapshop_kit.redis import Circuit, create_redis
from swapshop_receiver.container import MIGRATIONS
from swapshop_receiver.notifications.timing import StreamTiming
from swapshop_receiver.notifications.wake_ups import WakeUps


@pytest.fixture(scope="module")
def mariadb_url(mariadb_server: DatabaseServer) -> Generator[str]:
    """A migrated schema; its rows are told apart by their users."""
    with mariadb_server.schema(f"notifications_{new_id()[-12:]}") as url:
        migrate_to_head(url, MIGRATIONS)
        yield url


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated file; its rows are told apart by their users."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('receiver') / 'notifications.db'}"
    migrate_to_head(url, MIGRATIONS)
    return url


@pytest.fixture(scope="module", params=["sqlite-valkey", "mariadb-redis"])
def stores(request: pytest.FixtureRequest) -> Stores:
    database, redis = request.param.split("-")
    server: RedisServer = request.getfixturevalue(f"{redis}_server")
    return Stores(request.getfixturevalue(f"{database}_url"), server.url)


@pytest.fixture
async def receiver(stores: Stores) -> AsyncGenerator[Receiver]:
    settings = receiver_settings(stores.database_url, stores.redis_url)
    async with opened_receiver(settings) as receiver:
        yield receiver


@pytest.fixture
async def live_receiver(stores: Stores) -> AsyncGenerator[Receiver]:
    """Once it listens to Redis, nothing else wakes its streams."""
    settings = receiver_settings(stores.database_url, stores.redis_url)
    timing = StreamTiming(reread=600.0, poll=0.05)
    # So it may not give up a publication that takes more than 50 ms on a busy machine.
    patient = create_redis(stores.redis_url, seconds=5.0)
    async with running_receiver(settings, timing=timing) as receiver:
        receiver.container.webhooks.wake_ups = WakeUps(patient, Circuit())
        yield receiver
    await patient.aclose()
