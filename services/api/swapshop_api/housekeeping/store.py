"""All SQL of housekeeping: purge old rows, and keep their counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    RowMapping,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit.models import DEAD_ACTION, audit
from swapshop_api.auth.models import refresh_families, refresh_tokens
from swapshop_api.dispatch.models import DONE, deliveries, delivery_attempts, leases
from swapshop_api.housekeeping.models import totals
from swapshop_kit.dialect import utc_now

LEASE_LIFETIME: Final = timedelta(days=1)
RECORD_LIFETIME: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rows of a table are purged, and what of them is added to the totals.

    Args:
        table: the table to purge.
        expired: the condition of the rows to purge, on indexed columns.
        label: column by whose value purged rows are counted; None counts nothing.
        flag: boolean column; rows in which it is true are also counted under its name.
    """

    table: Table
    expired: ColumnElement[bool]
    label: Column[Any] | None = None
    flag: Column[bool] | None = None


RULES: Final = (
    Rule(refresh_tokens, refresh_tokens.c.expires_at < utc_now()),
    Rule(refresh_families, refresh_families.c.expires_at < utc_now()),
    Rule(leases, leases.c.created_at < utc_now(-LEASE_LIFETIME)),
    Rule(
        delivery_attempts,
        delivery_attempts.c.claimed_at < utc_now(-RECORD_LIFETIME),
        delivery_attempts.c.outcome,
        delivery_attempts.c.took_over,
    ),
    Rule(
        deliveries,
        and_(deliveries.c.state == DONE, deliveries.c.done_at < utc_now(-RECORD_LIFETIME)),
        deliveries.c.state,
    ),
    Rule(
        audit,
        and_(audit.c.at < utc_now(-RECORD_LIFETIME), audit.c.action == DEAD_ACTION),
        audit.c.detail,  # the reason
    ),
    Rule(
        audit,
        and_(audit.c.at < utc_now(-RECORD_LIFETIME), audit.c.action != DEAD_ACTION),
        audit.c.action,
    ),
)
"""Orders and notifications are never purged."""


async def purge_batch(connection: AsyncConnection, rule: Rule, size: int) -> int:
    """Delete up to ``size`` rows by primary key; return the number deleted.

    Counters that are made from rows never fall: what is deleted is added to ``totals`` here, in
    the same transaction.
    """
    keys = list(rule.table.primary_key.columns)
    wanted: list[ColumnElement[Any]] = list(keys)
    if rule.label is not None:
        wanted.append(rule.label.label("counted_by"))
    if rule.flag is not None:
        wanted.append(rule.flag.label("flagged"))
    query = select(*wanted).where(rule.expired).limit(size).with_for_update(skip_locked=True)
    rows = (await connection.execute(query)).mappings().all()
    if not rows:
        return 0
    counts = _count(rule, rows)
    for labels in sorted(counts):  # sorted, so that two runs do not deadlock
        await _add(connection, rule.table.name, labels, counts[labels])
    by_key = delete(rule.table).where(*(key == bindparam(f"key_{key.name}") for key in keys))
    await connection.execute(
        by_key, [{f"key_{key.name}": row[key.name] for key in keys} for row in rows]
    )
    return len(rows)


def _count(rule: Rule, rows: Sequence[RowMapping]) -> Counter[str]:
    counts: Counter[str] = Counter()
    if rule.label is not None:
        counts.update(f"{rule.label.name}={row['counted_by'] or ''}" for row in rows)
    if rule.flag is not None:
        counts.update(f"{rule.flag.name}=1" for row in rows if row["flagged"])
    return counts


async def _add(connection: AsyncConnection, name: str, labels: str, count: int) -> None:
    here = and_(totals.c.name == name, totals.c.labels == labels)
    changed = await connection.execute(
        update(totals).where(here).values(value=totals.c.value + count)
    )
    if changed.rowcount == 0:
        await connection.execute(insert(totals).values(name=name, labels=labels, value=count))
