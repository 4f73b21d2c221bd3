"""All SQL of the audit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, event, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit.models import audit
from swapshop_kit import security_events
from swapshop_kit.cursors import Cursor
from swapshop_kit.dialect import utc_now
from swapshop_kit.ids import new_id
from swapshop_kit.keyset import newest_first

SYSTEM: Final = "system"
"""The actor of actions of the system itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An action and its subject; ``detail`` has at most 200 characters."""

    action: str
    subject: str
    detail: str | None = None


async def record(
    connection: AsyncConnection, *, actor: str, action: str, subject: str, detail: str | None = None
) -> None:
    """Write one entry in the transaction of its action."""
    await record_all(connection, actor, [Entry(action, subject, detail)])


async def record_all(connection: AsyncConnection, actor: str, entries: Sequence[Entry]) -> None:
    """Write entries in one statement, if there are any; each is logged at the COMMIT.

    Args:
        connection: a connection in the transaction of the actions.
        actor: a user id, a client id, or ``system``.
        entries: the entries to write; may be empty.
    """
    if not entries:
        return
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "at": utc_now(),
            "actor": actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": entry.detail,
        }
        for entry in entries
    ]
    # values of one statement: asyncmy sends rows that contain a clock function one by one
    await connection.execute(insert(audit).values(rows))
    _log_at_commit(connection, rows)


def _log_at_commit(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Log entries when their transaction commits; one that is rolled back and retried logs once."""

    def log(_: Connection) -> None:
        for row in rows:
            security_events.record(
                "audit",
                actor=row["actor"],
                action=row["action"],
                subject=row["subject"],
                detail=row["detail"],
            )

    # this Connection object belongs to the transaction; the pool reuses only the one below it
    event.listen(connection.sync_connection, "commit", log)


async def list_page(
    connection: AsyncConnection, after: Cursor | None, limit: int
) -> Sequence[RowMapping]:
    """Return up to ``limit`` + 1 entries, newest first."""
    query = newest_first(select(audit), audit.c.at, audit.c.id, after, limit)
    return (await connection.execute(query)).mappings().all()
