"""Rate limits: exact sliding windows in Redis, or in the pod while Redis is away.

The window is a log of the admitted calls, so no 60 seconds ever hold more than the limit; all the
limits of a call are taken together or not at all, in one round trip, by the clock of Redis.

The logs share Redis' memory with the cache. A full Redis drops keys that expire, so the logs have
no expiry: an index knows when each is over, and every call removes some of those.
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from redis.asyncio import Redis

from swapshop_api.auth.problems import TooManyRequests
from swapshop_kit.redis import REDIS_ERRORS, Circuit

MAX_LOCAL_KEYS: Final = 10_000
"""Keys that a pod remembers while Redis is away; the longest unused is forgotten first."""

_INDEX: Final = "limit:{log}:index"
"""The logs' keys, scored by the moment (ms) at which each holds nothing of its window any more.

The braces keep the index and all logs in one slot of a cluster.
"""

_TAKE: Final = """
local index = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, key in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 10)) do
  redis.call('DEL', key)
  redis.call('ZREM', index, key)
end
local wait = 0
for i = 1, #KEYS - 1 do
  local key = KEYS[i + 1]
  local count, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local oldest = redis.call('LINDEX', key, count - 1)
  if oldest then
    wait = math.max(wait, tonumber(oldest) + window - now)
  end
end
if wait > 0 then
  return wait
end
for i = 1, #KEYS - 1 do
  local key = KEYS[i + 1]
  redis.call('LPUSH', key, string.format('%.0f', now))
  redis.call('LTRIM', key, 0, ARGV[2 * i - 1] - 1)
  redis.call('ZADD', index, string.format('%.0f', now + ARGV[2 * i]), key)
end
return 0
"""
"""KEYS: the index and the limits' logs, newest first; ARGV: count and window (ms) of each log.
Returns ms to wait. A call removes more logs that are over than it can add, so they never pile up.
"""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` calls in any ``seconds``, for one name and subject.

    Args:
        name: of the limit.
        subject: whom it counts; only its hash reaches Redis.
        count: calls, at least 1.
        seconds: length of the window.
    """

    name: str
    subject: str
    count: int
    seconds: int

    @property
    def key(self) -> str:
        """The key of its log."""
        subject = hashlib.sha256(self.subject.encode()).hexdigest()[:32]
        return f"limit:{{log}}:{self.name}:{subject}"


class RateLimits:
    """Counts calls for all pods in Redis; while that is away each pod admits its share.

    Args:
        redis: answers or fails within 50 ms (``swapshop_kit.redis.create_redis``).
        max_replicas: pods among which a limit is divided while Redis is away.
        circuit: kept open after a failure.
        clock: monotonic, in seconds; of the pod's own count.
    """

    def __init__(
        self,
        redis: Redis,
        max_replicas: int,
        *,
        circuit: Circuit | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._take_in_redis = redis.register_script(_TAKE)
        self._max_replicas = max_replicas
        self._circuit = circuit or Circuit()
        self._local = _LocalLogs(clock)

    async def take(self, *limits: Limit) -> None:
        """Count a call against every limit, or against none.

        Raises:
            TooManyRequests: one of them is used up; Retry-After in whole seconds.
        """
        wait = await self._wait_by_redis(limits)
        if wait is None:
            wait = self._local.take(limits, self._max_replicas)
        if wait > 0:
            raise TooManyRequests(retry_after=math.ceil(wait))

    async def forget(self, *limits: Limit) -> None:
        """Reset the counts of limits; while Redis is away, in this pod only."""
        self._local.forget(limits)
        if self._circuit.is_open:
            return
        try:
            await self._redis.delete(*(limit.key for limit in limits))
        except REDIS_ERRORS as error:
            self._circuit.trip()
            _log.warning("rate_limits.local", error=type(error).__name__)

    async def _wait_by_redis(self, limits: Sequence[Limit]) -> float | None:
        """Return seconds to wait, 0 if the call was counted, None if Redis is away."""
        if self._circuit.is_open:
            return None
        keys = [_INDEX, *(limit.key for limit in limits)]
        arguments = [part for limit in limits for part in (limit.count, limit.seconds * 1000)]
        try:
            return int(await self._take_in_redis(keys, arguments)) / 1000
        except REDIS_ERRORS as error:
            self._circuit.trip()
            _log.warning("rate_limits.local", error=type(error).__name__)
            return None


class _LocalLogs:
    """The same windows in this process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._logs: OrderedDict[str, list[float]] = OrderedDict()

    def take(self, limits: Sequence[Limit], share: int) -> float:
        now = self._clock()
        wait = 0.0
        for limit in limits:
            count = max(1, limit.count // share)
            admitted = self._logs.get(limit.key, [])
            if len(admitted) >= count:
                wait = max(wait, admitted[-count] + limit.seconds - now)
        if wait > 0:
            return wait
        for limit in limits:
            count = max(1, limit.count // share)
            self._logs[limit.key] = [*self._logs.get(limit.key, []), now][-count:]
            self._logs.move_to_end(limit.key)
        while len(self._logs) > MAX_LOCAL_KEYS:
            self._logs.popitem(last=False)
        return 0.0

    def forget(self, limits: Sequence[Limit]) -> None:
        for limit in limits:
            self._logs.pop(limit.key, None)
