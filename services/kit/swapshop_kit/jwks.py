"""The api's published keys, fetched and kept by the services that verify its tokens."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import httpx
import structlog

from swapshop_kit.access_tokens import KeySet
from swapshop_kit.problems import KeysUnavailable

FRESH_SECONDS: Final = 300.0
"""A fetched set is used for so long before it is fetched again."""

RETRY_SECONDS: Final = 30.0
"""An unknown ``kid``, or a failed fetch of a set that is due, makes a fetch at most so often."""

FIRST_RETRY_SECONDS: Final = 1.0
"""While no set was ever fetched, a fetch is tried at most so often."""

_log = structlog.get_logger()


class JwksClient:
    """A KeySource over HTTP that keeps the last good set through any outage.

    Args:
        http: has a time-out.
        url: of the JWK Set.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, http: httpx.AsyncClient, url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def current(self) -> KeySet:
        """Return the set, at most five minutes old while the api answers.

        Raises:
            KeysUnavailable: no set was ever fetched.
        """
        if self._keys is None:
            await self._fetch(at_most_every=FIRST_RETRY_SECONDS)
        elif self._clock() - self._fetched_at >= FRESH_SECONDS and not self._lock.locked():
            # one caller fetches; the others go on with the last good set
            await self._fetch(at_most_every=RETRY_SECONDS)
        if self._keys is None:
            raise KeysUnavailable
        return self._keys

    async def knowing(self, kid: str) -> KeySet:
        """Return the set, fetched anew if it lacks ``kid`` and the last try is 30 s ago."""
        keys = await self.current()
        if kid not in keys.keys:
            await self._fetch(at_most_every=RETRY_SECONDS)
            keys = await self.current()
        return keys

    async def _fetch(self, at_most_every: float) -> None:
        async with self._lock:
            if self._clock() - self._tried_at < at_most_every:
                return
            self._tried_at = self._clock()
            try:
                answer = await self._http.get(self._url)
                answer.raise_for_status()
                keys = KeySet.from_jwks(answer.json())
            except (httpx.HTTPError, ValueError) as error:
                _log.warning("jwks.fetch_failed", error=type(error).__name__)
                return
            self._keys = keys
            self._fetched_at = self._clock()
