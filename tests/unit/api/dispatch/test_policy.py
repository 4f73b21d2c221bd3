"""What a report does: each row of the table, and what holds for all of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapshop_api.dispatch.models import DEAD, DONE, READY
from swapshop_api.dispatch.policy import SCHEDULE, Verdict, judge
from swapshop_api.dispatch.schemas import Outcome

NOW = timedelta(0)
STATUSES = [*range(200, 206), *range(300, 309), *range(400, 430), 451, *range(500, 512), 599, None]


@dataclass(frozen=True)
class Case:
    """Any report of a delivery with any past."""

    outcome: Outcome
    status: int | None
    retry_after: int | None
    attempts: int
    aways: int
    jitter: float

    def judge(self) -> Verdict:
        return judge(
            self.outcome,
            self.status,
            self.retry_after,
            attempts=self.attempts,
            aways=self.aways,
            jitter=lambda: self.jitter,
        )


cases = st.builds(
    Case,
    outcome=st.sampled_from(["delivered", "retry", "away", "rejected", "released"]),
    status=st.sampled_from(STATUSES),
    retry_after=st.none() | st.integers(0, 10**6),
    attempts=st.integers(0, 30),
    aways=st.integers(0, 30),
    jitter=st.floats(0.8, 1.2),
)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def verdict_on(
    outcome: Outcome,
    status: int | None = None,
    retry_after: int | None = None,
    *,
    attempts: int = 0,
    aways: int = 0,
    jitter: float = 1.0,
) -> Verdict:
    return judge(
        outcome, status, retry_after, attempts=attempts, aways=aways, jitter=lambda: jitter
    )


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        # 2xx
        ({"outcome": "delivered", "status": 200}, Verdict(DONE, 3, 0)),
        ({"outcome": "delivered", "status": 204}, Verdict(DONE, 3, 0)),
        # given back: nothing is spent
        ({"outcome": "released"}, Verdict(READY, 3, 2, NOW)),
        ({"outcome": "released", "status": 401}, Verdict(READY, 3, 2, NOW)),
        # no connection, time-out, 502, 503, 504
        ({"outcome": "away"}, Verdict(READY, 3, 3, seconds(20))),
        ({"outcome": "away", "status": 503}, Verdict(READY, 3, 3, seconds(20))),
        # 409
        ({"outcome": "rejected", "status": 409}, Verdict(DEAD, 4, 0, reason="conflict")),
        ({"outcome": "retry", "status": 409}, Verdict(DEAD, 4, 0, reason="conflict")),
        # 400, 413, 422
        ({"outcome": "retry", "status": 400}, Verdict(READY, 4, 0, timedelta(hours=2))),
        ({"outcome": "retry", "status": 413}, Verdict(READY, 4, 0, timedelta(hours=2))),
        ({"outcome": "rejected", "status": 422}, Verdict(READY, 4, 0, timedelta(hours=2))),
        # 429
        ({"outcome": "retry", "status": 429, "retry_after": 7}, Verdict(READY, 3, 0, seconds(7))),
        ({"outcome": "retry", "status": 429, "retry_after": 0}, Verdict(READY, 3, 0, seconds(1))),
        ({"outcome": "retry", "status": 429}, Verdict(READY, 3, 0, seconds(1))),
        (
            {"outcome": "retry", "status": 429, "retry_after": 10**9},
            Verdict(READY, 3, 0, timedelta(hours=1)),
        ),
        # other answers, and a time-out that was the delivery's own doing
        ({"outcome": "retry", "status": 500}, Verdict(READY, 4, 0, timedelta(hours=2))),
        ({"outcome": "retry", "status": 418}, Verdict(READY, 4, 0, timedelta(hours=2))),
        ({"outcome": "retry"}, Verdict(READY, 4, 0, timedelta(hours=2))),
    ],
)
def test_each_report_after_three_failures_and_two_aways(
    report: dict[str, Any], expected: Verdict
) -> None:
    assert verdict_on(**report, attempts=3, aways=2) == expected


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        (1, timedelta(seconds=5)),
        (2, timedelta(minutes=5)),
        (3, timedelta(minutes=30)),
        (4, timedelta(hours=2)),
        (5, timedelta(hours=5)),
        (6, timedelta(hours=10)),
        (7, timedelta(hours=14)),
        (8, timedelta(hours=20)),
        (9, timedelta(hours=24)),
    ],
)
def test_the_schedule(failures: int, wait: timedelta) -> None:
    assert verdict_on("retry", 500, attempts=failures - 1) == Verdict(READY, failures, 0, wait)


@pytest.mark.parametrize(
    ("aways", "wait"), [(0, 5), (1, 10), (2, 20), (3, 40), (4, 60), (5, 60), (1000, 60)]
)
def test_the_backoff_while_the_receiver_is_away(aways: int, wait: int) -> None:
    assert verdict_on("away", aways=aways) == Verdict(READY, 0, aways + 1, seconds(wait))


@pytest.mark.parametrize(
    ("status", "tries", "reason"),
    [(500, 10, "exhausted"), (None, 10, "exhausted"), (400, 5, "malformed"), (409, 1, "conflict")],
)
def test_tries_before_a_delivery_is_dead(status: int | None, tries: int, reason: str) -> None:
    verdict = verdict_on("retry", status)
    while verdict.state == READY:
        verdict = verdict_on("retry", status, attempts=verdict.attempts, aways=verdict.aways)
    assert (verdict.state, verdict.attempts, verdict.reason) == (DEAD, tries, reason)


@given(cases)
def test_away_released_and_429_are_never_dead_and_spend_nothing(case: Case) -> None:
    verdict = case.judge()
    if case.outcome in ("away", "released") or case.status == 429:
        assert verdict.state != DEAD
        assert verdict.attempts == case.attempts


@given(cases)
def test_attempts_never_fall_and_grow_by_one_at_most(case: Case) -> None:
    assert case.attempts <= case.judge().attempts <= case.attempts + 1


@given(cases)
def test_only_a_ready_delivery_waits_and_only_a_dead_one_has_a_reason(case: Case) -> None:
    verdict = case.judge()
    assert (verdict.wait is not None) == (verdict.state == READY)
    assert (verdict.reason is not None) == (verdict.state == DEAD)


@given(cases)
def test_every_wait_is_within_its_bounds(case: Case) -> None:
    wait = case.judge().wait
    if wait is None:
        return
    if case.outcome == "released":
        assert wait == NOW
    elif case.outcome == "away":
        assert seconds(4) <= wait <= seconds(72)
    elif case.status == 429:
        assert seconds(1) <= wait <= timedelta(hours=1)
    else:
        step = SCHEDULE[case.attempts + 1]
        assert step * 0.8 <= wait <= step * 1.2
