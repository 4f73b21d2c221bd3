"""Lists of orders: newest first, page by page, and nothing lost or repeated at a page's edge."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.client import Shop, code_of
from support.api.orders import Json, customer, insert_orders, operator
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.models import order_items
from swapshop_api.orders.models import orders as order_table
from swapshop_api.orders.schemas import Estado
from swapshop_kit.cursors import Cursor, decode_cursor
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id

ANA, BERTA = new_id(), new_id()
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def ids_of(pages: list[list[Json]]) -> list[str]:
    return [order["id"] for page in pages for order in page]


async def test_orders_are_listed_newest_first(ana: Shop, berta: Shop, staff: Shop) -> None:
    mine = [await ana.placed() for _ in range(3)]
    hers = await berta.placed()
    done = (await staff.mark_processed(mine[1]["id"])).json()

    assert (await ana.get("/api/orders")).json() == {
        "items": [mine[2], done, mine[0]],
        "next_cursor": None,
    }
    assert ids_of(await berta.pages()) == [hers["id"]]
    assert ids_of(await staff.pages(limit=2)) == [
        hers["id"], *[order["id"] for order in reversed(mine)]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "query", "listed"),
    [
        ("/api/orders", {"estado": "PENDING"}, [3, 1, 0]),
        ("/api/orders/pending", {}, [3, 1, 0]),
        ("/api/orders", {"estado": "PROCESSED"}, [2]),
        ("/api/orders/processed", {}, [2]),
        ("/api/orders", {}, [3, 2, 1, 0]),
    ],
)
async def test_orders_are_listed_by_state(
    ana: Shop, staff: Shop, path: str, query: dict[str, Any], listed: list[int]
) -> None:
    ids = [(await ana.placed())["id"] for _ in range(4)]
    await staff.mark_processed(ids[2])

    for shop in (ana, staff):
        for limit in (1, 2, 100):
            assert ids_of(await shop.pages(path, limit=limit, **query)) == [ids[n] for n in listed]


async def test_a_list_shows_a_change_at_once(ana: Shop, staff: Shop) -> None:
    order_id = (await ana.placed())["id"]
    assert ids_of(await ana.pages("/api/orders/pending")) == [order_id]

    await staff.mark_processed(order_id)

    assert ids_of(await ana.pages("/api/orders/pending")) == []
    assert ids_of(await ana.pages("/api/orders/processed")) == [order_id]


async def test_a_page_has_20_orders_unless_told_otherwise(ana: Shop) -> None:
    for _ in range(21):
        await ana.placed()

    assert [len(page) for page in await ana.pages()] == [20, 1]
    assert [len(page) for page in await ana.pages(limit=100)] == [21]


@pytest.mark.parametrize("stores", ["sqlite-valkey"], indirect=True)
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("limit", "0", "greater_than_equal"),
        ("limit", "101", "less_than_equal"),
        ("limit", "-1", "greater_than_equal"),
        ("limit", "ten", "int_parsing"),
        ("limit", "1.5", "int_parsing"),
        ("limit", "9" * 5000, "invalid"),
        ("cursor", "", "cursor_invalid"),
        ("cursor", "garbage", "cursor_invalid"),
        ("cursor", "MTIzLmFiYw", "cursor_invalid"),
        ("cursor", "☃", "cursor_invalid"),
        ("cursor", "x" * 201, "string_too_long"),
    ],
)
async def test_a_bad_limit_or_cursor_is_refused(
    ana: Shop, name: str, value: str, code: str
) -> None:
    for path in ("/api/orders", "/api/orders/pending", "/api/orders/processed"):
        answer = await ana.get(path, params={name: value})

        errors = answer.json()["errors"]
        assert code_of(answer) == (422, "invalid_request")
        assert [(error["field"], error["code"]) for error in errors] == [(name, code)]


async def test_an_unknown_state_is_refused(ana: Shop) -> None:
    answer = await ana.get("/api/orders", params={"estado": "pending"})

    assert code_of(answer) == (422, "invalid_request")
    assert answer.json()["errors"][0]["code"] == "literal_error"


@pytest.mark.parametrize(
    "at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]
)
async def test_a_cursor_may_point_anywhere_in_time(ana: Shop, at: datetime) -> None:
    created = await ana.placed()

    page = await ana.get("/api/orders", params={"cursor": Cursor(at, new_id()).encode()})

    assert [order["id"] for order in page.json()["items"]] == (
        [created["id"]] if at.year == 9999 else []
    )


_rows = st.fixed_dictionaries(
    {
        "user_id": st.sampled_from([ANA, BERTA]),
        "estado": st.sampled_from(["PENDING", "PROCESSED"]),
        "created_at": st.integers(0, 2).map(lambda tick: START + timedelta(microseconds=tick)),
        "id": st.uuids(version=4).map(str),
    }
)


@dataclass(frozen=True)
class Case:
    """Orders that there are, whose orders arrive between the pages, and who asks for what."""

    rows: list[Json]
    arrivals: list[str]
    limit: int
    estado: Estado | None
    is_operator: bool

    @property
    def expected(self) -> list[str]:
        """Ids of the orders that there were, newest first."""
        wanted = [
            row
            for row in self.rows
            if (self.is_operator or row["user_id"] == ANA) and self.estado in (None, row["estado"])
        ]
        wanted.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
        return [row["id"] for row in wanted]


_cases = st.builds(
    Case,
    rows=st.lists(_rows, max_size=12, unique_by=lambda row: row["id"]),
    arrivals=st.lists(st.sampled_from([ANA, BERTA]), max_size=6),
    limit=st.integers(1, 4),
    estado=st.sampled_from([None, "PENDING", "PROCESSED"]),
    is_operator=st.booleans(),
)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=_cases)
async def test_pages_lose_and_repeat_nothing_while_orders_arrive(
    database: Database,
    orders: Orders,
    case: Case,
) -> None:
    """Ids are random here, so ties of created_at fall on every side of a page's edge."""
    await empty(database)
    await insert_orders(database, case.rows)
    caller = operator() if case.is_operator else customer(ANA)
    new = iter(case.arrivals)
    now = START + timedelta(seconds=1)

    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await orders.list_page(caller, case.estado, decode_cursor(cursor), case.limit)
        seen += [order.id for order in page.items]
        assert len(page.items) <= case.limit
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
        if (user_id := next(new, None)) is not None:
            await insert_orders(database, [{"user_id": user_id, "created_at": now}])

    assert seen == case.expected


async def empty(database: Database) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(delete(order_items))
        await connection.execute(delete(order_table))

    await database.transaction(work)
