"""Notifications in the receiver's database that no webhook brought."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from support.receiver.events import webhook_id_of
from support.receiver.server import Receiver
from swapshop_kit.dialect import utc_now
from swapshop_receiver.notifications.models import notifications


async def store_ready(
    receiver: Receiver, events: Sequence[dict[str, Any]], at: datetime | None = None
) -> None:
    """Store ORDER_READY events as notifications, all received at one moment, by default now."""
    rows = [
        {
            "webhook_id": webhook_id_of(event),
            "user_id": event["user_id"],
            "order_id": event["order_id"],
            "evento": "ORDER_READY",
            "content_sha256": bytes(32),
            "payload": orjson.dumps(event),
        }
        for event in events
    ]
    received_at = utc_now() if at is None else at

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(insert(notifications).values(received_at=received_at), rows)

    await receiver.container.database.transaction(work)
