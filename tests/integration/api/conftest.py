"""The api's capabilities on each pair of stores, empty at the start of every test."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from fastapi import FastAPI
from redis.asyncio import Redis
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.accounts import Browser, api_container, api_settings
from support.api.client import Shop, bearer
from support.api.dispatch import OPERATOR, Pipeline
from support.stores.pairs import Stores, migrate_to_head, prepare
from support.stores.redis_keys import forget_all
from support.stores.servers import DatabaseServer, RedisServer
from swapshop_api.app import whole_app
from swapshop_api.audit.models import audit
from swapshop_api.auth.models import refresh_families, refresh_tokens, users
from swapshop_api.container import MIGRATIONS, Container
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.dispatch.models import deliveries as delivery_table
from swapshop_api.dispatch.models import delivery_attempts, leases
from swapshop_api.housekeeping.models import totals
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.models import order_items
from swapshop_api.orders.models import orders as order_table
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id
from swapshop_kit.redis import create_redis

_TABLES = (
    order_items,
    order_table,
    delivery_attempts,
    delivery_table,
    leases,
    audit,
    totals,
    refresh_tokens,
    refresh_families,
    users,
)


@pytest.fixture(scope="module")
def mariadb_url(mariadb_server: DatabaseServer) -> Generator[str]:
    with mariadb_server.schema(f"swapshop_{new_id()[-12:]}") as url:
        migrate_to_head(url, MIGRATIONS)
        yield url


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('api') / 'swapshop.db'}"
    migrate_to_head(url, MIGRATIONS)
    return url


@pytest.fixture(scope="module", params=["sqlite-valkey", "mariadb-redis"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Each pair in turn; parametrize it indirectly to choose one."""
    database, redis = request.param.split("-")
    server: RedisServer = request.getfixturevalue(f"{redis}_server")
    return Stores(request.getfixturevalue(f"{database}_url"), server.url)


@pytest.fixture
async def database(stores: Stores) -> AsyncGenerator[Database]:
    """The schema ``swapshop``, without a row."""
    database = Database(create_engine(stores.database_url, pool_size=30))

    async def empty(connection: AsyncConnection) -> None:
        for table in _TABLES:
            await connection.execute(delete(table))

    await prepare(database, empty)
    yield database
    await database.close()


@pytest.fixture
async def redis(stores: Stores) -> AsyncGenerator[Redis]:
    """Redis, without a key; patient, since a busy machine is no outage."""
    redis = create_redis(stores.redis_url, seconds=2.0)
    await forget_all(redis)
    yield redis
    await redis.aclose()


@pytest.fixture
def cache(redis: Redis) -> OrderCache:
    return OrderCache(redis)


@pytest.fixture
def orders(database: Database, cache: OrderCache) -> Orders:
    return Orders(database, cache)


@pytest.fixture
def dispatch(database: Database, cache: OrderCache) -> Dispatch:
    return Dispatch(database, cache, jitter=lambda: 1.0)


@pytest.fixture
def deliveries(database: Database, cache: OrderCache) -> Deliveries:
    return Deliveries(database, cache)


@pytest.fixture
def pipeline(
    database: Database, orders: Orders, dispatch: Dispatch, deliveries: Deliveries
) -> Pipeline:
    return Pipeline(database, orders, dispatch, deliveries)


@pytest.fixture
def container(stores: Stores, database: Database, redis: Redis, tmp_path: Path) -> Container:
    return api_container(api_settings(stores, tmp_path / "keys.json"), database, redis)


@pytest.fixture
def app(container: Container) -> FastAPI:
    return whole_app(container)


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return Browser(app)


@pytest.fixture
async def ana(app: FastAPI, container: Container) -> AsyncGenerator[Shop]:
    """A customer."""
    async with Shop(app, bearer(container)) as shop:
        yield shop


@pytest.fixture
async def berta(app: FastAPI, container: Container) -> AsyncGenerator[Shop]:
    """Another customer."""
    async with Shop(app, bearer(container)) as shop:
        yield shop


@pytest.fixture
async def staff(app: FastAPI, container: Container) -> AsyncGenerator[Shop]:
    """An operator."""
    async with Shop(app, bearer(container, OPERATOR, "operator")) as shop:
        yield shop


@pytest.fixture
async def poller(app: FastAPI, container: Container) -> AsyncGenerator[Shop]:
    """A client with a token of the internal audience."""
    settings = container.settings
    secret = settings.poller_client_secret.get_secret_value()
    token = container.clients.issue_token(settings.poller_client_id, secret)
    async with Shop(app, token) as client:
        yield client


@pytest.fixture
async def customer(app: FastAPI, container: Container) -> AsyncGenerator[Shop]:
    async with Shop(app, bearer(container)) as client:
        yield client
