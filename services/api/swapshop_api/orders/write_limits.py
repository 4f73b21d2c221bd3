"""How many orders and bytes one customer may place: a fair rate in Redis, or in the pod without it.

Each limit is one number, the moment until which what was placed is paid for: placing pushes it
into the future, at most a minute ahead (the generic cell rate algorithm).
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from redis.asyncio import Redis

from swapshop_kit.redis import REDIS_ERRORS, Circuit

WINDOW_SECONDS: Final = 60
MAX_LOCAL_CUSTOMERS: Final = 10_000
"""Customers that a pod remembers while Redis is away; the longest unused is forgotten first."""

_KEYS: Final = ("limit:{write}:orders", "limit:{write}:bytes")
"""Sorted sets of those moments (ms), a member for each customer who still owes some time.

They have no expiry, or a full Redis could drop them to make room for the cache; every call removes
the members that are over. The braces keep both in one slot of a cluster.
"""

_SPEND: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local customer, window = ARGV[1], tonumber(ARGV[2])
local wait, paid = 0, {}
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  local until_ = math.min(tonumber(redis.call('ZSCORE', key, customer) or now), now + window)
  paid[i] = until_ + tonumber(ARGV[i + 2])
  wait = math.max(wait, paid[i] - now - window)
end
if wait > 0 then return math.ceil(wait) end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, string.format('%.3f', paid[i]), customer)
end
return 0
"""
"""KEYS: the limits; ARGV: the customer, the window and each cost, in ms. Returns ms to wait, or
spends and returns 0. A moment beyond the window is left from a clock that was ahead."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WriteRate:
    """What one customer may place at once, and again in each minute.

    Args:
        orders: their number.
        bytes: of all their JSON.
    """

    orders: int
    bytes: int

    def seconds(self, size: int) -> tuple[float, float]:
        """Return what an order of so many bytes costs by number and by size, in seconds."""
        return WINDOW_SECONDS / self.orders, size * WINDOW_SECONDS / self.bytes


class WriteLimits:
    """Admits a customer's orders for all pods in Redis; without it each pod admits its share.

    Args:
        redis: answers or fails within 50 ms.
        rate: of each customer.
        max_replicas: pods among which a rate is divided while Redis is away.
        circuit: kept open after a failure.
        clock: monotonic, in seconds; of the pod's own count.
    """

    def __init__(
        self,
        redis: Redis,
        rate: WriteRate,
        max_replicas: int = 1,
        *,
        circuit: Circuit | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spend = redis.register_script(_SPEND)
        self._rate = rate
        self._local_rate = WriteRate(
            max(1, rate.orders // max_replicas), max(1, rate.bytes // max_replicas)
        )
        self._circuit = circuit or Circuit()
        self._clock = clock
        self._local: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def spend(self, user_id: str, size: int) -> float:
        """Count an order and return 0; or, if it is one too many, return the seconds to wait.

        Args:
            user_id: who places it.
            size: bytes of its JSON.
        """
        wait = None if self._circuit.is_open else await self._spend_in_redis(user_id, size)
        return self._spend_here(user_id, size) if wait is None else wait

    async def _spend_in_redis(self, user_id: str, size: int) -> float | None:
        costs = [seconds * 1000 for seconds in self._rate.seconds(size)]
        try:
            return int(await self._spend(_KEYS, [user_id, WINDOW_SECONDS * 1000, *costs])) / 1000
        except REDIS_ERRORS as error:
            self._circuit.trip()
            _log.warning("write_limits.local", error=type(error).__name__)
            return None

    def _spend_here(self, user_id: str, size: int) -> float:
        now = self._clock()
        costs = self._local_rate.seconds(size)
        known = self._local.get(user_id, (now, now))
        paid = [max(now, until) + cost for until, cost in zip(known, costs, strict=True)]
        wait = max(paid) - now - WINDOW_SECONDS
        # An order that is larger than the pod's share may take all of it.
        if wait > 0 and max(known) > now:
            return wait
        self._local[user_id] = (paid[0], paid[1])
        self._local.move_to_end(user_id)
        if len(self._local) > MAX_LOCAL_CUSTOMERS:
            self._local.popitem(last=False)
        return 0.0
