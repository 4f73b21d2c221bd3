"""Passwords: argon2id (RFC 9106) off the event loop, a few at a time."""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from swapshop_api.auth.problems import PasswordQueueFull

T = TypeVar("T")

MEMORY_KIB: Final = 19 * 1024
TIME_COST: Final = 2
PARALLELISM: Final = 1
"""The OWASP Password Storage Cheat Sheet's first choice for argon2id: 19 MiB, 2 passes, 1 lane."""

CONCURRENCY: Final = 2
"""Hashes at a time, each in a thread: so many times 19 MiB, so many cores."""

MAX_WAITING: Final = 20
"""Callers in the queue: at 25 ms a hash, a quarter of a second of work."""


@dataclass(frozen=True, slots=True)
class Party:
    """Callers who share one line of the queue.

    Args:
        name: the network of a stranger, or the account of a known device.
        is_known: whether the caller's device has signed in to the account before.
    """

    name: str
    is_known: bool = False


ANYBODY: Final = Party("")
"""The party of callers who come from no network, such as the command line."""


class Passwords:
    """Hashes and verifies passwords.

    Args:
        memory_kib: memory of one hash.
        concurrency: hashes at a time.
        max_waiting: strangers that may wait for their turn, and as many known devices.
    """

    def __init__(
        self,
        memory_kib: int = MEMORY_KIB,
        *,
        concurrency: int = CONCURRENCY,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._hasher = PasswordHash(
            [Argon2Hasher(time_cost=TIME_COST, memory_cost=memory_kib, parallelism=PARALLELISM)]
        )
        self._nobody = self._hasher.hash(secrets.token_urlsafe())
        self._slots = _Slots(concurrency, max_waiting)

    async def hash(self, password: str, party: Party = ANYBODY) -> str:
        """Return the hash to store, in PHC string format.

        Raises:
            PasswordQueueFull: too many callers wait already.
        """
        return await self.run(lambda: self._hasher.hash(password), party)

    async def verify(
        self, password: str, stored: str | None, party: Party = ANYBODY
    ) -> tuple[bool, str | None]:
        """Tell whether a password is right, and a new hash if the stored one is out of date.

        Args:
            password: as it was presented.
            stored: None for an unknown user: it then takes the same time, and is False.
            party: whose line in the queue to join.

        Raises:
            PasswordQueueFull: too many callers wait already.
        """
        against = self._nobody if stored is None else stored
        is_right, renewed = await self.run(
            lambda: self._hasher.verify_and_update(password, against), party
        )
        return is_right and stored is not None, renewed

    async def run(self, work: Callable[[], T], party: Party = ANYBODY) -> T:
        """Run work that takes a core and the memory of a hash.

        Raises:
            PasswordQueueFull: too many callers wait already.
        """
        await self._slots.acquire(party)
        # a thread cannot be cancelled: its slot is free when it ends, whoever still waits for it
        future = asyncio.get_running_loop().run_in_executor(None, work)
        future.add_done_callback(lambda _: self._slots.release())
        return await asyncio.shield(future)


class _Slots:
    """A semaphore with two bounded queues, one of strangers and one of known devices.

    They take turns, so neither can keep the other waiting.
    """

    def __init__(self, count: int, max_waiting: int) -> None:
        self._free = count
        self._known = _FairQueue(max_waiting)
        self._strangers = _FairQueue(max_waiting)
        self._is_strangers_turn = False

    async def acquire(self, party: Party) -> None:
        if self._free:
            self._free -= 1
            return
        queue = self._known if party.is_known else self._strangers
        turn = queue.join(party)
        try:
            await turn
        except asyncio.CancelledError:
            queue.leave(party, turn)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.release()
            raise

    def release(self) -> None:
        queues = (self._known, self._strangers)
        for queue in reversed(queues) if self._is_strangers_turn else queues:
            turn = queue.next()
            if turn is not None:
                self._is_strangers_turn = queue is self._known
                turn.set_result(None)
                return
        self._free += 1


class _FairQueue:
    """A bounded queue that serves its parties in turn.

    When it is full, a newcomer takes a place of the party that has most, so a flood of one party
    crowds out only itself.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._lines: dict[Party, deque[asyncio.Future[None]]] = {}

    def join(self, party: Party) -> asyncio.Future[None]:
        """Return the caller's turn; it fails with PasswordQueueFull if its place is taken.

        Raises:
            PasswordQueueFull: no party has at least two callers more than this one.
        """
        line = self._lines.get(party, deque())
        if sum(map(len, self._lines.values())) >= self._places:
            longest = max(self._lines.values(), key=len, default=line)
            if len(longest) < len(line) + 2:
                raise PasswordQueueFull
            last = longest.pop()
            if not last.done():
                last.set_exception(PasswordQueueFull())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        self._lines[party] = line
        return turn

    def leave(self, party: Party, turn: asyncio.Future[None]) -> None:
        """Give up a place, if it is still there."""
        line = self._lines.get(party, deque())
        if turn in line:
            line.remove(turn)
        if not line:
            self._lines.pop(party, None)

    def next(self) -> asyncio.Future[None] | None:
        """Remove and return the next turn; its party goes to the end. None if nobody waits."""
        while self._lines:
            party = next(iter(self._lines))
            line = self._lines.pop(party)
            turn = line.popleft()
            if line:
                self._lines[party] = line
            if not turn.done():
                return turn
        return None
