"""All SQL that reads notifications and marks them as read."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_kit.cursors import Cursor
from swapshop_kit.dialect import force_index, utc_now
from swapshop_kit.keyset import newest_first
from swapshop_receiver.notifications.models import notifications

_columns = notifications.c


async def list_page(
    connection: AsyncConnection,
    inboxes: Sequence[str],
    *,
    after: Cursor | None,
    limit: int,
    only_unread: bool,
) -> Sequence[RowMapping]:
    """Return up to ``limit`` + 1 notifications of some inboxes, newest first."""
    index = "ix_notifications_unread" if only_unread else "ix_notifications_user"
    query = force_index(select(notifications), notifications, index)
    query = query.where(_columns.user_id.in_(inboxes))
    if only_unread:
        query = query.where(_columns.read_at.is_(None))
    query = newest_first(query, _columns.received_at, _columns.webhook_id, after, limit)
    return (await connection.execute(query)).mappings().all()


async def count_unread(connection: AsyncConnection, inboxes: Sequence[str]) -> int:
    """Count the unread notifications of some inboxes, from the index only."""
    query = select(func.count()).where(_columns.user_id.in_(inboxes), _columns.read_at.is_(None))
    return int(await connection.scalar(query) or 0)


async def mark_read(
    connection: AsyncConnection, inboxes: Sequence[str], webhook_id: str
) -> RowMapping | None:
    """Mark one notification as read; the first time counts.

    Returns:
        The notification; None if it does not exist, or is in another inbox.
    """
    own = (_columns.webhook_id == webhook_id, _columns.user_id.in_(inboxes))
    await connection.execute(
        update(notifications).where(*own, _columns.read_at.is_(None)).values(read_at=utc_now())
    )
    return (await connection.execute(select(notifications).where(*own))).mappings().one_or_none()


async def mark_all_read(connection: AsyncConnection, inboxes: Sequence[str]) -> int:
    """Mark all notifications of some inboxes as read and return how many were not."""
    marked = await connection.execute(
        update(notifications)
        .where(_columns.user_id.in_(inboxes), _columns.read_at.is_(None))
        .values(read_at=utc_now())
    )
    return marked.rowcount


async def read_clock(connection: AsyncConnection) -> datetime:
    """Return the current time by the database's clock."""
    return (await connection.execute(select(utc_now()))).scalar_one()


async def list_keys_since(
    connection: AsyncConnection,
    inboxes: Sequence[str],
    since: datetime,
    after: Cursor | None,
    limit: int,
) -> Sequence[Cursor]:
    """Return the keys of the notifications of some inboxes, oldest first, from the index.

    Args:
        connection: for reading.
        inboxes: their inboxes.
        since: the earliest ``received_at``.
        after: the last key of the page before; None for the first page.
        limit: maximum number of keys.
    """
    at, id_ = _columns.received_at, _columns.webhook_id
    query = _keys_of(inboxes)
    if after is None:
        query = query.where(at >= since)
    else:
        query = query.where(at >= after.at, or_(at > after.at, id_ > after.id))
    return await _read_keys(connection, query.limit(limit))


async def list_keys_between(
    connection: AsyncConnection, inboxes: Sequence[str], since: datetime, before: datetime
) -> Sequence[Cursor]:
    """Return the keys of what some inboxes received in a time, without its end."""
    at = _columns.received_at
    return await _read_keys(connection, _keys_of(inboxes).where(at >= since, at < before))


def _keys_of(inboxes: Sequence[str]) -> Select[tuple[datetime, str]]:
    query = select(_columns.received_at, _columns.webhook_id)
    query = force_index(query, notifications, "ix_notifications_user")
    query = query.where(_columns.user_id.in_(inboxes))
    return query.order_by(_columns.received_at, _columns.webhook_id)


async def _read_keys(
    connection: AsyncConnection, query: Select[tuple[datetime, str]]
) -> Sequence[Cursor]:
    return [Cursor(at=at, id=id_) for at, id_ in await connection.execute(query)]


async def list_rows(
    connection: AsyncConnection, inboxes: Sequence[str], webhook_ids: Collection[str]
) -> Sequence[RowMapping]:
    """Return those of these notifications that are in some inboxes, oldest first."""
    query = (
        select(notifications)
        .where(_columns.webhook_id.in_(webhook_ids), _columns.user_id.in_(inboxes))
        .order_by(_columns.received_at, _columns.webhook_id)
    )
    return (await connection.execute(query)).mappings().all()


async def list_recent_keys(
    connection: AsyncConnection, user_ids: Collection[str], within: timedelta
) -> set[tuple[str, str]]:
    """Return (user id, webhook id) of what these users received in the given time."""
    query = select(_columns.user_id, _columns.webhook_id).where(
        _columns.user_id.in_(user_ids), _columns.received_at >= utc_now(-within)
    )
    return {(user_id, webhook_id) for user_id, webhook_id in await connection.execute(query)}
