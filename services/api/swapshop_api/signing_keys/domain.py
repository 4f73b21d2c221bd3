"""The keys that sign access tokens: which one signs, which are published, and their rotation.

A key is published as soon as it exists. It signs from ten minutes later until its successor signs,
and stays published for fifteen more minutes, longer than its last token is valid. See
docs/operations/signing-keys.md.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import jwt
import structlog

from swapshop_api.signing_keys.store import (
    SigningKey,
    SigningKeysError,
    at_seconds,
    read_keys,
    write_keys,
)
from swapshop_kit.access_tokens import ALGORITHM, KeySet

JWKS_MAX_AGE_SECONDS: Final = 300
"""How long verifiers may cache the key set."""

SIGNS_AFTER: Final = timedelta(minutes=10)
"""From publication to the first signature: five minutes for the file to reach every pod, and five
for the key sets that verifiers fetched before it did."""

PUBLISHED_AFTER: Final = timedelta(minutes=15)
"""From the successor's first signature to the end of publication."""

CHECK_SECONDS: Final = 1.0
"""Seconds between looks at the file."""

_log = structlog.get_logger()

_Stamp = tuple[int, int, int]


class RotationRefused(Exception):
    """A new key already waits to sign."""

    def __init__(self, signs_from: datetime) -> None:
        super().__init__(f"a new key waits already; it signs from {signs_from:%H:%M:%S} UTC on")


class SigningKeys:
    """The keys of a file, read again when the file changes. Create it with ``open``.

    It is a KeySource for verifiers in the same process. If the file is removed or becomes invalid,
    the last good keys stay in use, and an error is logged.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._checked_at = clock()
        self._stamp = _stamp_of(path)
        self._keys: Sequence[SigningKey] = read_keys(path)
        self._published: Sequence[SigningKey] = ()
        self._publish(at_seconds(self._checked_at))

    @classmethod
    def open(cls, path: Path, clock: Callable[[], float] = time.time) -> "SigningKeys":
        """Read a file of keys.

        Args:
            path: of the file.
            clock: seconds since the epoch.

        Raises:
            SigningKeysError: it is missing or broken.
        """
        return cls(path, clock)

    async def current(self) -> KeySet:
        """Return the published keys; the same object until they change."""
        self._refresh()
        return self._key_set

    async def containing(self, kid: str) -> KeySet:
        """Return the published keys; read the file again if they lack ``kid``."""
        self._refresh(now_at_once=kid not in self._key_set.keys)
        return self._key_set

    def jwks(self) -> dict[str, Any]:
        """Return the published keys as a JWK Set (RFC 7517 §5)."""
        self._refresh()
        return self._jwks

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a JWT of the claims by the key whose turn it is."""
        self._refresh()
        key = _signing_key(self._keys, at_seconds(self._clock()))
        return jwt.encode(claims, key.private_key, ALGORITHM, headers={"kid": key.kid})

    def _refresh(self, *, now_at_once: bool = False) -> None:
        """Read the file if it has changed; look at most once per second."""
        now = self._clock()
        if not now_at_once and 0 <= now - self._checked_at < CHECK_SECONDS:
            return
        self._checked_at = now
        stamp = _stamp_of(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            self._read()
        self._publish(at_seconds(now))

    def _read(self) -> None:
        try:
            self._keys = read_keys(self._path)
        except SigningKeysError as error:
            _log.error("keys.file_broken", reason=str(error))
            return
        _log.info("keys.file_read", kids=[key.kid for key in self._keys])

    def _publish(self, now: datetime) -> None:
        published = _published(self._keys, now)
        if published != self._published:
            self._published = published
            self._jwks: dict[str, Any] = {"keys": [key.public_jwk() for key in published]}
            self._key_set = KeySet.from_jwks(self._jwks)


def create_if_missing(path: Path, clock: Callable[[], float] = time.time) -> bool:
    """Create the file with a first key, which signs at once, unless the file exists.

    Returns:
        True if it was written.

    Raises:
        SigningKeysError: the folder cannot be written to.
    """
    now = at_seconds(clock())
    return write_keys(path, [SigningKey.generate(now, now)], replace=False)


def rotate(path: Path, clock: Callable[[], float] = time.time) -> SigningKey:
    """Add a key that signs in ten minutes, drop those no longer published, and return it.

    If there is no file, create it with a first key, which signs at once.

    Raises:
        RotationRefused: the last added key does not sign yet.
        SigningKeysError: the file is broken, or cannot be written.
    """
    if create_if_missing(path, clock):
        return read_keys(path)[0]
    now = at_seconds(clock())
    keys = read_keys(path)
    if keys[-1].signs_from > now:
        raise RotationRefused(keys[-1].signs_from)
    added = SigningKey.generate(now, now + SIGNS_AFTER)
    write_keys(path, [*_published(keys, now), added], replace=True)
    return added


def _signing_key(keys: Sequence[SigningKey], now: datetime) -> SigningKey:
    """Return the newest key that may sign; the first if a slow clock says that none may."""
    return next((key for key in reversed(keys) if key.signs_from <= now), keys[0])


def _published(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    kept = [key for key, next_ in pairwise(keys) if now < next_.signs_from + PUBLISHED_AFTER]
    return [*kept, keys[-1]]


def _stamp_of(path: Path) -> _Stamp | None:
    """Return a value that changes with the file; None if it is missing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_ino, status.st_size)
