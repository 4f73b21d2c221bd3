"""What a Redis is asked to do, as it tells itself."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.client import Monitor

_START, _END = "start-of-the-block", "end-of-the-block"


@asynccontextmanager
async def listing_commands(redis: Redis) -> AsyncGenerator[list[str]]:
    """Lists the commands that reach the server within the block, each a round trip of a client.

    What a script calls is not among them. The list is complete when the block has ended.
    """
    commands: list[str] = []
    async with redis.monitor() as monitor:
        await _hear_until(_START, redis, monitor)  # a new connection's greeting is before it
        yield commands
        commands += await _hear_until(_END, redis, monitor)


async def _hear_until(mark: str, redis: Redis, monitor: Monitor) -> list[str]:
    await redis.echo(mark)  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
    heard: list[str] = []
    while True:
        command = await monitor.next_command()
        if mark in command["command"]:
            return heard
        if command["client_type"] != "lua":
            heard.append(command["command"].split()[0].upper())
