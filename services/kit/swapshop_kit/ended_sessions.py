"""Recently ended sessions: their access tokens are refused before they expire.

Every process holds their ids in memory, so a request needs no look-up. New ids arrive in two ways:
at once on a Redis channel, and from the session store, which is read every two seconds and so
covers an outage of Redis.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import Gauge
from redis.asyncio import Redis

from swapshop_kit.channels import follow_channel
from swapshop_kit.ids import is_canonical_id
from swapshop_kit.redis import REDIS_ERRORS

CHANNEL: Final = "ended-sessions"
"""The Redis channel on which the ids of ended sessions are published, separated by spaces."""

KEPT_SECONDS: Final = 720
"""An access token lives 600 s, and a paused process may issue one a little later."""

OVERLAP_SECONDS: Final = 60
"""Overlap of a read with the previous one: rows commit out of order."""

_AGE: Final = Gauge(
    "swapshop_ended_sessions_age_seconds",
    "Time since this process last read the list of ended sessions.",
)
_log = structlog.get_logger()

ReadEnded = Callable[[int], Awaitable[Collection[str] | None]]
"""Returns the ids of sessions that ended within the given seconds; None if it cannot read them."""


@dataclass(frozen=True)
class EndedTiming:
    """Intervals in seconds; tests shorten them."""

    reread: float = 2.0
    """Pause between reads of the session store."""
    reconnect: float = 1.0
    """Pause between attempts to subscribe."""


class EndedSessions:
    """The ids of recently ended sessions.

    Args:
        clock: returns monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._learnt_at: dict[str, float] = {}  # oldest first
        self._listeners: list[Callable[[Collection[str]], None]] = []
        self._read_at: float | None = None
        self._made_at = clock()

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._learnt_at

    @property
    def age_seconds(self) -> float:
        """Time since the last read, or since this object was created."""
        return self._clock() - (self._made_at if self._read_at is None else self._read_at)

    def on_ended(self, listener: Callable[[Collection[str]], None]) -> None:
        """Register a listener, which is called with each new batch of ids."""
        self._listeners.append(listener)

    def add(self, session_ids: Iterable[str]) -> None:
        """Add ended sessions, and drop those whose access tokens have all expired."""
        now = self._clock()
        new = {id_: now for id_ in session_ids if id_ not in self._learnt_at}
        self._learnt_at.update(new)
        while self._learnt_at:
            oldest, learnt_at = next(iter(self._learnt_at.items()))
            if now - learnt_at <= KEPT_SECONDS:
                break
            del self._learnt_at[oldest]
        if new:
            for listener in self._listeners:
                listener(new)

    async def read_from(self, read: ReadEnded) -> bool:
        """Read the sessions that ended since the last read; return whether that succeeded."""
        began_at = self._clock()
        within = KEPT_SECONDS
        if self._read_at is not None:
            within = min(within, math.ceil(began_at - self._read_at) + OVERLAP_SECONDS)
        found = await read(within)
        if found is None:
            return False
        self._read_at = began_at
        self.add(found)
        return True


async def announce(redis: Redis, session_ids: Collection[str]) -> None:
    """Publish ended sessions to every process.

    Without Redis the processes find them within two seconds in the session store.
    """
    if session_ids:
        try:
            await redis.publish(CHANNEL, " ".join(session_ids))  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        except REDIS_ERRORS as error:
            _log.warning("ended_sessions.not_announced", error=type(error).__name__)


async def follow_ended_sessions(
    ended: EndedSessions, read: ReadEnded, subscriber: Redis, timing: EndedTiming | None = None
) -> None:
    """Keep a process's list of ended sessions up to date until cancelled.

    While the store cannot be read the list stays as it is: a session that ends meanwhile can be
    used until its access token expires, as it could without the list.

    Args:
        ended: the list.
        read: reads the session store; must have its own time-out.
        subscriber: Redis client without a time-out for replies.
        timing: intervals; ``EndedTiming()`` by default.
    """
    timing = timing or EndedTiming()
    _AGE.set_function(lambda: ended.age_seconds)

    def learn(message: bytes) -> None:
        ended.add(filter(is_canonical_id, message.decode(errors="replace").split()))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            follow_channel(subscriber, CHANNEL, learn, reconnect_seconds=timing.reconnect)
        )
        could_read = True
        while True:
            can_read = await ended.read_from(read)
            if could_read and not can_read:
                _log.warning("ended_sessions.not_read")
            elif can_read and not could_read:
                _log.info("ended_sessions.read_again")
            could_read = can_read
            await asyncio.sleep(timing.reread)
