"""What a report does to a delivery: pure rules, as the Standard Webhooks schedule has them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from swapshop_api.dispatch.models import DEAD, DONE, READY
from swapshop_api.dispatch.schemas import Outcome

SCHEDULE: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Waits before each attempt; a delivery that failed them all is DEAD."""

MALFORMED_STATUSES: Final = frozenset({400, 413, 422})
"""The receiver cannot read it; more tries hardly help."""

MAX_MALFORMED_ATTEMPTS: Final = 5
MAX_AWAY: Final = timedelta(seconds=60)
FIRST_AWAY: Final = timedelta(seconds=5)
MIN_RETRY_AFTER: Final = timedelta(seconds=1)
MAX_RETRY_AFTER: Final = timedelta(hours=1)

SUSPECT_CLAIMS: Final = 2
"""Claims without a report, confirmed by their pollers, that make a delivery travel alone."""

POISON_CLAIMS: Final = 5
"""Claims without a report, confirmed by their pollers, that make a delivery DEAD."""

Jitter = Callable[[], float]
"""A factor in 0.8..1.2."""

DeadReason = Literal["conflict", "malformed", "exhausted", "poison"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The delivery's next state and counters; ``wait`` is None where no attempt follows."""

    state: Literal["READY", "DONE", "DEAD"]
    attempts: int
    aways: int
    wait: timedelta | None = None
    reason: DeadReason | None = None


def judge(
    outcome: Outcome,
    status: int | None,
    retry_after: int | None,
    *,
    attempts: int,
    aways: int,
    jitter: Jitter,
) -> Verdict:
    """Decide what a report of the current claim does.

    Args:
        outcome: as the poller reports it.
        status: the receiver's HTTP status, if there was an answer.
        retry_after: seconds, of a 429.
        attempts: failed attempts that spent a step of the schedule so far.
        aways: consecutive reports that the receiver was away so far.
        jitter: spreads retries by ± 20 %.
    """
    if outcome == "delivered":
        return Verdict(DONE, attempts, 0)
    if outcome == "released":
        return Verdict(READY, attempts, aways, timedelta(0))
    if outcome == "away":
        wait = min(MAX_AWAY, FIRST_AWAY * 2 ** min(aways, 10)) * jitter()
        return Verdict(READY, attempts, aways + 1, wait)
    return _judge_answer(status, retry_after, attempts, jitter)


def _judge_answer(
    status: int | None, retry_after: int | None, attempts: int, jitter: Jitter
) -> Verdict:
    if status == 409:
        return Verdict(DEAD, attempts + 1, 0, reason="conflict")
    if status == 429:
        # the receiver's flow control says when, and nothing about the delivery
        asked = timedelta(seconds=min(retry_after or 1, 3600))
        return Verdict(READY, attempts, 0, min(max(asked, MIN_RETRY_AFTER), MAX_RETRY_AFTER))
    failed = attempts + 1
    if status in MALFORMED_STATUSES and failed >= MAX_MALFORMED_ATTEMPTS:
        return Verdict(DEAD, failed, 0, reason="malformed")
    if failed >= len(SCHEDULE):
        return Verdict(DEAD, failed, 0, reason="exhausted")
    return Verdict(READY, failed, 0, SCHEDULE[failed] * jitter())
