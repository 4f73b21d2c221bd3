"""Receivers with and without wake-ups by Redis, and notifications without a wake-up."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from support.receiver.events import order_ready
from support.receiver.inboxes import store_ready
from support.receiver.server import Receiver, receiver_settings, running_receiver
from support.waiting import until
from swapshop_receiver.notifications.timing import StreamTiming

CLOSED_PORT = 9
"""A port of loopback where nothing listens."""


async def insert_unannounced(receiver: Receiver, user_id: str, count: int = 1) -> list[str]:
    """Store notifications as if their wake-up was lost; return their orders."""
    events = [order_ready(user_id=user_id) for _ in range(count)]
    await store_ready(receiver, events)
    return [event["order_id"] for event in events]


async def listening(receiver: Receiver) -> None:
    """Wait until the receiver listens to Redis."""
    await until(lambda: receiver.container.hub.is_listening)


@asynccontextmanager
async def without_redis(database_url: str, poll: float = 0.05) -> AsyncGenerator[Receiver]:
    settings = receiver_settings(database_url, f"redis://127.0.0.1:{CLOSED_PORT}/0")
    async with running_receiver(settings, timing=StreamTiming(poll=poll)) as receiver:
        yield receiver
