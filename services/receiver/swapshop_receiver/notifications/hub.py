"""The open streams of this process. Redis wakes them; without it, polling the database does."""

import asyncio
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from redis.asyncio import Redis

from swapshop_kit.addresses import UNKNOWN
from swapshop_kit.channels import follow_channel
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_receiver.notifications.metrics import LISTENING, STREAMS
from swapshop_receiver.notifications.problems import (
    NetworkStreamsTaken,
    StreamsUnavailable,
    TooManyStreams,
)
from swapshop_receiver.notifications.timing import StreamTiming

CHANNEL: Final = "notifications"
"""The Redis channel on which each inbox with a new notification is published."""

FindRecent = Callable[[Collection[str], timedelta], Awaitable[set[tuple[str, str]]]]
"""Finds inbox and webhook id of all that some inboxes received within a time."""

_log = structlog.get_logger()


class Subscription:
    """One stream in the hub; several wake-ups before ``take`` count as one."""

    def __init__(
        self,
        user_id: str,
        network: str = UNKNOWN,
        session_id: str | None = None,
        shared: Sequence[str] = (),
    ) -> None:
        self.user_id = user_id
        self.inboxes = (user_id, *shared)
        self.network = network
        self.session_id = session_id
        self.is_closing = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Make ``wait`` return."""
        self._woken.set()

    def take(self) -> bool:
        """Return whether there was a wake-up since the last call."""
        was_woken = self._woken.is_set()
        self._woken.clear()
        return was_woken

    async def wait(self, seconds: float) -> None:
        """Return at the next wake-up, or after the given seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self._woken.wait()


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Limits of open streams in this process.

    Args:
        per_user: streams of one user.
        per_network: streams of one client network.
        per_process: streams of all users.
        kept: streams of ``per_process`` that are reserved for users without a stream.
    """

    per_user: int
    per_network: int
    per_process: int
    kept: int = 0


class StreamHub:
    """Wakes the streams of a user who may have a new notification.

    Args:
        subscriber: a Redis client without a read time-out.
        find_recent: reads recent notifications from the database.
        limits: limits of open streams.
        timing: intervals between reads, and between pings of Redis.
    """

    def __init__(
        self,
        subscriber: Redis,
        find_recent: FindRecent,
        *,
        limits: StreamLimits,
        timing: StreamTiming,
    ) -> None:
        self._subscriber = subscriber
        self._find_recent = find_recent
        self._limits = limits
        self._timing = timing
        self._streams: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._networks: Tally[str] = Tally()
        self._count = 0
        self._is_closed = False
        self._reread_now = asyncio.Event()
        self.is_listening = False

    @property
    def count(self) -> int:
        """Number of open streams."""
        return self._count

    def subscribe(
        self,
        user_id: str,
        network: str = UNKNOWN,
        session_id: str | None = None,
        shared: Sequence[str] = (),
    ) -> Subscription:
        """Add a stream; ``unsubscribe`` removes it.

        Args:
            user_id: the user whose notifications it sends.
            network: the client's network, as ``site_network`` returns it.
            session_id: session of the access token that opened it.
            shared: inboxes of several users whose notifications it shows as well.

        Raises:
            TooManyStreams: the user has reached the limit.
            NetworkStreamsTaken: the network has reached the limit.
            StreamsUnavailable: the process has reached the limit, or is stopping.
        """
        own = len(self._streams.get(user_id, ()))
        places = self._limits.per_process - (self._limits.kept if own else 0)
        if own >= self._limits.per_user:
            raise TooManyStreams
        if self._networks[network] >= self._limits.per_network:
            raise NetworkStreamsTaken
        if self._is_closed or self._count >= places:
            raise StreamsUnavailable
        subscription = Subscription(user_id, network, session_id, shared)
        for inbox in subscription.inboxes:
            self._streams[inbox].add(subscription)
        self._networks[network] += 1
        self._change_count(+1)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Remove a stream."""
        for inbox in subscription.inboxes:
            self._streams[inbox].remove(subscription)
            if not self._streams[inbox]:
                del self._streams[inbox]
        self._networks[subscription.network] -= 1
        if not self._networks[subscription.network]:
            del self._networks[subscription.network]
        self._change_count(-1)

    def _change_count(self, difference: int) -> None:
        self._count += difference
        STREAMS.set(self._count)

    def wake(self, inbox: str) -> None:
        """Wake every stream that shows an inbox."""
        for subscription in self._streams.get(inbox, ()):
            subscription.wake()

    def wake_sessions(self, session_ids: Collection[str]) -> None:
        """Wake every stream of these sessions."""
        for own in self._streams.values():
            for subscription in own:
                if subscription.session_id in session_ids:
                    subscription.wake()

    def wake_all(self) -> None:
        """Wake every stream."""
        for inbox in self._streams:
            self.wake(inbox)

    def close(self) -> None:
        """End every stream, and accept no new one."""
        self._is_closed = True
        for own in self._streams.values():
            for subscription in own:
                subscription.is_closing = True
        self.wake_all()

    async def run(self) -> None:
        """Wake streams until cancelled; on a failure end them all, as nothing would wake them."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._reread())
        except Exception:  # unexpected: log it as JSON before it ends the process
            _log.exception("hub.failed")
            raise
        finally:
            self.close()

    async def _listen(self) -> None:
        await follow_channel(
            self._subscriber,
            CHANNEL,
            lambda inbox: self.wake(inbox.decode(errors="replace")),
            self._set_listening,
            ping_seconds=self._timing.ping,
            reconnect_seconds=self._timing.reconnect,
        )

    def _set_listening(self, is_listening: bool, /, **error: str) -> None:
        if is_listening != self.is_listening:
            _log.info("hub.listening" if is_listening else "hub.polling", **error)
            # what was published in between can only be read from the database
            self._reread_now.set()
        self.is_listening = is_listening
        LISTENING.set(is_listening)

    async def _reread(self) -> None:
        loop = asyncio.get_running_loop()
        known: set[tuple[str, str]] = set()
        looked_at = loop.time()
        while True:
            seconds = self._timing.reread if self.is_listening else self._timing.poll
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._reread_now.wait()
            self._reread_now.clear()
            begun_at = loop.time()
            if self._streams:
                try:
                    found = await self._find_recent(list(self._streams), self._timing.recent)
                except DatabaseUnavailable:
                    continue
                for inbox in {inbox for inbox, _ in found - known}:
                    self.wake(inbox)
                known = found
                if begun_at - looked_at > self._timing.longest_gap:
                    self.wake_all()
            looked_at = begun_at
