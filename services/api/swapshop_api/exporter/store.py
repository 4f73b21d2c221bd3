"""All SQL of the exporter; it only reads."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, get_args

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    case,
    func,
    null,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit.models import DEAD_ACTION, audit
from swapshop_api.dispatch.events import ORDER_READY
from swapshop_api.dispatch.models import DEAD, DONE, LEASED, READY, deliveries, delivery_attempts
from swapshop_api.dispatch.models import leases as lease_table
from swapshop_api.dispatch.policy import DeadReason
from swapshop_api.exporter.figures import (
    DEADLINE,
    LATENCY_BUCKETS,
    Claims,
    Deadlines,
    Latencies,
    Losses,
    Waiting,
)
from swapshop_api.exporter.models import notifications
from swapshop_api.housekeeping.models import totals
from swapshop_api.orders.models import PENDING, PROCESSED, orders
from swapshop_kit.dialect import force_index, microseconds_between, utc_now

RECENT: Final = timedelta(days=80)
"""Deliveries stay for 90 days: an order without one, processed within these, has lost it."""

Totals = Mapping[tuple[str, str], int]
"""What purged rows had counted, by name and labels."""

_notified: Final = and_(
    notifications.c.order_id == orders.c.id, notifications.c.evento == ORDER_READY
)
_in_time: Final = microseconds_between(
    orders.c.created_at, notifications.c.received_at
) <= DEADLINE // timedelta(microseconds=1)
_delivered: Final = and_(
    deliveries.c.order_id == orders.c.id, deliveries.c.event_type == ORDER_READY
)


class StateOfOrders(NamedTuple):
    """How many orders there are by state, and which of the PENDING ones wait."""

    counts: Mapping[str, int]
    blocked: int
    pending: Waiting | None


async def read_clock(connection: AsyncConnection) -> datetime:
    """Return the database's present."""
    return (await connection.execute(select(utc_now()))).scalar_one()


async def read_orders(connection: AsyncConnection, late_since: datetime) -> StateOfOrders:
    """Count orders by state, from an index alone; those that are PENDING more closely."""
    by_state = force_index(
        select(
            orders.c.estado,
            func.count().label("number"),
            _count_if(orders.c.created_at <= late_since).label("late"),
            func.min(orders.c.created_at).label("oldest"),
        ),
        orders,
        "ix_orders_estado",
    ).group_by(orders.c.estado)
    rows = {row.estado: row for row in await connection.execute(by_state)}
    blocked = select(func.count()).where(
        orders.c.estado == PENDING, orders.c.blocked_at.is_not(None)
    )
    pending = rows.get(PENDING)
    return StateOfOrders(
        {estado: rows[estado].number if estado in rows else 0 for estado in (PENDING, PROCESSED)},
        (await connection.execute(blocked)).scalar_one(),
        None if pending is None else Waiting(int(pending.late), pending.oldest),
    )


async def count_deliveries(connection: AsyncConnection) -> Mapping[str, int]:
    """Count deliveries by state, from an index alone."""
    query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    query = force_index(query, deliveries, "ix_deliveries_state")
    counts: dict[str, int] = dict.fromkeys((READY, LEASED, DONE, DEAD), 0)
    counts.update({row[0]: row[1] for row in await connection.execute(query)})
    return counts


async def read_undelivered(
    connection: AsyncConnection, late_since: datetime
) -> Mapping[str, Waiting]:
    """Return by state of their delivery the PROCESSED orders whose delivery is not DONE."""
    query = (
        select(
            deliveries.c.state,
            _count_if(orders.c.created_at <= late_since).label("late"),
            func.min(orders.c.created_at).label("oldest"),
        )
        .select_from(deliveries.join(orders, _delivered))
        .where(deliveries.c.state.in_((READY, LEASED, DEAD)), orders.c.estado == PROCESSED)
        .group_by(deliveries.c.state)
    )
    query = force_index(query, deliveries, "ix_deliveries_state")
    rows = await connection.execute(query)
    return {row.state: Waiting(int(row.late), row.oldest) for row in rows}


async def read_totals(connection: AsyncConnection) -> Totals:
    """Return what purged rows had counted."""
    rows = await connection.execute(select(totals.c.name, totals.c.labels, totals.c.value))
    return {(row.name, row.labels): row.value for row in rows}


async def count_claims(connection: AsyncConnection, purged: Totals) -> Claims:
    """Count claims, with those that were purged."""
    attempts = delivery_attempts.c
    query = select(
        func.count(),
        _count_if(attempts.outcome == "delivered"),
        _count_if(attempts.took_over.is_(True)),
    ).select_from(delivery_attempts)
    leased, delivered, taken_over = (await connection.execute(query)).one()
    of_attempts = {labels: n for (name, labels), n in purged.items() if name == "delivery_attempts"}
    leased_and_purged = (n for labels, n in of_attempts.items() if labels.startswith("outcome="))
    return Claims(
        leased=leased + sum(leased_and_purged),
        delivered=int(delivered) + of_attempts.get("outcome=delivered", 0),
        taken_over=int(taken_over) + of_attempts.get("took_over=1", 0),
    )


async def count_dead_letters(
    connection: AsyncConnection, purged: Totals
) -> Mapping[DeadReason, int]:
    """Count deliveries that became DEAD, by reason, with those whose audit was purged."""
    query = (
        select(audit.c.detail, func.count())
        .where(audit.c.action == DEAD_ACTION)
        .group_by(audit.c.detail)
    )
    counts = {row[0]: row[1] for row in await connection.execute(query)}
    return {
        reason: counts.get(reason, 0) + purged.get(("audit", f"detail={reason}"), 0)
        for reason in get_args(DeadReason)
    }


async def read_last_lease(connection: AsyncConnection, now: datetime) -> datetime | None:
    """Return when a poller last asked for deliveries; None when none did within a day.

    A lease from the future, where the clock was put back, tells nothing of the pollers of today.
    """
    created_at = lease_table.c.created_at
    return await connection.scalar(select(func.max(created_at)).where(created_at <= now))


async def count_losses(connection: AsyncConnection) -> Losses:
    """Count the orders that the pipeline has lost sight of: looks at every order."""
    now = await read_clock(connection)
    underway = and_(_delivered, deliveries.c.state.in_((READY, LEASED, DEAD)))
    unaccounted = (
        force_index(select(func.count()), orders, "ix_orders_estado")
        .select_from(orders.outerjoin(notifications, _notified).outerjoin(deliveries, underway))
        .where(
            orders.c.estado == PROCESSED,
            notifications.c.order_id.is_(None),
            deliveries.c.order_id.is_(None),
        )
    )
    without_delivery = (
        select(func.count())
        .select_from(orders.outerjoin(deliveries, _delivered))
        .where(
            orders.c.estado == PROCESSED,
            orders.c.processed_at >= now - RECENT,
            deliveries.c.order_id.is_(None),
        )
    )
    return Losses(
        (await connection.execute(unaccounted)).scalar_one(),
        (await connection.execute(without_delivery)).scalar_one(),
    )


async def add_latencies(
    connection: AsyncConnection, known: Latencies, until: datetime, chunk: int
) -> Latencies:
    """Return the latencies with up to ``chunk`` notifications more (and those of the same time)."""
    at = notifications.c.received_at
    end = await _end_of_chunk(
        connection, notifications, at, after=known.until, until=until, chunk=chunk
    )
    elapsed = microseconds_between(orders.c.created_at, at)
    bounds = ((elapsed <= round(bound * 1e6), i) for i, bound in enumerate(LATENCY_BUCKETS))
    query = (
        force_index(
            select(
                case(*bounds, else_=len(LATENCY_BUCKETS)).label("bucket"),
                func.count().label("number"),
                func.sum(elapsed).label("microseconds"),
            ),
            notifications,
            "ix_notifications_received",
        )
        .select_from(notifications.join(orders, _notified))
        .where(at > known.until, at <= end)
        .group_by("bucket")
    )
    counts, seconds = list(known.counts), known.seconds
    for row in await connection.execute(query):
        counts[row.bucket] += row.number
        seconds += int(row.microseconds) / 1e6
    return Latencies(end, tuple(counts), seconds)


async def add_deadlines(
    connection: AsyncConnection, known: Deadlines, until: datetime, chunk: int
) -> Deadlines:
    """Return the deadlines with up to ``chunk`` orders more (and those of the same time)."""
    at = orders.c.created_at
    end = await _end_of_chunk(connection, orders, at, after=known.until, until=until, chunk=chunk)
    query = (
        force_index(select(func.count(), _count_if(_in_time)), orders, "ix_orders_created")
        .select_from(orders.outerjoin(notifications, _notified))
        .where(at > known.until, at <= end)
    )
    count, met = (await connection.execute(query)).one()
    return Deadlines(end, known.met + int(met), known.missed + count - int(met))


async def decide_deadlines(
    connection: AsyncConnection, known: Deadlines, until: datetime
) -> Deadlines:
    """Return the deadlines with all orders created up to a time that are not counted yet."""
    at = orders.c.created_at
    query = (
        force_index(
            select(orders.c.id, at, case((_in_time, 1), else_=0)), orders, "ix_orders_created"
        )
        .select_from(orders.outerjoin(notifications, _notified))
        .where(at > known.until, at <= until)
    )
    rows = [row for row in await connection.execute(query) if row[0] not in known.decided]
    met = sum(row[2] for row in rows)
    return Deadlines(
        known.until,
        known.met + met,
        known.missed + len(rows) - met,
        {**known.decided, **{id_: created_at for id_, created_at, _ in rows}},
    )


async def _end_of_chunk(
    connection: AsyncConnection,
    table: Table,
    at: ColumnElement[datetime],
    *,
    after: datetime,
    until: datetime,
    chunk: int,
) -> datetime:
    """Return the time of the last of ``chunk`` rows; ``until`` if there are fewer."""
    index = "ix_notifications_received" if table is notifications else "ix_orders_created"
    query = force_index(select(at), table, index)
    query = query.where(at > after, at <= until).order_by(at).limit(1).offset(chunk - 1)
    return await connection.scalar(query) or until


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.count(case((condition, 1), else_=null()))
