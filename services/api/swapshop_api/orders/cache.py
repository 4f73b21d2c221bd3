"""The cache of orders by id: cache-aside with fill leases and dirty marks, in three Lua scripts.

An order changes once, so a value is stale only if it was read before the change and written
after it. A reader may therefore write only what it read under a fill lease that every writer
deletes, and none reads through while a writer's dirty mark stands.
"""

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from redis.asyncio import Redis

from swapshop_api.orders.metrics import CACHE_REQUESTS, CACHE_WRITE_FAILURES
from swapshop_kit.redis import REDIS_ERRORS, Circuit

LEASE_MS: Final = 2_000
"""Time in which a reader may fill, in milliseconds."""

DIRTY_MS: Final = 10_000
"""Time after which the marks of a dead writer expire, in milliseconds."""

PENDING_SECONDS: Final = 30
PROCESSED_SECONDS: Final = 3_600

_OWNER_BYTES: Final = 36

_READ: Final = """
local value = redis.call('GET', KEYS[1])
if value then return {'hit', value} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {'bypass'} end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {'miss'} end
return {'bypass'}
"""
_FILL: Final = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""
_MARK: Final = """
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[1], KEYS[2])
return 1
"""
_CLEAR: Final = """
redis.call('DEL', KEYS[1], KEYS[2])
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
return 1
"""

Result = Literal["hit", "miss", "bypass", "error"]


@dataclass(frozen=True, slots=True)
class CachedOrder:
    """The JSON bytes of an order, and its owner."""

    user_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a read found; ``lease`` is set when the caller may fill."""

    result: Result
    order: CachedOrder | None = None
    lease: str | None = None


def _keys(order_id: str) -> list[str]:
    """Return an order's keys; the braces keep them in one slot of a cluster."""
    return [f"order:{{{order_id}}}:{part}" for part in ("value", "lease", "dirty")]


@dataclass
class DirtyMarks:
    """The dirty marks of one write on the orders that it is about to change.

    The caller holds the orders' row locks when it calls ``mark``, and calls ``clear`` once the
    transaction has ended in any way, including an unknown COMMIT.
    """

    cache: "OrderCache"
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    order_ids: set[str] = field(default_factory=set[str])

    async def mark(self, order_ids: Sequence[str]) -> None:
        """Hide the orders' values until ``clear``, or for 10 s."""
        self.order_ids.update(order_ids)
        await self.cache.run_write("mark", order_ids, [self.token, DIRTY_MS], tries=1)

    async def clear(self) -> None:
        """Let the orders be cached again."""
        await self.cache.run_write("clear", sorted(self.order_ids), [self.token], tries=2)


class OrderCache:
    """Reads and fills, and the marks of writers.

    Args:
        redis: a client with time-outs of about 50 ms.
        enabled: False makes every read a bypass; writers mark all the same.
        jitter: a factor around 1 for the lifetime of values, so that they do not end together.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        enabled: bool = True,
        circuit: Circuit | None = None,
        jitter: Callable[[], float] = lambda: random.uniform(0.9, 1.1),
    ) -> None:
        self._redis = redis
        self._enabled = enabled
        self._circuit = circuit or Circuit()
        self._jitter = jitter
        self._read = redis.register_script(_READ)
        self._fill = redis.register_script(_FILL)
        self._write_scripts = {"mark": _MARK, "clear": _CLEAR}

    async def read(self, order_id: str) -> Lookup:
        """Look up an order; without Redis, the result says to read the database."""
        if not self._enabled or self._circuit.is_open:
            return self._count(Lookup("bypass"))
        lease = secrets.token_hex(16)
        try:
            found = await self._read(keys=_keys(order_id), args=[lease, LEASE_MS])
        except REDIS_ERRORS:
            self._circuit.trip()
            return self._count(Lookup("error"))
        if found[0] == b"hit":
            owner, body = found[1][:_OWNER_BYTES].decode(), found[1][_OWNER_BYTES:]
            return self._count(Lookup("hit", CachedOrder(owner, body)))
        if found[0] == b"miss":
            return self._count(Lookup("miss", lease=lease))
        return self._count(Lookup("bypass"))

    async def lease_new(self, order_id: str) -> str | None:
        """Take the fill lease of an order not committed yet; None if it is not available."""
        if not self._enabled or self._circuit.is_open:
            return None
        lease = secrets.token_hex(16)
        try:
            taken = await self._redis.set(_keys(order_id)[1], lease, nx=True, px=LEASE_MS)
        except REDIS_ERRORS:
            self._circuit.trip()
            return None
        return lease if taken else None

    async def fill(self, order_id: str, lease: str, order: CachedOrder, *, is_final: bool) -> None:
        """Store what was read under a lease, unless a writer has taken the lease away since."""
        if self._circuit.is_open:
            return
        seconds = PROCESSED_SECONDS * self._jitter() if is_final else PENDING_SECONDS
        value = order.user_id.encode() + order.body
        try:
            stored = await self._fill(
                keys=_keys(order_id), args=[lease, value, int(seconds * 1000)]
            )
        except REDIS_ERRORS:
            self._circuit.trip()
            CACHE_REQUESTS.labels("orders", "error").inc()
            return
        if not stored:
            CACHE_REQUESTS.labels("orders", "stale").inc()

    def dirty_marks(self) -> DirtyMarks:
        """Return the marks of one write, none of them set yet."""
        return DirtyMarks(self)

    async def run_write(
        self,
        script: Literal["mark", "clear"],
        order_ids: Sequence[str],
        args: list[str | int],
        tries: int,
    ) -> None:
        """Run a writer's script for each of its orders, even while the circuit is open."""
        if not order_ids:
            return
        for _ in range(tries):
            try:
                await self._run_for_each(self._write_scripts[script], order_ids, args)
            except REDIS_ERRORS:
                self._circuit.trip()
                CACHE_WRITE_FAILURES.labels(script).inc()
            else:
                return

    async def _run_for_each(
        self, script: str, order_ids: Sequence[str], args: Sequence[str | int]
    ) -> None:
        """Run a script for each order, in one round trip.

        A cluster refuses one call for orders of several slots (CROSSSLOT). The scripts' text goes
        along: a pipeline cannot stop to load a script that the server does not know.
        """
        async with self._redis.pipeline(transaction=False) as pipeline:
            for order_id in order_ids:
                pipeline.eval(script, 3, *_keys(order_id), *args)  # pyright: ignore[reportUnknownMemberType, reportUnusedCoroutine] - queued, not sent
            await pipeline.execute()

    def _count(self, lookup: Lookup) -> Lookup:
        CACHE_REQUESTS.labels("orders", lookup.result).inc()
        return lookup
