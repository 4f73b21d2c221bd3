"""What each use of orders may cost: statements of the database, round trips to Redis."""

from collections.abc import AsyncGenerator

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.client import Shop
from support.api.orders import customer, insert_orders, line_json, operator, order_json, read_order
from support.stores.pairs import Stores
from support.stores.redis_commands import listing_commands
from support.stores.redis_keys import forget_all
from support.stores.statements import clock_first, counting
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.schemas import Estado
from swapshop_kit.access_tokens import Claims
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id

LINES = pytest.mark.parametrize("lines", [1, 100])


def order_of(lines: int) -> dict[str, object]:
    return order_json(*[line_json(producto=f"p{n}", talla="M") for n in range(lines)])


async def test_a_cached_order_costs_one_round_trip_and_no_sql(
    ana: Shop, database: Database, redis: Redis
) -> None:
    created = await ana.place(order_of(100))
    order_id = created.json()["id"]
    await ana.read(order_id)  # the scripts are known, the connections open

    with counting(database) as statements:
        async with listing_commands(redis) as commands:
            answer = await ana.read(order_id)

    assert (answer.headers["X-Cache"], answer.content) == ("HIT", created.content)
    assert (statements, commands) == ([], ["EVALSHA"])


async def test_an_order_that_is_not_cached_costs_two_statements_and_two_round_trips(
    ana: Shop, database: Database, redis: Redis
) -> None:
    order_id = (await ana.placed(order_of(100)))["id"]
    await ana.read(order_id)
    await forget_all(redis)

    with counting(database) as statements:
        async with listing_commands(redis) as commands:
            answer = await ana.read(order_id)

    assert answer.headers["X-Cache"] == "MISS"
    assert [statement.split()[0] for statement in statements] == ["SELECT", "SELECT"]
    assert commands == ["EVALSHA", "EVALSHA"]


@LINES
async def test_placing_an_order_costs_two_statements_however_many_lines_it_has(
    database: Database, redis: Redis, orders: Orders, lines: int
) -> None:
    order = read_order(order_of(lines))
    await orders.place(new_id(), order, "warm")

    with counting(database) as statements:
        async with listing_commands(redis) as commands:
            await orders.place(new_id(), order, "key")

    clock = clock_first(database)
    assert [statement.split()[0] for statement in statements[: len(clock)]] == clock
    inserts = statements[len(clock) :]
    assert [statement.split()[:3] for statement in inserts] == [
        ["INSERT", "INTO", "orders"],
        ["INSERT", "INTO", "order_items"],
    ]
    assert ("RETURNING" in inserts[0]) is not bool(clock)
    assert commands == ["SET", "EVALSHA"]


@pytest.fixture
async def mysql_like(stores: Stores) -> AsyncGenerator[Database]:
    """The same server, used as MySQL has to be: without RETURNING."""
    mysql_like = Database(create_engine(stores.database_url, pool_size=1))
    await mysql_like.read(lambda connection: connection.execute(text("SELECT 1")))
    mysql_like.engine.dialect.insert_returning = False
    yield mysql_like
    await mysql_like.close()


@pytest.mark.usefixtures("database")
@LINES
async def test_without_returning_it_costs_a_third_statement_for_the_clock(
    mysql_like: Database, cache: OrderCache, lines: int
) -> None:
    orders = Orders(mysql_like, cache)
    order = read_order(order_of(lines))

    with counting(mysql_like) as statements:
        placed = await orders.place(user_id := new_id(), order, "key")
    again = await orders.place(user_id, order, "key")

    assert [statement.split()[0] for statement in statements] == ["SELECT", "INSERT", "INSERT"]
    assert not any("RETURNING" in statement for statement in statements)
    assert (again.replayed, again.body) == (True, placed.body)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)
async def test_a_hundred_lines_are_one_statement_on_the_wire(
    stores: Stores, cache: OrderCache
) -> None:
    one_session = Database(create_engine(stores.database_url, pool_size=1))
    orders = Orders(one_session, cache)

    async def questions(connection: AsyncConnection) -> tuple[int, int]:
        names = "('Questions', 'Com_insert')"
        query = f"SHOW SESSION STATUS WHERE Variable_name IN {names}"
        rows = dict((await connection.execute(text(query))).tuples().all())
        return int(rows["Questions"]), int(rows["Com_insert"])

    before = await one_session.read(questions)
    await orders.place(new_id(), read_order(order_of(100)), "key")
    after = await one_session.read(questions)
    await one_session.close()

    # COMMIT of the first read; INSERT, INSERT, COMMIT; and the second read's own question
    expected = 5 + len(clock_first(one_session))
    assert (after[0] - before[0], after[1] - before[1]) == (expected, 2)


@pytest.mark.parametrize("estado", [None, "PENDING"])
@pytest.mark.parametrize("caller", [customer(), operator()], ids=["customer", "operator"])
async def test_a_page_costs_two_statements_however_many_orders_it_has(
    database: Database, orders: Orders, caller: Claims, estado: Estado | None
) -> None:
    await insert_orders(database, [{"user_id": caller.sub}] * 100)

    for limit in (1, 100):
        with counting(database) as statements:
            page = await orders.list_page(caller, estado, None, limit)

        assert len(page.items) == limit
        assert [statement.split()[0] for statement in statements] == ["SELECT", "SELECT"]


@LINES
async def test_marking_an_order_processed_costs_seven_statements_and_two_round_trips(
    database: Database, redis: Redis, orders: Orders, deliveries: Deliveries, lines: int
) -> None:
    ids = [
        (await orders.place(new_id(), read_order(order_of(lines)), None)).order_id for _ in range(2)
    ]
    await deliveries.mark_processed(new_id(), ids[0])

    with counting(database) as statements:
        async with listing_commands(redis) as commands:
            await deliveries.mark_processed(new_id(), ids[1])

    assert [statement.split()[0] for statement in statements] == [
        *("SELECT", "SELECT"),  # the locked order, its lines
        *("INSERT", "UPDATE"),  # its delivery, the order
        "INSERT",  # the audit
        *("SELECT", "SELECT"),  # the answer
    ]
    assert commands == ["EVAL", "EVAL"]
