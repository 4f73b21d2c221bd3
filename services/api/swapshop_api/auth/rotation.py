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

SIBLING_WINDOW: Final = timedelta(minutes=10)
"""After its use a token leads to a further successor for so long, then it ends its session."""


@dataclass(frozen=True, slots=True)
class TokenState:
    """A stored token's state, and the database's clock when it was read.

    Args:
        used_at: the first use of the token, or of the sibling that made it void.
        nonce: leads to its latest successor.
        voided_at: when a sibling was used instead.
        sibling_of: the hash of the used token whose successors it and its siblings are; None for
            an only successor.
        now: the database's clock.
    """

    used_at: datetime | None
    nonce: bytes | None
    voided_at: datetime | None
    sibling_of: bytes | None
    now: datetime


class Verdict(Enum):
    """What to do with a presented token."""

    ROTATE = auto()
    """Unused: mark it used, make its siblings void, and hand out a successor."""
    REPEAT = auto()
    """Its answer was lost a moment ago: the same successor again."""
    SIBLING = auto()
    """Its answer was lost minutes ago, or this request is late: one more successor.

    Which of them the client has is not known; the one that is used first makes the others void.
    """
    CONFLICT = auto()
    """Another tab has the successor and has just used it."""
    REVOKE = auto()
    """Two parties hold the session: end it for both."""


def judge(token: TokenState, successor: TokenState | None) -> Verdict:
    """Decide on a presented token.

    Args:
        token: its state.
        successor: the state of the latest successor, to which its nonce leads; None for an unused
            token. It counts as used when any of its siblings is.
    """
    if token.voided_at is not None:
        return Verdict.REVOKE
    if token.used_at is None:
        return Verdict.ROTATE
    if successor is None:
        return Verdict.REVOKE  # its row is gone: nobody can tell what became of it
    # a time in the future, after the database's clock was put back, counts as recent
    if successor.used_at is not None:
        recently = token.now - successor.used_at <= GRACE
        return Verdict.CONFLICT if recently else Verdict.REVOKE
    age = token.now - token.used_at
    if age <= GRACE:
        return Verdict.REPEAT
    return Verdict.SIBLING if age <= SIBLING_WINDOW else Verdict.REVOKE


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
