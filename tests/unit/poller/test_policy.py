from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapshop_poller.contract import MAX_RETRY_AFTER, Outcome
from swapshop_poller.policy import (
    Answer,
    Cause,
    Failure,
    Verdict,
    backoff_seconds,
    judge,
    retry_after_seconds,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

MISCONFIGURED = Verdict(Outcome.RELEASED, is_misconfiguration=True)

BY_STATUS = (
    dict.fromkeys(range(200, 600), Verdict(Outcome.RETRY))
    | dict.fromkeys(range(200, 300), Verdict(Outcome.DELIVERED))
    | dict.fromkeys(range(300, 400), MISCONFIGURED)
    | dict.fromkeys((401, 403, 404), MISCONFIGURED)
    | {409: Verdict(Outcome.REJECTED)}
    | dict.fromkeys((502, 503, 504), Verdict(Outcome.AWAY))
)


def test_every_status_has_its_verdict() -> None:
    assert {status: judge(Answer(status)) for status in BY_STATUS} == BY_STATUS


@pytest.mark.parametrize("status", [400, 413, 422, 429, 408, 410, 418, 499, 500, 501, 505, 599])
def test_what_may_succeed_later_is_retried(status: int) -> None:
    assert judge(Answer(status)) == Verdict(Outcome.RETRY)


@pytest.mark.parametrize(
    ("cause", "verdict"),
    [
        (Cause.NO_CONNECTION, Verdict(Outcome.AWAY)),
        (Cause.TIME_OUT, Verdict(Outcome.AWAY, may_be_own_doing=True)),
        (Cause.BROKEN, Verdict(Outcome.AWAY, may_be_own_doing=True)),
        (Cause.UNSENDABLE, Verdict(Outcome.RETRY)),
    ],
)
def test_every_missing_answer_has_its_verdict(cause: Cause, verdict: Verdict) -> None:
    assert judge(Failure(cause, "made up")) == verdict


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("86401", MAX_RETRY_AFTER),
        ("9" * 5000, MAX_RETRY_AFTER),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), MAX_RETRY_AFTER),
        ("Wed, 04 Mar 2026 05:06:17 -0000", 10),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("soon", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: int | None) -> None:
    assert retry_after_seconds(Answer(429, text), lambda: NOW) == seconds


def test_a_date_is_compared_with_the_present() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)

    assert retry_after_seconds(Answer(429, at)) in range(60, 91)


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ [\d:]+ [+-]?\d+"))
def test_any_retry_after_is_read_or_ignored(text: str) -> None:
    seconds = retry_after_seconds(Answer(429, text), lambda: NOW)

    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


@pytest.mark.parametrize(
    "attempt", [Answer(429), Answer(503, "5"), Answer(200, "5"), Failure(Cause.TIME_OUT, "x")]
)
def test_only_a_429_has_a_retry_after(attempt: Answer | Failure) -> None:
    assert retry_after_seconds(attempt, lambda: NOW) is None


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_backoff_grows_to_five_seconds(failures: int, random: float) -> None:
    seconds = backoff_seconds(failures, lambda: random)

    assert 0.399 < seconds < 6.001
    assert seconds <= backoff_seconds(failures + 1, lambda: random)


def test_the_backoff_doubles() -> None:
    steps = [backoff_seconds(failures, lambda: 0.5) for failures in range(1, 7)]

    assert steps == [0.5, 1, 2, 4, 5, 5]
