"""Sessions that ended a short time ago: their access tokens are refused before they expire.

Every process holds their ids in memory, so a request costs no look-up. It learns of them in two
ways: from a Redis channel at once, and from where the sessions are stored every two seconds, which
finds what a Redis that is away did not tell.
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
"""An access token lives 600 s, and a process that was paused may issue it a little later."""

OVERLAP_SECONDS: Final = 60
"""Each look goes back behind the one before it for so long: rows commit out of order."""

_AGE: Final = Gauge(
    "swapshop_ended_sessions_age_seconds",
    "Time since this process last read the list of ended sessions.",
)
_log = structlog.get_logger()

ReadEnded = Callable[[int], Awaitable[Collection[str] | None]]
"""Reads the ids of the sessions that ended within so many seconds; None if it cannot just now."""


@dataclass(frozen=True)
class EndedTiming:
    """Seconds, all of them; tests shorten them."""

    reread: float = 2.0
    """Between looks at where the sessions are stored."""
    reconnect: float = 1.0
    """Between tries to subscribe."""


class EndedSessions:
    """The ids of the sessions that ended a short time ago.

    Args:
        clock: monotonic, in seconds.
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
    def count(self) -> int:
        """Sessions in the list."""
        return len(self._learnt_at)

    @property
    def age_seconds(self) -> float:
        """Time since the last read, or since the process began."""
        return self._clock() - (self._made_at if self._read_at is None else self._read_at)

    def on_ended(self, listener: Callable[[Collection[str]], None]) -> None:
        """Call a listener with the ids that become known from now on."""
        self._listeners.append(listener)

    def add(self, session_ids: Iterable[str]) -> None:
        """Refuse the access tokens of sessions, and forget those whose tokens have expired."""
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
        """Look once for what ended since the last look; the first looks at all; say if it could."""
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
    """Tell every process at once that sessions have ended.

    With Redis away they learn it within two seconds, from where the sessions are stored.
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

    While it cannot be read it stays as it was: a session that ends then can be used until its
    access token expires, as every session could if the list were not there.

    Args:
        ended: the list.
        read: looks at where the sessions are stored; bounds its own time.
        subscriber: a Redis client whose replies may take forever.
        timing: how often to look; the usual by default.
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
