"""Fetch and keep the api's published keys, for services that verify its tokens."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import httpx
import structlog

from swapshop_kit.access_tokens import KeySet
from swapshop_kit.problems import KeysUnavailable

FRESH_SECONDS: Final = 300.0
"""Age at which a set is fetched again."""

RETRY_SECONDS: Final = 30.0
"""Minimum time between fetches for an unknown ``kid``, or after a refresh that failed."""

FIRST_RETRY_SECONDS: Final = 1.0
"""Minimum time between fetches until the first one succeeds."""

_log = structlog.get_logger()


class JwksClient:
    """A KeySource over HTTP that keeps the last good set during an outage.

    Args:
        http: client with a time-out.
        url: URL of the JWK Set.
        clock: returns monotonic seconds.
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
        """Return the set; it is at most five minutes old while the api answers.

        Raises:
            KeysUnavailable: no set has been fetched yet.
        """
        if self._keys is None:
            await self._fetch(at_most_every=FIRST_RETRY_SECONDS)
        elif self._clock() - self._fetched_at >= FRESH_SECONDS and not self._lock.locked():
            # one caller fetches; the others use the last good set
            await self._fetch(at_most_every=RETRY_SECONDS)
        if self._keys is None:
            raise KeysUnavailable
        return self._keys

    async def containing(self, kid: str) -> KeySet:
        """Return the set, fetched again if it lacks ``kid`` and the last attempt was 30 s ago."""
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
