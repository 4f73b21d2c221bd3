"""An old primary that is fenced but alive: what is read from it never reaches the cache."""

from collections.abc import AsyncGenerator, Generator

import pytest
from redis.asyncio import Redis
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.orders import customer, operator, order_json, read_order
from support.skips import skipping_without_server
from support.stores.database_proxy import DatabaseProxy
from support.stores.failovers import Failover, two_servers
from support.stores.pairs import migrate_to_head
from support.stores.redis_keys import forget_all
from support.stores.servers import RedisServer
from swapshop_api.container import MIGRATIONS
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.models import order_items
from swapshop_api.orders.models import orders as order_table
from swapshop_kit.access_tokens import Claims
from swapshop_kit.database import Database, create_engine
from swapshop_kit.mysql import Limits
from swapshop_kit.redis import create_redis

_CHECKS_NOTHING = Limits(check=3600)
"""As a pod's connections are for up to two seconds after their last check."""


@pytest.fixture(scope="module")
def servers() -> Generator[Failover]:
    with skipping_without_server(), two_servers("swapshop") as servers:
        for server in servers.old, servers.new:
            migrate_to_head(server.url(servers.schema), MIGRATIONS)
        yield servers


@pytest.fixture
async def failover(servers: Failover) -> AsyncGenerator[Failover]:
    async with DatabaseProxy(servers.old_url).running() as service:
        servers.service = service
        yield servers
    servers.unfence()


@pytest.fixture
async def redis(valkey_server: RedisServer) -> AsyncGenerator[Redis]:
    redis = create_redis(valkey_server.url, seconds=2.0)
    await forget_all(redis)
    yield redis
    await redis.aclose()


@pytest.fixture
async def old_pod(failover: Failover) -> AsyncGenerator[Database]:
    """Its pooled connection leads to the old primary."""
    database = Database(create_engine(failover.service.url, pool_size=1, limits=_CHECKS_NOTHING))
    yield database
    await database.close()


async def _replicate(old: Database, new: Database) -> None:
    """Copy every order to the new primary."""

    async def read(connection: AsyncConnection) -> dict[str, list[dict[str, object]]]:
        tables = (order_table, order_items)
        return {
            table.name: [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for table in tables
        }

    rows = await old.read(read)

    async def write(connection: AsyncConnection) -> None:
        for table in order_table, order_items:
            await connection.execute(insert(table), rows[table.name])

    await new.transaction(write)


async def _place(orders: Orders, owner: Claims) -> str:
    return (await orders.place(owner.sub, read_order(order_json()), None)).order_id


async def test_a_pod_that_still_reads_the_old_primary_fills_nothing(
    failover: Failover, old_pod: Database, redis: Redis
) -> None:
    owner = customer()
    old_orders = Orders(old_pod, OrderCache(redis))
    order_id = await _place(old_orders, owner)
    failover.fence()
    failover.switch()
    new_pod = Database(create_engine(failover.service.url))
    new_orders = Orders(new_pod, OrderCache(redis))
    await _replicate(old_pod, new_pod)
    await Deliveries(new_pod, OrderCache(redis)).mark_processed(operator().sub, order_id)

    stale = await old_orders.get(owner, order_id)
    fresh = await new_orders.get(owner, order_id)

    assert b'"PENDING"' in stale.body
    assert b'"PROCESSED"' in fresh.body
    await new_pod.close()


async def test_a_primary_that_takes_writes_fills_the_cache(old_pod: Database, redis: Redis) -> None:
    owner = customer()
    orders = Orders(old_pod, OrderCache(redis))
    order_id = await _place(orders, owner)
    await forget_all(redis)

    assert [(await orders.get(owner, order_id)).cache for _ in range(2)] == ["MISS", "HIT"]
