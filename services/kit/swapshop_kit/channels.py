"""Following a Redis channel for as long as a process lives, whatever becomes of Redis meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from swapshop_kit.redis import REDIS_ERRORS

PING_SECONDS: Final = 5.0
"""A silent Redis is asked for a sign of life after so long, and given as long to answer."""

RECONNECT_SECONDS: Final = 1.0
"""Between tries to subscribe."""


class OnListening(Protocol):
    """Is told whenever the subscription begins or breaks; ``error`` names what broke it."""

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
    """Subscribe until cancelled, and again whenever Redis comes back.

    What is published while Redis is away is lost: look elsewhere for it.

    Args:
        subscriber: a client whose replies may take forever.
        channel: to subscribe to.
        on_message: takes each message.
        on_listening: takes each beginning and breaking of the subscription.
        ping_seconds: until a silent Redis is asked for a sign of life, and until it must answer.
        reconnect_seconds: between tries to subscribe.
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
    """Take messages until Redis goes away.

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
