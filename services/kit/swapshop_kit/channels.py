"""Follow a Redis channel for the life of a process, across outages of Redis."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from swapshop_kit.redis import REDIS_ERRORS

PING_SECONDS: Final = 5.0
"""After this time without a message Redis is pinged; it has the same time to answer."""

RECONNECT_SECONDS: Final = 1.0
"""Pause between attempts to subscribe."""


class OnListening(Protocol):
    """Called when the subscription begins or breaks; ``error`` is the name of the exception."""

    def __call__(self, is_listening: bool, /, **error: str) -> None: ...


def _ignore(is_listening: bool, /, **error: str) -> None:
    pass


async def follow_channel(
    subscriber: Redis,
    channel: str,
    on_message: Callable[[bytes], None],
    on_listening: OnListening = _ignore,
    *,
    ping_seconds: float = PING_SECONDS,
    reconnect_seconds: float = RECONNECT_SECONDS,
) -> None:
    """Subscribe until cancelled, again after each outage.

    Messages published during an outage are lost; the caller must get them in another way.

    Args:
        subscriber: client without a time-out for replies.
        channel: name of the channel.
        on_message: called with each message.
        on_listening: called when the subscription begins or breaks.
        ping_seconds: time without a message before a ping, and time to answer it.
        reconnect_seconds: pause between attempts to subscribe.
    """
    while True:
        try:
            async with subscriber.pubsub() as pubsub:  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
                async with asyncio.timeout(ping_seconds):
                    await pubsub.subscribe(channel)  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
                await _follow(pubsub, on_message, on_listening, ping_seconds)
        except REDIS_ERRORS as error:
            on_listening(False, error=type(error).__name__)
        await asyncio.sleep(reconnect_seconds)


async def _follow(
    pubsub: PubSub,
    on_message: Callable[[bytes], None],
    on_listening: OnListening,
    ping_seconds: float,
) -> None:
    """Handle messages until the connection breaks.

    Raises:
        TimeoutError: Redis did not answer a ping.
    """
    was_asked = False
    while True:
        message: dict[str, Any] | None = await pubsub.get_message(timeout=ping_seconds)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped
        if message is None:
            if was_asked:
                raise TimeoutError
            async with asyncio.timeout(ping_seconds):
                await pubsub.ping()  # pyright: ignore[reportUnknownMemberType] - untyped
            was_asked = True
            continue
        was_asked = False
        if message["type"] == "subscribe":
            on_listening(True)
        elif message["type"] == "message":
            on_message(message["data"])
