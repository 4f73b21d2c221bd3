"""All SQL that stores webhooks."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, and_, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_kit.dialect import utc_now
from swapshop_receiver.events import Event
from swapshop_receiver.notifications.models import notifications

_columns = notifications.c


async def insert_notification(
    connection: AsyncConnection, webhook_id: str, event: Event, body: bytes, sha256: bytes
) -> None:
    """Insert an event, received now by the database's clock.

    Raises:
        DuplicateKey: raised by the transaction if its webhook id, or its order and kind, exists.
    """
    await connection.execute(
        insert(notifications).values(
            webhook_id=webhook_id,
            user_id=event.inbox,
            order_id=event.order_id,
            evento=event.evento,
            content_sha256=sha256,
            payload=body,
            received_at=utc_now(),
        )
    )


async def find_clashing(
    connection: AsyncConnection, webhook_id: str, event: Event
) -> Sequence[RowMapping]:
    """Return the rows that share a unique key with an event: at most one for each key."""
    query = select(_columns.user_id, _columns.order_id, _columns.evento, _columns.payload).where(
        or_(
            _columns.webhook_id == webhook_id,
            and_(_columns.order_id == event.order_id, _columns.evento == event.evento),
        )
    )
    return (await connection.execute(query)).mappings().all()
