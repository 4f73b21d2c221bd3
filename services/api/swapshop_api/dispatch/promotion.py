"""Promotion: the only way of an order out of PENDING, and into its deliveries.

Locks are taken in one order everywhere: orders, then deliveries, then attempts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, ScalarSelect, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit.models import BLOCK_ACTION
from swapshop_api.audit.store import Entry
from swapshop_api.dispatch.events import (
    ORDER_BLOCKED,
    ORDER_READY,
    CannotPromote,
    EventName,
    freeze_blocked,
    freeze_ready,
)
from swapshop_api.dispatch.models import READY, deliveries
from swapshop_api.orders.cache import DirtyMarks
from swapshop_api.orders.models import PENDING, PROCESSED, orders
from swapshop_api.orders.schemas import OrderLine
from swapshop_api.orders.store import read_lines
from swapshop_kit.dialect import force_index, utc_now
from swapshop_kit.ids import new_id
from swapshop_kit.webhook_events import webhook_id


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came of it.

    Args:
        promoted: ids of the orders that are PROCESSED now.
        blocked: an entry for the audit for each order that had to be blocked now.
    """

    promoted: Sequence[str]
    blocked: Sequence[Entry]


async def promote(
    connection: AsyncConnection, order_ids: Sequence[str], marks: DirtyMarks
) -> Promotion:
    """Promote the given orders, blocked ones too; those that are not PENDING are left alone."""
    query = _pending().where(orders.c.id.in_(order_ids)).order_by(orders.c.id)
    rows = (await connection.execute(query.with_for_update())).mappings().all()
    return await _promote_locked(connection, rows, marks)


async def promote_oldest(connection: AsyncConnection, limit: int, marks: DirtyMarks) -> Promotion:
    """Promote up to ``limit`` orders that nobody else is promoting, oldest first."""
    # a filesort locks every row it reads, even beyond LIMIT; the index avoids the sort
    query = (
        force_index(_pending(), orders, "ix_orders_estado")
        .where(orders.c.blocked_at.is_(None))
        .order_by(orders.c.created_at, orders.c.id)
        .limit(limit)
    )
    rows = (await connection.execute(query.with_for_update(skip_locked=True))).mappings().all()
    return await _promote_locked(connection, rows, marks)


def _pending() -> Select[Any]:
    return select(
        orders.c.id,
        orders.c.user_id,
        orders.c.cliente,
        orders.c.total,
        orders.c.created_at,
        orders.c.traceparent,
        orders.c.blocked_at,
        _delivery_of(ORDER_READY).label("ready_delivery_id"),
        _delivery_of(ORDER_BLOCKED).label("blocked_delivery_id"),
        utc_now().label("now"),
    ).where(orders.c.estado == PENDING)


def _delivery_of(event_type: EventName) -> ScalarSelect[str]:
    query = select(deliveries.c.id)
    query = query.where(deliveries.c.order_id == orders.c.id, deliveries.c.event_type == event_type)
    return query.scalar_subquery()


async def _promote_locked(
    connection: AsyncConnection, rows: Sequence[RowMapping], marks: DirtyMarks
) -> Promotion:
    if not rows:
        return Promotion([], [])
    now: datetime = rows[0]["now"]  # SQLite reads its clock again for each row
    lines = await read_lines(connection, [row["id"] for row in rows])
    fresh: list[dict[str, Any]] = []
    blocked: dict[str, str] = {}
    for row in rows:
        if row["ready_delivery_id"] is not None:
            continue
        try:
            fresh.append(_ready_delivery(row, lines[row["id"]], now))
        except CannotPromote as error:
            blocked[row["id"]] = str(error)
    newly_blocked = {
        row["id"]: blocked[row["id"]]
        for row in rows
        if row["id"] in blocked and row["blocked_at"] is None
    }
    fresh += [
        _blocked_delivery(row, blocked[row["id"]], now)
        for row in rows
        if row["id"] in newly_blocked and row["blocked_delivery_id"] is None
    ]
    promoted = [row["id"] for row in rows if row["id"] not in blocked]
    if promoted:
        await marks.mark(promoted)
    if fresh:
        await connection.execute(insert(deliveries), fresh)
    if promoted:
        await connection.execute(
            update(orders)
            .where(orders.c.id.in_(promoted))
            .values(estado=PROCESSED, processed_at=now, blocked_at=None)
        )
    if newly_blocked:
        await connection.execute(
            update(orders).where(orders.c.id.in_(newly_blocked)).values(blocked_at=now)
        )
    entries = [Entry(BLOCK_ACTION, id_, reason) for id_, reason in newly_blocked.items()]
    return Promotion(promoted, entries)


def _ready_delivery(row: RowMapping, lines: Sequence[OrderLine], now: datetime) -> dict[str, Any]:
    payload = freeze_ready(
        order_id=row["id"],
        user_id=row["user_id"],
        cliente=row["cliente"],
        total=row["total"],
        lines=lines,
        created_at=row["created_at"],
        processed_at=now,
    )
    return _new_delivery(row, ORDER_READY, payload, now)


def _blocked_delivery(row: RowMapping, reason: str, now: datetime) -> dict[str, Any]:
    payload = freeze_blocked(
        order_id=row["id"],
        cliente=row["cliente"],
        reason=reason,
        created_at=row["created_at"],
        blocked_at=now,
    )
    return _new_delivery(row, ORDER_BLOCKED, payload, now)


def _new_delivery(
    row: RowMapping, event_type: EventName, payload: bytes, now: datetime
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "webhook_id": webhook_id(event_type, row["id"]),
        "order_id": row["id"],
        "event_type": event_type,
        "payload": payload,
        "state": READY,
        "created_at": now,
        "next_attempt_at": now,
        "unreported_claims": 0,
        "attempts": 0,
        "aways": 0,
        "traceparent": row["traceparent"],
    }
