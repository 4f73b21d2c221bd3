"""Passwords: argon2id (RFC 9106) off the event loop, a few at a time."""

import asyncio
import secrets
from collections.abc import Callable
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


class Passwords:
    """Hashes and verifies passwords.

    Args:
        memory_kib: memory of one hash.
        concurrency: hashes at a time.
        max_waiting: callers that may wait for their turn.
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
        self._slots = asyncio.Semaphore(concurrency)
        self._max_waiting = max_waiting
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Return the hash to store, in PHC string format.

        Raises:
            PasswordQueueFull: too many callers wait already.
        """
        return await self.run(lambda: self._hasher.hash(password))

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Tell whether a password is right, and a new hash if the stored one is out of date.

        Args:
            password: as it was presented.
            stored: None for an unknown user: it then takes the same time, and is False.

        Raises:
            PasswordQueueFull: too many callers wait already.
        """
        against = self._nobody if stored is None else stored
        is_right, renewed = await self.run(
            lambda: self._hasher.verify_and_update(password, against)
        )
        return is_right and stored is not None, renewed

    async def run(self, work: Callable[[], T]) -> T:
        """Run work that takes a core and the memory of a hash.

        Raises:
            PasswordQueueFull: too many callers wait already.
        """
        if self._slots.locked() and self._waiting >= self._max_waiting:
            raise PasswordQueueFull
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        # a thread cannot be cancelled: its slot is free when it ends, whoever still waits for it
        future = asyncio.get_running_loop().run_in_executor(None, work)
        future.add_done_callback(lambda _: self._slots.release())
        return await asyncio.shield(future)
