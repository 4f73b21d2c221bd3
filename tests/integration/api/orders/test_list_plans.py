"""Lists at a million orders: each reads a page along its index, wherever the page lies."""

from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.pairs import migrate_to_head, run_apart
from support.stores.servers import DatabaseServer
from support.stores.statements import explaining, rows_read
from swapshop_api.container import MIGRATIONS
from swapshop_api.orders import store
from swapshop_api.orders.schemas import Estado, OrderOut
from swapshop_kit.cursors import Cursor
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id

ORDERS: Final = 1_000_000
LIMIT: Final = 20
START: Final = datetime(2026, 1, 1, tzinfo=UTC)


# The first test waits until the schema is filled.
pytestmark = pytest.mark.timeout(240)


def id_of(number: int) -> str:
    """The number as a UUID: orders and customers are numbered."""
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


OFTEN: Final = id_of(0)
"""A customer with a third of all orders."""
SELDOM: Final = id_of(7)
"""One of a thousand others, without a pending order."""
WAITING: Final = id_of(1)
"""Another, whose orders are all pending."""


def _fill(server: DatabaseServer, schema: str, url: str) -> None:
    """Inserts the orders by their primary key, and builds the other indexes in the end.

    Seven orders share each second, and three of a hundred are pending.
    """
    [(_, table)] = run_apart(_rows(url, "SHOW CREATE TABLE orders"))
    keys = [line.strip(" ,") for line in table.splitlines() if "KEY `" in line]
    names = [key.split("`")[1] for key in keys]
    server.execute(
        f"USE `{schema}`",
        "SET SESSION sql_log_bin = 0",
        f"ALTER TABLE orders {', '.join(f'DROP INDEX `{name}`' for name in names)}",
        "CREATE TABLE thousand (n INT PRIMARY KEY) AS WITH RECURSIVE counted AS"
        " (SELECT 0 AS n UNION ALL SELECT n + 1 FROM counted WHERE n < 999) SELECT n FROM counted",
        "INSERT INTO orders (id, user_id, cliente, total, estado, created_at, fingerprint)"
        " SELECT UNHEX(LPAD(HEX(n), 32, '0')),"
        " UNHEX(LPAD(HEX(IF(MOD(n, 3) = 0, 0, MOD(n, 1000))), 32, '0')), 'Lucía', 21.00,"
        " IF(MOD(n, 100) < 3, 'PENDING', 'PROCESSED'),"
        " '2026-01-01' + INTERVAL (n DIV 7) SECOND, REPEAT('x', 32)"
        " FROM (SELECT high.n * 1000 + low.n AS n FROM thousand low STRAIGHT_JOIN thousand high)"
        " AS numbers",
        f"ALTER TABLE orders {', '.join(f'ADD {key}' for key in keys)}",
        "ANALYZE TABLE orders",
        seconds=200,
    )


async def _rows(url: str, statement: str) -> list[Any]:
    database = Database(create_engine(url, pool_size=1))
    try:
        return await database.read(lambda connection: _fetch(connection, statement))
    finally:
        await database.close()


async def _fetch(connection: AsyncConnection, statement: str) -> list[Any]:
    return list((await connection.execute(text(statement))).all())


@pytest.fixture(scope="module")
def million_url(mariadb_server: DatabaseServer) -> Generator[str]:
    schema = f"million_{new_id()[-12:]}"
    with mariadb_server.schema(schema) as url:
        migrate_to_head(url, MIGRATIONS)
        _fill(mariadb_server, schema, url)
        assert run_apart(_rows(url, "SELECT COUNT(*) FROM orders")) == [(ORDERS,)]
        yield url


@pytest.fixture
async def million(million_url: str) -> AsyncGenerator[Database]:
    database = Database(create_engine(million_url, pool_size=1))
    yield database
    await database.close()


def _is_of(number: int, user_id: str | None, estado: Estado | None) -> bool:
    owner = 0 if number % 3 == 0 else number % 1000
    state = "PENDING" if number % 100 < 3 else "PROCESSED"
    return user_id in (None, id_of(owner)) and estado in (None, state)


@pytest.mark.parametrize("last", [None, 490_003, 10], ids=["first", "middle", "oldest"])
@pytest.mark.parametrize("estado", [None, "PENDING", "PROCESSED"])
@pytest.mark.parametrize(
    "user_id", [None, OFTEN, SELDOM, WAITING], ids=["everybody", "often", "seldom", "waiting"]
)
async def test_a_list_reads_one_page_along_its_index(
    million: Database, user_id: str | None, estado: Estado | None, last: int | None
) -> None:
    after = None if last is None else Cursor(START + timedelta(seconds=last // 7), id_of(last))

    async def read() -> list[OrderOut]:
        return await million.read(
            lambda connection: store.list_page(
                connection, user_id=user_id, estado=estado, after=after, limit=LIMIT
            )
        )

    with explaining(million) as plans:
        page = await read()
    touched = await rows_read(million, read)

    index = {
        (False, False): "ix_orders_created",
        (False, True): "ix_orders_estado",
        (True, False): "ix_orders_user",
        (True, True): "ix_orders_user_estado",
    }
    newest = (ORDERS if last is None else last) - 1
    expected = (id_of(n) for n in range(newest, -1, -1) if _is_of(n, user_id, estado))
    assert [order.id for order in page] == list(islice(expected, LIMIT + 1))
    assert [plan.table for plan in plans][:1] == ["orders"]
    assert plans[0].key == index[user_id is not None, estado is not None]
    assert "filesort" not in plans[0].extra
    assert "temporary" not in plans[0].extra
    # the page, the tie at its edge, and the look-up of its lines
    assert touched <= 3 * (LIMIT + 1)
