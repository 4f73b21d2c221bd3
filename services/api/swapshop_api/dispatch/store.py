"""All SQL of leases and reports.

A claim takes locks with two SELECT … FOR UPDATE SKIP LOCKED and then updates by primary key:
one UPDATE … ORDER BY … LIMIT would deadlock with another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, RowMapping, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.dispatch.models import (
    DEAD,
    DONE,
    LEASED,
    READY,
    deliveries,
    delivery_attempts,
    leases,
)
from swapshop_api.dispatch.policy import Verdict
from swapshop_kit.dialect import Identifier, force_index, utc_now

_SENT: Final = (
    deliveries.c.id,
    deliveries.c.webhook_id,
    deliveries.c.event_type,
    deliveries.c.payload,
    deliveries.c.attempts,
    deliveries.c.traceparent,
)
"""The columns that a poller needs."""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that may be claimed, locked by this transaction."""

    id: str
    due_at: datetime
    unreported_claims: int
    row: RowMapping


class Report(NamedTuple):
    """A poller's report of an attempt."""

    outcome: str
    status: int | None
    error: str | None


class Recorded(NamedTuple):
    """What is known of a claim: its report, if there was one, and whether a redrive ended it."""

    outcome: str | None
    redriven: bool


async def insert_lease(
    connection: AsyncConnection, token: str, client: str, duration: timedelta
) -> None:
    """Record the call; a second one with the token waits here, and then fails as a duplicate."""
    await connection.execute(
        insert(leases).values(
            token=token,
            client=client,
            created_at=utc_now(),
            expires_at=utc_now(duration),
            received=False,
        )
    )


async def lock_due(connection: AsyncConnection, limit: int) -> list[Due]:
    """Lock expired and due deliveries that nobody else is claiming, longest due first."""
    expired = await _lock(
        connection, LEASED, deliveries.c.lease_until, "ix_deliveries_lease", limit
    )
    ready = await _lock(connection, READY, deliveries.c.next_attempt_at, "ix_deliveries_due", limit)
    return sorted([*expired, *ready], key=lambda due: (due.due_at, due.id))


async def _lock(
    connection: AsyncConnection, state: str, due_at: ColumnElement[Any], index: str, limit: int
) -> list[Due]:
    # a filesort locks every row it reads, even beyond LIMIT; the index avoids the sort
    query = (
        force_index(
            select(*_SENT, due_at.label("due_at"), deliveries.c.unreported_claims),
            deliveries,
            index,
        )
        .where(deliveries.c.state == state, due_at <= utc_now())
        .order_by(due_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await connection.execute(query)).mappings()
    return [Due(row["id"], row["due_at"], row["unreported_claims"], row) for row in rows]


async def claim(
    connection: AsyncConnection, ids: Sequence[str], token: str, duration: timedelta
) -> None:
    """Write an attempt for each of the locked deliveries, and put them under a lease."""
    # asyncmy sends INSERT … VALUES with a clock function in it row by row
    claimed = select(
        deliveries.c.id,
        literal(token, Identifier()),
        utc_now(),
        deliveries.c.state == LEASED,  # the claim before this one ran out
    ).where(deliveries.c.id.in_(ids))
    columns = ("delivery_id", "lease_token", "claimed_at", "took_over")
    await connection.execute(insert(delivery_attempts).from_select(columns, claimed))
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(ids))
        .values(state=LEASED, lease_token=token, lease_until=utc_now(duration))
    )


async def set_received(connection: AsyncConnection, token: str) -> bool:
    """Record that the answer of a lease call arrived; return whether that was not known yet."""
    updated = await connection.execute(
        update(leases)
        .where(leases.c.token == token, leases.c.received.is_(False))
        .values(received=True)
    )
    return updated.rowcount == 1


async def read_held(connection: AsyncConnection, token: str) -> Sequence[str]:
    """Return the ids of the deliveries that carry a lease token."""
    query = select(deliveries.c.id).where(deliveries.c.lease_token == token)
    return (await connection.execute(query)).scalars().all()


async def count_claim(connection: AsyncConnection, ids: Sequence[str]) -> None:
    """Count one more claim without a report on locked deliveries."""
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(ids))
        .values(unreported_claims=deliveries.c.unreported_claims + 1)
    )


async def bury(connection: AsyncConnection, ids: Sequence[str]) -> None:
    """Set locked deliveries DEAD."""
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(ids))
        .values(state=DEAD, lease_token=None, lease_until=None)
    )


async def read_leased(connection: AsyncConnection, token: str) -> Sequence[RowMapping]:
    """Return the deliveries that still carry a lease token: all that it holds."""
    query = select(*_SENT).where(deliveries.c.lease_token == token).order_by(deliveries.c.id)
    return (await connection.execute(query)).mappings().all()


async def read_remaining(connection: AsyncConnection, token: str) -> timedelta | None:
    """Return how long a lease still holds, by the database's clock; None when there is none."""
    query = select(leases.c.expires_at, utc_now().label("now")).where(leases.c.token == token)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else row.expires_at - row.now


async def lock_deliveries(
    connection: AsyncConnection, ids: Iterable[str]
) -> Mapping[str, RowMapping]:
    """Lock deliveries by id, in the order of their ids."""
    query = (
        select(
            deliveries.c.id,
            deliveries.c.event_type,
            deliveries.c.state,
            deliveries.c.lease_token,
            deliveries.c.attempts,
            deliveries.c.aways,
        )
        .where(deliveries.c.id.in_(ids))
        .order_by(deliveries.c.id)
        .with_for_update()
    )
    return {row["id"]: row for row in (await connection.execute(query)).mappings()}


async def read_outcomes(
    connection: AsyncConnection, token: str, ids: Iterable[str]
) -> dict[str, Recorded]:
    """Return what is known of the claims under a token, by delivery."""
    query = select(
        delivery_attempts.c.delivery_id, delivery_attempts.c.outcome, delivery_attempts.c.redriven
    ).where(delivery_attempts.c.delivery_id.in_(ids), delivery_attempts.c.lease_token == token)
    rows = (await connection.execute(query)).all()
    return {row.delivery_id: Recorded(row.outcome, bool(row.redriven)) for row in rows}


async def set_done(connection: AsyncConnection, ids: Sequence[str], status: int | None) -> None:
    """Set locked deliveries DONE, whatever their state."""
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(ids))
        .values(
            state=DONE,
            done_at=utc_now(),
            lease_token=None,
            lease_until=None,
            unreported_claims=0,
            aways=0,
            last_status=status,
            last_error=None,
        )
    )


async def set_verdict(
    connection: AsyncConnection, id_: str, verdict: Verdict, status: int | None, error: str | None
) -> None:
    """Set a locked delivery READY for a later attempt, or DEAD."""
    values: dict[str, Any] = {
        "state": verdict.state,
        "attempts": verdict.attempts,
        "aways": verdict.aways,
        "lease_token": None,
        "lease_until": None,
        "unreported_claims": 0,
    }
    if verdict.wait is not None:
        values["next_attempt_at"] = utc_now(verdict.wait)
    if status is not None or error is not None:
        values |= {"last_status": status, "last_error": error}
    await connection.execute(update(deliveries).where(deliveries.c.id == id_).values(**values))


async def record_outcome(
    connection: AsyncConnection,
    token: str,
    ids: Sequence[str],
    report: Report,
) -> None:
    """Write the report of claims under a token."""
    await connection.execute(
        update(delivery_attempts)
        .where(delivery_attempts.c.delivery_id.in_(ids), delivery_attempts.c.lease_token == token)
        .values(reported_at=utc_now(), **report._asdict())
    )
