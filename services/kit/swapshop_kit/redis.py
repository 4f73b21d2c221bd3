"""Redis: a pool that waits its turn, no hidden retries, and a circuit that opens on failure."""

import time
from collections.abc import Callable
from typing import Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from swapshop_kit.redis_spans import TracedRedis
from swapshop_kit.telemetry import is_tracing

REDIS_ERRORS: Final = (RedisError, OSError, TimeoutError)
"""What a call to Redis raises when Redis is away, slow or unwell."""

CALL_SECONDS: Final = 0.05
"""A reply of a healthy Redis takes far less than a tenth of this."""

CIRCUIT_OPEN_SECONDS: Final = 1.0


def create_redis(url: str, *, pool_size: int = 32, seconds: float | None = CALL_SECONDS) -> Redis:
    """Make a client whose callers wait for a connection instead of being refused one.

    Args:
        url: ``redis://…``, ``rediss://…`` or ``unix://…``.
        pool_size: connections at most.
        seconds: the limit of connecting, of one reply, and of the wait for a connection; None
            waits for replies without limit, as a subscriber must.
    """
    pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        url,
        max_connections=pool_size,
        timeout=seconds,
        socket_timeout=seconds,
        socket_connect_timeout=seconds or 2.0,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # the services' users of Redis may not name themselves
    )
    kind = TracedRedis if is_tracing() else Redis
    return kind.from_pool(pool)  # owned: closed with the client


async def is_up(redis: Redis) -> bool:
    """Tell whether Redis answers a PING."""
    try:
        return bool(await redis.ping())  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
    except REDIS_ERRORS:
        return False


class Circuit:
    """Open for a second after a failure: callers then do without, instead of waiting in vain.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """True while calls should not be tried."""
        return self._clock() < self._open_until

    def trip(self) -> None:
        """Open the circuit, after a failed call."""
        self._open_until = self._clock() + CIRCUIT_OPEN_SECONDS
