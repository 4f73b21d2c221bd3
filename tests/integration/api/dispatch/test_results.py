"""Reports: what each does to a delivery, to its attempt, and when it comes too late."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from support.api.dispatch import Pipeline, result
from swapshop_api.dispatch.models import deliveries, delivery_attempts
from swapshop_api.dispatch.problems import LeaseNotFound
from swapshop_api.dispatch.schemas import Outcome
from swapshop_kit.ids import new_id

OUTCOMES: tuple[Outcome, ...] = ("delivered", "retry", "away", "rejected", "released")


def reported(outcome: Outcome) -> float:
    """The counter of reports."""
    labels = {"event_type": "ORDER_READY", "outcome": outcome}
    return REGISTRY.get_sample_value("swapshop_delivery_attempts_total", labels) or 0.0


async def test_delivered_makes_it_done(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    (id_,) = claim.ids
    assert await pipeline.report(claim.token, result(id_, status=204)) == ["applied"]
    row = await pipeline.delivery(id_)
    assert (row["state"], row["lease_token"], row["lease_until"]) == ("DONE", None, None)
    assert (row["last_status"], row["last_error"], row["unreported_claims"]) == (204, None, 0)
    (attempt,) = await pipeline.rows(delivery_attempts)
    assert (attempt["outcome"], attempt["status"], attempt["error"]) == ("delivered", 204, None)
    assert attempt["claimed_at"] <= attempt["reported_at"] <= row["done_at"] + timedelta(seconds=5)


async def test_a_failure_is_retried_by_the_schedule(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    (id_,) = claim.ids
    failed = result(id_, "retry", status=500, error="HTTP 500")
    assert await pipeline.report(claim.token, failed) == ["applied"]
    row = await pipeline.delivery(id_)
    assert (row["state"], row["lease_token"], row["lease_until"]) == ("READY", None, None)
    assert (row["attempts"], row["aways"], row["unreported_claims"]) == (1, 0, 0)
    assert (row["last_status"], row["last_error"]) == (500, "HTTP 500")
    assert 0 < await pipeline.seconds_to(id_) <= 5
    (attempt,) = await pipeline.rows(delivery_attempts)
    assert (attempt["outcome"], attempt["status"], attempt["error"]) == ("retry", 500, "HTTP 500")
    assert (await pipeline.lease()).ids == []


async def test_released_spends_nothing_and_is_due_at_once(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    await pipeline.change(
        deliveries, deliveries.c.id == id_, attempts=3, aways=2, last_status=500, last_error="e"
    )
    before = await pipeline.delivery(id_)
    claim = await pipeline.lease()
    assert await pipeline.report(claim.token, result(id_, "released")) == ["applied"]
    after = await pipeline.delivery(id_)
    assert after == before | {"next_attempt_at": after["next_attempt_at"]}
    assert (await pipeline.lease()).ids == [id_]


async def test_away_spends_nothing_and_backs_off(pipeline: Pipeline) -> None:
    await pipeline.place()
    waits: list[int] = []
    for _ in range(6):
        claim = await pipeline.lease()
        assert await pipeline.report(claim.token, result(claim.ids[0], "away")) == ["applied"]
        waits.append(round(await pipeline.seconds_to(claim.ids[0])))
        await pipeline.make_due(*claim.ids)
    assert waits == pytest.approx([5, 10, 20, 40, 60, 60], abs=2)
    (row,) = await pipeline.rows(deliveries)
    assert (row["state"], row["attempts"], row["aways"]) == ("READY", 0, 6)


async def test_a_conflict_is_dead_at_once_and_audited(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    (id_,) = claim.ids
    await pipeline.report(claim.token, result(id_, "rejected", status=409))
    row = await pipeline.delivery(id_)
    assert (row["state"], row["lease_token"], row["lease_until"]) == ("DEAD", None, None)
    assert await pipeline.audited() == [("system", "delivery.dead", id_, "conflict")]


@pytest.mark.parametrize(
    ("status", "tries", "reason"), [(500, 10, "exhausted"), (422, 5, "malformed")]
)
async def test_a_delivery_that_always_fails_is_dead_in_the_end(
    pipeline: Pipeline, status: int, tries: int, reason: str
) -> None:
    await pipeline.place()
    made = 0
    while (claim := await pipeline.lease()).ids:
        made += 1
        await pipeline.report(claim.token, result(claim.ids[0], "retry", status=status))
        await pipeline.make_due(*claim.ids)
    (row,) = await pipeline.rows(deliveries)
    assert (made, row["attempts"], row["state"]) == (tries, tries, "DEAD")
    assert await pipeline.audited() == [("system", "delivery.dead", row["id"], reason)]


@pytest.mark.parametrize("report", [{"outcome": "away"}, {"outcome": "retry", "status": 429}])
async def test_a_receiver_that_is_away_for_long_makes_nothing_dead(
    pipeline: Pipeline, report: dict[str, object]
) -> None:
    ids = await pipeline.ready(3)
    for _ in range(15):
        claim = await pipeline.lease()
        assert sorted(claim.ids) == sorted(ids)
        await pipeline.report(claim.token, *(result(id_, **report) for id_ in ids))  # type: ignore[arg-type]
        await pipeline.make_due(*ids)
    assert {row["attempts"] for row in await pipeline.rows(deliveries)} == {0}
    claim = await pipeline.lease()
    await pipeline.report(claim.token, *map(result, claim.ids))
    assert await pipeline.states() == ["DONE"] * 3


async def test_a_receiver_that_refuses_us_for_long_makes_nothing_dead(pipeline: Pipeline) -> None:
    ids = await pipeline.ready(3)
    for _ in range(15):  # what the poller does on 401: one misconfiguration, all given back
        claim = await pipeline.lease()
        assert claim.ids == ids
        await pipeline.report(
            claim.token,
            result(ids[0], "released", status=401, error="HTTP 401"),
            *(result(id_, "released") for id_ in ids[1:]),
        )
    rows = await pipeline.rows(deliveries)
    assert [(row["state"], row["attempts"]) for row in rows] == [("READY", 0)] * 3
    assert rows[0]["last_status"] == 401


async def test_failures_for_nine_tries_leave_everything_alive(pipeline: Pipeline) -> None:
    ids = await pipeline.ready(3)
    for _ in range(9):
        claim = await pipeline.lease()
        await pipeline.report(claim.token, *(result(id_, "retry", status=500) for id_ in claim.ids))
        await pipeline.make_due(*ids)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, *map(result, claim.ids))
    assert await pipeline.states() == ["DONE"] * 3
    assert await pipeline.audited() == []


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_any_report_clears_the_suspicion(pipeline: Pipeline, outcome: Outcome) -> None:
    (id_,) = await pipeline.ready(1)
    await pipeline.abandon(times=3)
    claim = await pipeline.lease()
    await pipeline.dispatch.confirm(claim.token)
    assert (await pipeline.delivery(id_))["unreported_claims"] == 4
    await pipeline.report(claim.token, result(id_, outcome))
    assert (await pipeline.delivery(id_))["unreported_claims"] == 0


# --- reports that come again, or too late ---


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_a_repeated_report_is_answered_as_the_first_time_and_changes_nothing(
    pipeline: Pipeline, outcome: Outcome
) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    counted = reported(outcome)
    assert await pipeline.report(claim.token, result(claim.ids[0], outcome)) == ["applied"]
    rows = await pipeline.rows(deliveries), await pipeline.rows(delivery_attempts)
    assert await pipeline.report(claim.token, result(claim.ids[0], outcome)) == ["applied"]
    assert rows == (await pipeline.rows(deliveries), await pipeline.rows(delivery_attempts))
    assert reported(outcome) == counted + 1


async def test_a_repeated_report_does_not_touch_the_next_claim(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    first = await pipeline.lease()
    await pipeline.report(first.token, result(id_, "released"))
    second = await pipeline.lease()
    before = await pipeline.delivery(id_)
    assert await pipeline.report(first.token, result(id_, "released")) == ["applied"]
    assert await pipeline.delivery(id_) == before
    assert before["lease_token"] == second.token


async def test_another_report_after_the_recorded_one_is_stale(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    (id_,) = claim.ids
    await pipeline.report(claim.token, result(id_, "released"))
    assert await pipeline.report(claim.token, result(id_, "retry", status=500)) == ["stale"]
    assert (await pipeline.delivery(id_))["attempts"] == 0
    assert await pipeline.outcomes(claim.token) == {id_: "released"}


@pytest.mark.parametrize("outcome", [each for each in OUTCOMES if each != "delivered"])
async def test_a_late_report_is_stale_once_another_holds_the_delivery(
    pipeline: Pipeline, outcome: Outcome
) -> None:
    (id_,) = await pipeline.ready(1)
    (first,) = await pipeline.abandon()
    second = await pipeline.lease()
    before = await pipeline.delivery(id_)
    assert await pipeline.report(first.token, result(id_, outcome)) == ["stale"]
    assert await pipeline.delivery(id_) == before
    assert await pipeline.outcomes(first.token) == {id_: None}
    assert await pipeline.report(second.token, result(id_)) == ["applied"]


async def test_a_report_of_an_expired_lease_that_nobody_took_is_applied(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    (claim,) = await pipeline.abandon()
    assert await pipeline.report(claim.token, result(id_, "retry", status=500)) == ["applied"]
    assert (await pipeline.delivery(id_))["attempts"] == 1


async def test_delivered_counts_however_late(pipeline: Pipeline) -> None:
    ready, leased, dead, done = await pipeline.ready(4)
    (first,) = await pipeline.abandon()
    second = await pipeline.lease()
    await pipeline.report(
        second.token,
        result(ready, "retry", status=500),
        result(dead, "rejected", status=409),
        result(done, status=202),
    )
    assert await pipeline.states(ready, leased, dead, done) == ["READY", "LEASED", "DEAD", "DONE"]
    at_first = (await pipeline.delivery(done))["done_at"]
    late = [result(id_) for id_ in (ready, leased, dead, done)]
    assert await pipeline.report(first.token, *late) == ["applied"] * 4
    rows = {row["id"]: row for row in await pipeline.rows(deliveries)}
    assert {row["state"] for row in rows.values()} == {"DONE"}
    assert {row["lease_token"] for row in rows.values()} == {None}
    assert (rows[done]["done_at"], rows[done]["last_status"]) == (at_first, 202)
    # what the second poller says of the one it held is too late now, unless it is the same
    assert await pipeline.report(second.token, result(leased, "retry")) == ["stale"]
    assert await pipeline.report(second.token, result(leased)) == ["applied"]


async def test_delivered_overrules_what_the_same_claim_had_reported(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    (id_,) = claim.ids
    await pipeline.report(claim.token, result(id_, "retry", error="time-out"))
    assert await pipeline.report(claim.token, result(id_)) == ["applied"]
    assert await pipeline.states() == ["DONE"]
    assert await pipeline.outcomes(claim.token) == {id_: "delivered"}


async def test_a_repeated_delivered_does_not_undo_a_redrive(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    (id_,) = claim.ids
    await pipeline.report(claim.token, result(id_))
    await pipeline.deliveries.redrive(new_id(), id_)
    assert await pipeline.report(claim.token, result(id_)) == ["applied"]
    assert await pipeline.states() == ["READY"]


@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_a_report_without_a_claim_is_stale(pipeline: Pipeline, outcome: Outcome) -> None:
    await pipeline.place(2)
    mine = await pipeline.lease(limit=1)
    other = await pipeline.lease(limit=1)
    before = await pipeline.rows(deliveries)
    answers = await pipeline.report(
        mine.token, result(other.ids[0], outcome), result(new_id(), outcome)
    )
    assert answers == ["stale", "stale"]
    assert await pipeline.report(new_id(), result(mine.ids[0], outcome)) == ["stale"]
    assert await pipeline.rows(deliveries) == before


@pytest.mark.parametrize("token", ["", "x", "018F0000-0000-7000-8000-000000000001", "' OR 1"])
async def test_a_token_that_is_none_is_not_found(pipeline: Pipeline, token: str) -> None:
    with pytest.raises(LeaseNotFound):
        await pipeline.report(token, result(new_id()))


async def test_a_report_may_be_of_several_kinds(pipeline: Pipeline) -> None:
    await pipeline.ready(4)
    claim = await pipeline.lease()
    done, failed, away, given_back = claim.ids
    answers = await pipeline.report(
        claim.token,
        result(given_back, "released"),
        result(new_id()),
        result(done),
        result(failed, "retry", status=500, error="HTTP 500"),
        result(away, "away", error="ConnectError"),
    )
    assert answers == ["applied", "stale", "applied", "applied", "applied"]
    assert await pipeline.states(*claim.ids) == ["DONE", "READY", "READY", "READY"]
    assert await pipeline.outcomes(claim.token) == {
        done: "delivered",
        failed: "retry",
        away: "away",
        given_back: "released",
    }


async def test_one_delivery_twice_in_a_report_is_as_two_reports(pipeline: Pipeline) -> None:
    await pipeline.ready(4)
    claim = await pipeline.lease()
    same, other, better, worse = claim.ids
    answers = await pipeline.report(
        claim.token,
        result(worse),
        result(same, "retry", status=500),
        result(same, "retry", status=500),
        result(other, "retry", status=500),
        result(other, "away"),
        result(better, "retry", status=500),
        result(better),
        result(worse, "retry", status=500),
    )
    assert answers == [*["applied"] * 4, "stale", "applied", "applied", "stale"]
    rows = {row["id"]: row for row in await pipeline.rows(deliveries)}
    assert [rows[id_]["state"] for id_ in claim.ids] == ["READY", "READY", "DONE", "DONE"]
    assert [rows[id_]["attempts"] for id_ in (same, other)] == [1, 1]
    assert await pipeline.outcomes(claim.token) == {
        same: "retry",
        other: "retry",
        better: "delivered",
        worse: "delivered",
    }


async def test_retry_after_is_clamped(pipeline: Pipeline) -> None:
    ids = await pipeline.ready(3)
    claim = await pipeline.lease()
    asked = (0, 90, 10**9)
    await pipeline.report(
        claim.token,
        *(
            result(id_, "retry", status=429, retry_after=seconds)
            for id_, seconds in zip(ids, asked, strict=True)
        ),
    )
    waits = [await pipeline.seconds_to(id_) for id_ in ids]
    assert waits == pytest.approx([1, 90, 3600], abs=3)


async def test_an_error_of_200_characters_is_kept_whole(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    error = "ñ😀" * 100
    await pipeline.report(claim.token, result(claim.ids[0], "retry", error=error))
    assert (await pipeline.delivery(claim.ids[0]))["last_error"] == error
