"""The commands that a Redis receives, as it reports them."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.client import Monitor

_START, _END = "start-of-the-block", "end-of-the-block"


@asynccontextmanager
async def listing_commands(redis: Redis) -> AsyncGenerator[list[str]]:
    """Lists the commands that reach the server within the block, those of a pipeline one by one.

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


class _CountingConnection(Connection):
    """Counts what it sends at once, for all of its pool."""

    def __init__(self, *, trips: "CountedTrips", **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        self._trips = trips

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        self._trips.number += 1
        await super().send_packed_command(command, check_health)


class CountedTrips:
    """A client, warm, and how often it has sent something and waited: a pipeline is one trip."""

    def __init__(self, url: str) -> None:
        pool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
            url, connection_class=_CountingConnection, max_connections=1, trips=self
        )
        self.redis = Redis.from_pool(pool)
        self.number = 0


@asynccontextmanager
async def counting_trips(url: str) -> AsyncGenerator[CountedTrips]:
    """Yield a client that counts its round trips, the greeting of its connection left out."""
    trips = CountedTrips(url)
    try:
        await trips.redis.ping()  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        trips.number = 0
        yield trips
    finally:
        await trips.redis.aclose()
