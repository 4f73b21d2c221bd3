"""Decide what the receiver's answer, or none, means for a delivery. Pure functions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import ceil
from typing import Final

from swapshop_poller.contract import MAX_RETRY_AFTER, Outcome

_AWAY: Final = frozenset({502, 503, 504})
_MISCONFIGURED: Final = frozenset({401, 403, 404})


class Cause(StrEnum):
    """Why an attempt got no answer."""

    NO_CONNECTION = "no connection"
    TIME_OUT = "time-out"
    """After the connection was made."""
    BROKEN = "broken connection"
    UNSENDABLE = "unsendable"
    """The delivery itself cannot be put into a request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The receiver's answer, with the text of Retry-After and the problem's ``code``."""

    status: int
    retry_after: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The receiver did not answer."""

    cause: Cause
    error: str


Attempt = Answer | Failure


@dataclass(frozen=True, slots=True)
class Verdict:
    """The meaning of an attempt."""

    outcome: Outcome
    is_misconfiguration: bool = False
    """No delivery can succeed until a person changes something, so the round ends."""
    may_be_own_doing: bool = False
    """Away, unless the receiver answers others afterwards: then this delivery was the cause."""


def judge(attempt: Attempt) -> Verdict:
    """Judge an attempt: away uses no step of the delivery, misconfiguration ends the round."""
    if isinstance(attempt, Failure):
        return _judge_failure(attempt.cause)
    status = attempt.status
    if 200 <= status < 300:
        return Verdict(Outcome.DELIVERED)
    if status == 409:
        return Verdict(Outcome.REJECTED)
    if status in _AWAY:
        return Verdict(Outcome.AWAY)
    if status in _MISCONFIGURED or 300 <= status < 400:
        return Verdict(Outcome.RELEASED, is_misconfiguration=True)
    return Verdict(Outcome.RETRY)


def _judge_failure(cause: Cause) -> Verdict:
    if cause is Cause.NO_CONNECTION:
        return Verdict(Outcome.AWAY)
    if cause is Cause.UNSENDABLE:
        return Verdict(Outcome.RETRY)
    return Verdict(Outcome.AWAY, may_be_own_doing=True)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def retry_after_seconds(attempt: Attempt, now: Callable[[], datetime] = _utc_now) -> int | None:
    """Return the Retry-After of a 429 in seconds (RFC 9110 §10.2.3); None if it has none.

    It is limited to 0..86,400 here, and by the api to its own range.
    """
    if not isinstance(attempt, Answer) or attempt.status != 429 or attempt.retry_after is None:
        return None
    text = attempt.retry_after.strip()
    if text.isascii() and text.isdigit():
        return MAX_RETRY_AFTER if len(text) > 9 else min(int(text), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0, min(ceil((at - now()).total_seconds()), MAX_RETRY_AFTER))


def backoff_seconds(failures: int, random: Callable[[], float]) -> float:
    """Return the pause after consecutive failures of the api: 0.5 s to 5 s, ± 20 %.

    Args:
        failures: number of consecutive failures, at least 1.
        random: returns a uniform number in 0..1.
    """
    return min(5.0, 0.5 * 2 ** min(failures - 1, 10)) * (0.8 + 0.4 * random())
