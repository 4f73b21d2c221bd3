"""Redis: a pool whose callers wait, no hidden retries, and a circuit breaker."""

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
"""Exceptions of a call when Redis is unreachable, slow or failing."""

CALL_SECONDS: Final = 0.05
"""Time-out of a call; a healthy Redis replies in far less than a tenth of this."""

CIRCUIT_OPEN_SECONDS: Final = 1.0


def create_redis(url: str, *, pool_size: int = 32, seconds: float | None = CALL_SECONDS) -> Redis:
    """Create a client whose callers wait for a free connection instead of failing.

    Args:
        url: ``redis://…``, ``rediss://…`` or ``unix://…``.
        pool_size: maximum number of connections.
        seconds: time-out for connecting, for a reply, and for a free connection; None waits for
            replies without limit, as a subscriber must.
    """
    pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        url,
        max_connections=pool_size,
        timeout=seconds,
        socket_timeout=seconds,
        socket_connect_timeout=seconds or 2.0,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # the services' Redis users may not run CLIENT SETINFO
    )
    kind = TracedRedis if is_tracing() else Redis
    return kind.from_pool(pool)  # the client owns the pool and closes it


async def is_up(redis: Redis) -> bool:
    """Return whether Redis answers a PING."""
    try:
        return bool(await redis.ping())  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
    except REDIS_ERRORS:
        return False


class Circuit:
    """Circuit breaker: open for a second after a failure, so that callers do not wait for Redis.

    Args:
        clock: returns monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls should be skipped."""
        return self._clock() < self._open_until

    def trip(self) -> None:
        """Open the circuit after a failed call."""
        self._open_until = self._clock() + CIRCUIT_OPEN_SECONDS
