"""Wake-ups tell every process that a user has a new notification."""

from redis.asyncio import Redis

from swapshop_kit.redis import REDIS_ERRORS, Circuit
from swapshop_receiver.notifications.hub import CHANNEL
from swapshop_receiver.notifications.metrics import PUBLISHED


class WakeUps:
    """Publishes on Redis, if Redis is up: a lost wake-up only delays an event.

    Args:
        redis: a client with a short time-out.
        circuit: open after a failure, so that requests do not wait for Redis.
    """

    def __init__(self, redis: Redis, circuit: Circuit) -> None:
        self._redis = redis
        self._circuit = circuit

    async def publish(self, inbox: str) -> None:
        """Wake the streams that show an inbox; a failure is counted, never raised."""
        if self._circuit.is_open:
            PUBLISHED.labels("skipped").inc()
            return
        try:
            await self._redis.publish(CHANNEL, inbox)  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        except REDIS_ERRORS:
            self._circuit.trip()
            PUBLISHED.labels("failed").inc()
        else:
            PUBLISHED.labels("sent").inc()
