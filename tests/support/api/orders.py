"""Builders of orders, of those who place them, and the ways to write any valid one."""

import json
import time
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, cast

from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.orders.models import order_items, orders
from swapshop_api.orders.schemas import OrderIn, OrderLine
from swapshop_kit import strict_json
from swapshop_kit.access_tokens import Claims
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id
from swapshop_kit.money import MAX_PRICE, MAX_TOTAL
from swapshop_kit.text import normalize

Json = dict[str, Any]


def line_json(**changes: Any) -> Json:
    """A line as a client writes it."""
    return {"producto": "Abrigo", "cantidad": 2, "precio_unitario": 10.5} | changes


def order_json(*lines: Json, **changes: Any) -> Json:
    """An order as a client writes it, of one line unless they are given."""
    return {"cliente": "Lucía Gómez", "items": list(lines) or [line_json()]} | changes


def read_order(order: Json) -> OrderIn:
    """The order as the api reads it from a body."""
    return OrderIn.model_validate(strict_json.loads(json.dumps(order).encode()))


def stored_line(**changes: Any) -> OrderLine:
    """A line as the database gives it."""
    values: Json = {"producto": "Abrigo", "talla": None, "color": None, "cantidad": 2}
    values["precio_unitario"] = Decimal("10.50")
    return OrderLine(**(values | changes))


def customer(
    user_id: str | None = None, rol: Literal["customer", "operator"] = "customer"
) -> Claims:
    """Who calls: a customer with a valid access token."""
    now = int(time.time())
    return Claims(
        iss="swapshop",
        aud="swapshop",
        sub=user_id or new_id(),
        iat=now,
        exp=now + 600,
        jti=new_id(),
        rol=rol,
    )


def operator() -> Claims:
    """A member of the store's staff."""
    return customer(rol="operator")


async def insert_orders(database: Database, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Insert orders as they are, of one line each, and return their ids.

    Args:
        database: of the schema ``swapshop``.
        rows: columns that differ from a pending order of a new user.
    """

    async def work(connection: AsyncConnection) -> list[str]:
        now = datetime.fromisoformat("2026-01-02T03:04:05.000006+00:00")
        base: Json = {"cliente": "Lucía Gómez", "total": Decimal("21.00"), "estado": "PENDING"}
        complete = [
            {"id": new_id(), "user_id": new_id(), "created_at": now}
            | base
            | {"processed_at": None, "blocked_at": None, "idempotency_key": None}
            | {"fingerprint": bytes(32), "traceparent": None}
            | dict(row)
            for row in rows
        ]
        if not complete:
            return []
        ids = [str(row["id"]) for row in complete]
        lines = [
            {"id": new_id(), "order_id": id_, "position": 0, **stored_line().model_dump()}
            for id_ in ids
        ]
        await connection.execute(insert(orders), complete)
        await connection.execute(insert(order_items), lines)
        return ids

    return await database.transaction(work)


async def stored_orders(database: Database) -> list[Json]:
    """Every order's row."""

    async def work(connection: AsyncConnection) -> list[Json]:
        rows = (await connection.execute(select(orders).order_by(orders.c.id))).mappings()
        return [dict(row) for row in rows]

    return await database.read(work)


# --- any valid order --------------------------------------------------------------------------


def _is_line(text: str) -> bool:
    return 1 <= len(normalize(text)) <= 120


texts = st.text(
    st.characters(
        exclude_categories=["C", "Zl", "Zp"],
        exclude_characters="\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0",
    ),
    min_size=1,
    max_size=40,
).filter(_is_line)
"""Text that a field takes."""

_lines = st.fixed_dictionaries(
    {
        "producto": texts,
        "cantidad": st.integers(1, 1000),
        "precio_unitario": st.decimals(Decimal("0.01"), MAX_PRICE, places=2),
    },
    optional={"talla": st.none() | texts, "color": st.none() | texts},
)


def _total(order: Json) -> Decimal:
    return sum((line["cantidad"] * line["precio_unitario"] for line in order["items"]), Decimal(0))


valid_orders = st.fixed_dictionaries(
    {"cliente": texts, "items": st.lists(_lines, min_size=1, max_size=4)}
).filter(lambda order: _total(order) <= MAX_TOTAL)
"""Orders with Decimal prices; ``write_order`` makes bodies of them."""


def write_order(
    order: Json, *, spaced: bool = False, reverse: bool = False, decompose: bool = False
) -> bytes:
    """A body of the order; what is asked for changes its bytes and not its meaning.

    Args:
        order: with Decimal prices.
        spaced: blanks around texts, and prices without their last zeros.
        reverse: the keys in another order, absent ones written as null.
        decompose: texts in NFD.
    """

    def write(value: Any) -> str:
        if isinstance(value, Decimal):
            short = f"{value.normalize():f}"
            return short if spaced else f"{value:.2f}"
        if isinstance(value, dict):
            members: Json = dict(cast("Json", value))
            if reverse and "producto" in members:
                members = {"talla": None, "color": None} | members
            pairs = [f"{json.dumps(key)}: {write(item)}" for key, item in members.items()]
            return "{" + ", ".join(reversed(pairs) if reverse else pairs) + "}"
        if isinstance(value, list):
            return "[" + ",".join(write(item) for item in cast("list[Any]", value)) + "]"
        if isinstance(value, str):
            text = unicodedata.normalize("NFD", value) if decompose else value
            return json.dumps(f" {text}\t" if spaced else text, ensure_ascii=reverse)
        return json.dumps(value)

    return write(order).encode()
