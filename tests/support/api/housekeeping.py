"""Rows of every table that housekeeping purges, as old as a test wants them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit.models import audit
from swapshop_api.auth.models import refresh_families, refresh_tokens
from swapshop_api.dispatch.models import deliveries, delivery_attempts, leases
from swapshop_api.housekeeping.models import totals
from swapshop_kit.database import Database
from swapshop_kit.dialect import utc_now
from swapshop_kit.ids import new_id

TIMES: Mapping[Table, str] = {
    refresh_tokens: "expires_at",
    refresh_families: "expires_at",
    leases: "created_at",
    delivery_attempts: "claimed_at",
    deliveries: "done_at",
    audit: "at",
}
"""The time of a row that its purge goes by."""


def _blank(table: Table, now: Any) -> dict[str, Any]:
    id_ = new_id()
    rows: Mapping[Table, dict[str, Any]] = {
        refresh_tokens: {"token_hash": id_.encode()[-32:], "family_id": id_},
        refresh_families: {"id": id_, "user_id": id_, "created_at": now},
        leases: {"token": id_, "client": "poller", "expires_at": now},
        delivery_attempts: {"delivery_id": id_, "lease_token": id_, "outcome": "delivered"},
        deliveries: {
            "id": id_,
            "webhook_id": id_,
            "order_id": id_,
            "event_type": "ORDER_READY",
            "payload": b"{}",
            "state": "DONE",
            "created_at": now,
            "next_attempt_at": now,
            "unreported_claims": 0,
            "attempts": 0,
            "aways": 0,
        },
        audit: {"id": id_, "actor": "system", "action": "order.blocked", "subject": id_},
    }
    return rows[table]


async def add(
    database: Database, table: Table, age: timedelta, count: int = 1, **values: Any
) -> None:
    """Insert rows whose time lies so far back (or ahead, if negative) by the database's clock."""

    async def work(connection: AsyncConnection) -> None:
        now = (await connection.execute(select(utc_now()))).scalar_one()
        rows = [{**_blank(table, now), TIMES[table]: now - age, **values} for _ in range(count)]
        await connection.execute(insert(table), rows)

    await database.transaction(work)


async def count_of(database: Database, table: Table) -> int:
    async def read(connection: AsyncConnection) -> int:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()

    return await database.read(read)


async def totals_of(database: Database) -> dict[tuple[str, str], int]:
    """The totals, by name and labels."""

    async def read(connection: AsyncConnection) -> Sequence[Any]:
        return (await connection.execute(select(totals))).all()

    return {(row.name, row.labels): row.value for row in await database.read(read)}
