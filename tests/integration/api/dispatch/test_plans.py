"""Among 100,000 deliveries, nearly all of them done, a lease call reads only what it claims."""

from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from support.api.dispatch import Pipeline, result
from support.stores.pairs import migrate_to_head
from support.stores.servers import DatabaseServer, RedisServer
from support.stores.statements import Plan, explaining, rows_read
from swapshop_api.container import MIGRATIONS
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.deliveries.schemas import State
from swapshop_api.deliveries.store import list_page, read_pipeline
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_kit.cursors import Cursor
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id
from swapshop_kit.redis import create_redis

DUE = 150
"""Of each kind: READY, expired, and orders that wait."""

# The first test waits until the schema is filled.
pytestmark = pytest.mark.timeout(240)

_FILL = (
    "CREATE TABLE digits (d INT)",
    "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
    """
    CREATE VIEW numbers AS
    SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
    FROM digits a, digits b, digits c, digits e, digits f
    """,
    """
    INSERT INTO orders
        (id, user_id, cliente, total, estado, created_at, processed_at, fingerprint)
    SELECT UNHEX(LPAD(HEX(n), 32, '0')), REPEAT('u', 16), 'Ana', 19.90,
        IF(n < @due, 'PENDING', 'PROCESSED'), UTC_TIMESTAMP(6) - INTERVAL n + 1 SECOND,
        IF(n < @due, NULL, UTC_TIMESTAMP(6)), REPEAT('f', 32)
    FROM numbers
    """,
    """
    INSERT INTO order_items (id, order_id, position, producto, cantidad, precio_unitario)
    SELECT id, id, 0, 'Camisa', 1, 19.90 FROM orders WHERE estado = 'PENDING'
    """,
    """
    INSERT INTO deliveries
        (id, webhook_id, order_id, event_type, payload, state, created_at, next_attempt_at,
        lease_token, lease_until, unreported_claims, attempts, aways, done_at)
    SELECT UNHEX(LPAD(HEX(n), 32, '0')), n, UNHEX(LPAD(HEX(n + 1000000), 32, '0')), 'ORDER_READY',
        '{}', CASE WHEN n < @due THEN 'READY' WHEN n < 2 * @due THEN 'LEASED' ELSE 'DONE' END,
        UTC_TIMESTAMP(6) - INTERVAL n + 1 SECOND, UTC_TIMESTAMP(6) - INTERVAL n + 1 SECOND,
        IF(n < 2 * @due, REPEAT('t', 16), NULL),
        IF(n < 2 * @due, UTC_TIMESTAMP(6) - INTERVAL n + 1 SECOND, NULL), 0, 0, 0,
        IF(n < 2 * @due, NULL, UTC_TIMESTAMP(6) - INTERVAL n + 1 SECOND)
    FROM numbers
    """,
    """
    INSERT INTO delivery_attempts (delivery_id, lease_token, claimed_at)
    SELECT id, id, created_at FROM deliveries
    """,
    "ANALYZE TABLE orders, order_items, deliveries, delivery_attempts",
)


@pytest.fixture(scope="module")
def crowded_url(mariadb_server: DatabaseServer) -> Generator[str]:
    """A schema with 100,000 orders and as many deliveries of others."""
    schema = f"swapshop_{new_id()[-12:]}"
    with mariadb_server.schema(schema) as url:
        migrate_to_head(url, MIGRATIONS)
        begin = (f"USE {schema}", "SET SESSION sql_log_bin = 0", f"SET @due = {DUE}")
        mariadb_server.execute(*begin, *_FILL, seconds=200)
        yield url


@pytest.fixture
async def crowd(crowded_url: str, redis_server: RedisServer) -> AsyncGenerator[Pipeline]:
    """The dispatch on that schema, over a single connection."""
    database = Database(create_engine(crowded_url, pool_size=1))
    redis: Redis = create_redis(redis_server.url, seconds=2.0)
    cache = OrderCache(redis)
    yield Pipeline(
        database, Orders(database, cache), Dispatch(database, cache), Deliveries(database, cache)
    )
    await redis.aclose()
    await database.close()


def keys(plans: list[Plan], beginning: str) -> set[tuple[str, str | None]]:
    """Table and index of each plan of the statements that begin so."""
    return {(plan.table, plan.key) for plan in plans if plan.statement.startswith(beginning)}


async def test_every_statement_of_lease_and_report_uses_its_index(crowd: Pipeline) -> None:
    with explaining(crowd.database) as plans:
        claim = await crowd.lease(limit=20)
        await crowd.report(claim.token, *(result(id_, "released") for id_ in claim.ids))
        await crowd.lease(claim.token)
    for plan in plans:
        assert plan.type in {"const", "eq_ref", "ref", "range"}, plan
        assert "filesort" not in plan.extra, plan
        assert plan.rows <= 4 * DUE, plan
    locking = [plan for plan in plans if "SKIP LOCKED" in plan.statement]
    assert {(plan.table, plan.key) for plan in locking} == {
        ("orders", "ix_orders_estado"),
        ("deliveries", "uq_deliveries_event"),
        ("deliveries", "ix_deliveries_lease"),
        ("deliveries", "ix_deliveries_due"),
    }
    assert keys(plans, "UPDATE") >= {
        ("orders", "PRIMARY"),
        ("deliveries", "PRIMARY"),
        ("delivery_attempts", "PRIMARY"),
    }


@pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)
async def test_a_lease_locks_in_the_order_of_an_index_however_few_rows_there_are(
    pipeline: Pipeline,
) -> None:
    """Sorted rows are locked all, also those beyond the limit, and another poller gets none."""
    await pipeline.ready(3)
    await pipeline.place(3)
    with explaining(pipeline.database) as plans:
        await pipeline.lease(limit=2)
    locking = [plan for plan in plans if "SKIP LOCKED" in plan.statement]
    assert {(plan.table, plan.key) for plan in locking if plan.table != "deliveries"} == {
        ("orders", "ix_orders_estado")
    }
    assert {plan.key for plan in locking if plan.table == "deliveries"} >= {
        "ix_deliveries_lease",
        "ix_deliveries_due",
    }
    assert not [plan for plan in plans if "filesort" in plan.extra]


async def test_a_lease_call_looks_at_little_more_than_it_claims(crowd: Pipeline) -> None:
    limit = 10

    async def lease() -> None:
        assert len((await crowd.lease(limit=limit)).ids) == limit

    assert await rows_read(crowd.database, lease) <= 12 * limit


async def test_an_idle_lease_call_looks_at_hardly_anything(crowd: Pipeline) -> None:
    while (await crowd.lease()).ids:
        pass

    async def lease() -> None:
        assert (await crowd.lease()).ids == []

    assert await rows_read(crowd.database, lease) <= 10


@pytest.mark.parametrize("state", ["READY", "LEASED", "DONE", "DEAD", None])
async def test_a_page_of_deliveries_reads_no_more_than_itself(
    crowd: Pipeline, state: State | None
) -> None:
    middle = Cursor(datetime(2026, 1, 1, tzinfo=UTC), "00000000-0000-0000-0000-00000000c350")
    for after in (None, middle):

        async def page(after: Cursor | None = after) -> None:
            await crowd.database.read(lambda c: list_page(c, state, after, 20))

        assert await rows_read(crowd.database, page) <= 22


async def test_the_pipeline_reads_nothing_that_is_done(crowd: Pipeline) -> None:
    async def figures() -> None:
        await crowd.database.read(read_pipeline)

    assert await rows_read(crowd.database, figures) <= 10 * DUE
