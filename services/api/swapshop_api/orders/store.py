"""All SQL of orders, except promotion, which changes them: ``dispatch/promotion.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.orders.models import PENDING, order_items, orders
from swapshop_api.orders.schemas import OrderIn, OrderLine, OrderOut
from swapshop_kit.cursors import Cursor
from swapshop_kit.dialect import force_index, is_read_only, utc_now
from swapshop_kit.ids import new_id
from swapshop_kit.keyset import newest_first
from swapshop_kit.telemetry import current_traceparent

_FIELDS: Final = tuple(name for name in OrderOut.model_fields if name != "items")
_ORDER: Final = (orders.c.user_id, *(orders.c[name] for name in _FIELDS))
"""The columns of an order: its owner, and the fields of the same names in its JSON."""

_LIST_INDEXES: Final = {
    (False, False): "ix_orders_created",
    (False, True): "ix_orders_estado",
    (True, False): "ix_orders_user",
    (True, True): "ix_orders_user_estado",
}
"""By (of one customer, of one state). Left to choose, MariaDB takes an equality for all it may use
of an index, and reads every newer order before it comes to the page."""


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order, whose it is, and the fingerprint of the request that placed it."""

    user_id: str
    order: OrderOut
    fingerprint: bytes = b""
    from_read_only: bool = False
    """The server takes no writes: the order may have changed on another one since."""


async def insert_order(
    connection: AsyncConnection,
    *,
    order_id: str,
    user_id: str,
    order: OrderIn,
    idempotency_key: str | None,
    fingerprint: bytes,
) -> datetime:
    """Insert an order and, in one statement, its lines; return its time by the database's clock."""
    row: dict[str, Any] = {
        "id": order_id,
        "user_id": user_id,
        "total": order.total,
        **order.model_dump(exclude={"items"}),
        "estado": PENDING,
        "idempotency_key": idempotency_key,
        "fingerprint": fingerprint,
        "traceparent": current_traceparent(),
    }
    if connection.dialect.insert_returning:
        statement = insert(orders).values(**row, created_at=utc_now())
        result = await connection.execute(statement.returning(orders.c.created_at))
        created_at: datetime = result.scalar_one()
    else:
        created_at = (await connection.execute(select(utc_now()))).scalar_one()
        await connection.execute(insert(orders), {**row, "created_at": created_at})
    lines = [
        {"id": new_id(), "order_id": order_id, "position": position, **line.model_dump()}
        for position, line in enumerate(order.items)
    ]
    await connection.execute(insert(order_items), lines)
    return created_at


async def find(connection: AsyncConnection, order_id: str) -> StoredOrder | None:
    """Return an order by its id."""
    return await _find_one(connection, orders.c.id == order_id)


async def find_by_key(
    connection: AsyncConnection, user_id: str, idempotency_key: str
) -> StoredOrder | None:
    """Return the order that a customer placed with an Idempotency-Key."""
    return await _find_one(
        connection, orders.c.user_id == user_id, orders.c.idempotency_key == idempotency_key
    )


async def _find_one(
    connection: AsyncConnection, *conditions: ColumnElement[bool]
) -> StoredOrder | None:
    role = is_read_only().label("is_read_only")
    query = select(*_ORDER, orders.c.fingerprint, role).where(*conditions)
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    lines = await read_lines(connection, [row["id"]])
    order = to_order(row, lines[row["id"]])
    return StoredOrder(row["user_id"], order, row["fingerprint"], bool(row["is_read_only"]))


async def read_lines(
    connection: AsyncConnection, order_ids: Sequence[str]
) -> Mapping[str, list[OrderLine]]:
    """Return the lines of orders, in their order, in one statement."""
    query = (
        select(order_items)
        .where(order_items.c.order_id.in_(order_ids))
        .order_by(order_items.c.order_id, order_items.c.position)
    )
    lines: dict[str, list[OrderLine]] = {order_id: [] for order_id in order_ids}
    for row in (await connection.execute(query)).mappings():
        lines[row["order_id"]].append(
            OrderLine.model_construct(**{name: row[name] for name in OrderLine.model_fields})
        )
    return lines


def to_order(row: RowMapping, lines: list[OrderLine]) -> OrderOut:
    """Build an order from its row and its lines."""
    return OrderOut.model_construct(items=lines, **{name: row[name] for name in _FIELDS})


async def list_page(
    connection: AsyncConnection,
    *,
    user_id: str | None,
    estado: Literal["PENDING", "PROCESSED"] | None,
    after: Cursor | None,
    limit: int,
) -> list[OrderOut]:
    """Return up to ``limit`` + 1 orders, newest first.

    Args:
        connection: to read with.
        user_id: whose; None for everybody's.
        estado: in which state; None for both.
        after: the last order of the page before.
        limit: size of a page.
    """
    index = _LIST_INDEXES[user_id is not None, estado is not None]
    query = force_index(select(*_ORDER), orders, index)
    if user_id is not None:
        query = query.where(orders.c.user_id == user_id)
    if estado is not None:
        query = query.where(orders.c.estado == estado)
    query = newest_first(query, orders.c.created_at, orders.c.id, after, limit)
    rows = (await connection.execute(query)).mappings().all()
    lines = await read_lines(connection, [row["id"] for row in rows])
    return [to_order(row, lines[row["id"]]) for row in rows]
