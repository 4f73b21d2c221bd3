"""Refresh tokens and the rules of their rotation (RFC 9700 §4.14.2), without any storage.

A token is 256 random bits; stored is only its SHA-256. Its successor is
HMAC-SHA-256(token, nonce), the nonce random and stored with the used token: so whoever holds the
token can be told its successor once more, and whoever reads the database learns neither.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

TOKEN_BYTES: Final = 32
NONCE_BYTES: Final = 32
GRACE: Final = timedelta(seconds=15)
"""A token used so shortly ago may be presented again by an honest client."""


@dataclass(frozen=True, slots=True)
class TokenState:
    """A stored token's state, and the database's clock when it was read."""

    used_at: datetime | None
    nonce: bytes | None
    voided_at: datetime | None
    now: datetime


class Verdict(Enum):
    """What to do with a presented token."""

    ROTATE = auto()
    """Unused: mark it used and hand out a successor."""
    REPEAT = auto()
    """Its answer was lost a moment ago: the same successor again."""
    REPLACE = auto()
    """Its answer was lost long ago: a new successor, and the former is void."""
    CONFLICT = auto()
    """Another tab has the successor and has just used it."""
    REVOKE = auto()
    """Two parties hold the session: end it for both."""


def judge(token: TokenState, successor: TokenState | None) -> Verdict:
    """Decide on a presented token.

    Args:
        token: its state.
        successor: the state of the successor that its nonce leads to; None if it is unused.
    """
    if token.voided_at is not None:
        return Verdict.REVOKE
    if token.used_at is None:
        return Verdict.ROTATE
    if successor is None:
        return Verdict.REVOKE  # its row is gone: nobody can tell what became of it
    if successor.used_at is None:
        recently = token.now - token.used_at <= GRACE
        return Verdict.REPEAT if recently else Verdict.REPLACE
    recently = token.now - successor.used_at <= GRACE
    return Verdict.CONFLICT if recently else Verdict.REVOKE


def new_token() -> bytes:
    """Return a fresh token."""
    return secrets.token_bytes(TOKEN_BYTES)


def new_nonce() -> bytes:
    """Return a fresh nonce."""
    return secrets.token_bytes(NONCE_BYTES)


def hash_of(token: bytes) -> bytes:
    """Return what is stored of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token).digest()


def successor_of(token: bytes, nonce: bytes) -> bytes:
    """Return the token that follows a used one."""
    return hmac.digest(token, nonce, "sha256")


def encode_token(token: bytes) -> str:
    """Write a token as a cookie's value, 43 characters."""
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def decode_token(text: str | None) -> bytes | None:
    """Read what ``encode_token`` wrote, to the letter; None for anything else."""
    if text is None or len(text) != len(encode_token(bytes(TOKEN_BYTES))):
        return None
    try:
        token = base64.b64decode(text.encode() + b"=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return token if encode_token(token) == text else None
