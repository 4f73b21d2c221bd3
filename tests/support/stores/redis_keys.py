"""The keys of a Redis, and their time, moved by hand."""

from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis


async def forget_all(redis: Redis) -> None:
    """Empties the cache."""
    await cast("Awaitable[object]", redis.flushdb())  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs


async def names_in(redis: Redis, pattern: str = "*") -> list[str]:
    """The names of the keys that there are."""
    names = cast("Awaitable[list[bytes]]", redis.keys(pattern))  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
    return [name.decode() for name in await names]


async def pass_time(redis: Redis, milliseconds: int) -> None:
    """Lets every key come nearer to its end, and those that reach it vanish."""
    for name in await names_in(redis):
        left = await redis.pttl(name)
        if 0 <= left <= milliseconds:
            await redis.delete(name)
        elif left > 0:
            await redis.pexpire(name, left - milliseconds)
