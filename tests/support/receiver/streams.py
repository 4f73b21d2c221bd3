"""Receivers with and without wake-ups by Redis, and notifications without a wake-up."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import orjson
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from support.receiver.events import order_ready, webhook_id_of
from support.receiver.server import Receiver, receiver_settings, running_receiver
from support.waiting import until
from swapshop_kit.dialect import utc_now
from swapshop_receiver.notifications.models import notifications
from swapshop_receiver.notifications.timing import StreamTiming

CLOSED_PORT = 9
"""A port of loopback where nothing listens."""


async def insert_unannounced(receiver: Receiver, user_id: str, count: int = 1) -> list[str]:
    """Store notifications as if their wake-up was lost; return their orders."""
    events = [order_ready(user_id=user_id) for _ in range(count)]
    rows = [
        {
            "webhook_id": webhook_id_of(event),
            "user_id": user_id,
            "order_id": event["order_id"],
            "evento": "ORDER_READY",
            "content_sha256": bytes(32),
            "payload": orjson.dumps(event),
        }
        for event in events
    ]

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(insert(notifications).values(received_at=utc_now()), rows)

    await receiver.container.database.transaction(work)
    return [event["order_id"] for event in events]


async def listening(receiver: Receiver) -> None:
    """Wait until the receiver listens to Redis."""
    await until(lambda: receiver.container.hub.is_listening)


@asynccontextmanager
async def without_redis(database_url: str, poll: float = 0.05) -> AsyncGenerator[Receiver]:
    settings = receiver_settings(database_url, f"redis://127.0.0.1:{CLOSED_PORT}/0")
    async with running_receiver(settings, timing=StreamTiming(poll=poll)) as receiver:
        yield receiver
