"""All SQL of what people see of deliveries, and of the redrive."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.deliveries.schemas import PipelineOut, State
from swapshop_api.dispatch.events import ORDER_READY
from swapshop_api.dispatch.models import DEAD, LEASED, READY, deliveries, delivery_attempts
from swapshop_api.orders.models import PENDING, orders
from swapshop_kit.cursors import Cursor
from swapshop_kit.dialect import force_index, utc_now

_DELIVERY = tuple(
    column for column in deliveries.c if column.name not in ("payload", "traceparent")
)


async def list_page(
    connection: AsyncConnection, state: State | None, after: Cursor | None, limit: int
) -> Sequence[RowMapping]:
    """Return up to ``limit`` + 1 deliveries, newest first: their ids sort by time."""
    query = select(*_DELIVERY).order_by(deliveries.c.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(deliveries.c.state == state)
        # without it MariaDB may sort every DONE row
        query = force_index(query, deliveries, "ix_deliveries_state")
    if after is not None:
        query = query.where(deliveries.c.id < after.id)
    return (await connection.execute(query)).mappings().all()


async def find(connection: AsyncConnection, delivery_id: str) -> RowMapping | None:
    """Return a delivery."""
    query = select(*_DELIVERY).where(deliveries.c.id == delivery_id)
    return (await connection.execute(query)).mappings().one_or_none()


async def list_attempts(connection: AsyncConnection, delivery_id: str) -> Sequence[RowMapping]:
    """Return the claims of a delivery, oldest first."""
    query = (
        select(delivery_attempts)
        .where(delivery_attempts.c.delivery_id == delivery_id)
        .order_by(delivery_attempts.c.claimed_at)
    )
    return (await connection.execute(query)).mappings().all()


async def read_pipeline(connection: AsyncConnection) -> PipelineOut:
    """Count orders and deliveries by state, in two statements over indexed columns."""
    in_state = (
        select(
            deliveries.c.state,
            func.count(),
            # the customers' wait, not the operators'
            func.min(case((deliveries.c.event_type == ORDER_READY, orders.c.created_at))),
        )
        .join(orders, orders.c.id == deliveries.c.order_id)
        .where(deliveries.c.state.in_((READY, LEASED, DEAD)))
        .group_by(deliveries.c.state)
    )
    states = {row[0]: row for row in (await connection.execute(in_state)).all()}
    waiting = select(
        func.count(),
        func.count(orders.c.blocked_at),
        func.min(orders.c.created_at),
        utc_now().label("now"),
    ).where(orders.c.estado == PENDING)
    pending, blocked, oldest_pending, now = (await connection.execute(waiting)).one()
    oldest = min(
        (
            at
            for at in (oldest_pending, *(states[s][2] for s in (READY, LEASED) if s in states))
            if at
        ),
        default=None,
    )
    counts = {state: states[state][1] if state in states else 0 for state in (READY, LEASED, DEAD)}
    return PipelineOut(
        pending=pending - blocked,
        blocked=blocked,
        ready=counts[READY],
        in_flight=counts[LEASED],
        dead=counts[DEAD],
        oldest_age_seconds=(now - oldest).total_seconds() if oldest else None,
    )


async def read_attempts(connection: AsyncConnection, order_id: str) -> Sequence[RowMapping]:
    """Return each claim of an order's ORDER_READY delivery, oldest first, with its ``done_at``."""
    query = (
        select(
            deliveries.c.done_at,
            delivery_attempts.c.claimed_at,
            delivery_attempts.c.outcome,
            delivery_attempts.c.status,
            delivery_attempts.c.error,
        )
        .select_from(deliveries)
        .outerjoin(delivery_attempts, delivery_attempts.c.delivery_id == deliveries.c.id)
        .where(deliveries.c.order_id == order_id, deliveries.c.event_type == ORDER_READY)
        .order_by(delivery_attempts.c.claimed_at)
    )
    return (await connection.execute(query)).mappings().all()


async def redrive(connection: AsyncConnection, id_: str) -> None:
    """Set a locked delivery READY now, as if it had never been tried; end its earlier claims."""
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.id == id_)
        .values(
            state=READY,
            next_attempt_at=utc_now(),
            attempts=0,
            aways=0,
            unreported_claims=0,
            lease_token=None,
            lease_until=None,
            done_at=None,
        )
    )
    await connection.execute(
        update(delivery_attempts)
        .where(delivery_attempts.c.delivery_id == id_)
        .values(redriven=True)
    )
