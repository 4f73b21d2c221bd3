"""Which deliveries a round sends, and what it reports."""

import pytest

from support.poller.builders import deliveries, delivery
from support.poller.in_memory import Reaction, World
from swapshop_poller.contract import Outcome, Result
from swapshop_poller.policy import Answer, Attempt, Cause, Failure

NO_CONNECTION = Failure(Cause.NO_CONNECTION, "ConnectError")
TIME_OUT = Failure(Cause.TIME_OUT, "ReadTimeout")
BROKEN = Failure(Cause.BROKEN, "ReadError")


def test_a_batch_is_sent_with_bounded_concurrency_and_reported() -> None:
    story = World(deliveries(30), {"concurrency": 4}).run(1)

    assert story.receiver.most_in_flight == 4
    assert story.outcomes == {each.id: ["delivered"] for each in deliveries(30)}
    assert len(story.sent_ids) == 30


@pytest.mark.parametrize(
    ("attempt", "result"),
    [
        (Answer(204), Result(delivery_id="delivery-1", outcome=Outcome.DELIVERED, status=204)),
        (
            Answer(409, code="other_content"),
            Result(
                delivery_id="delivery-1",
                outcome=Outcome.REJECTED,
                status=409,
                error="other_content",
            ),
        ),
        (Answer(422), Result(delivery_id="delivery-1", outcome=Outcome.RETRY, status=422)),
        (
            Answer(429, retry_after="17"),
            Result(delivery_id="delivery-1", outcome=Outcome.RETRY, status=429, retry_after=17),
        ),
        (Answer(503), Result(delivery_id="delivery-1", outcome=Outcome.AWAY, status=503)),
        (
            Failure(Cause.BROKEN, "x" * 500),
            Result(
                delivery_id="delivery-1",
                outcome=Outcome.AWAY,
                error=("broken connection: " + "x" * 500)[:200],
            ),
        ),
        (
            Answer(401, code="unauthenticated"),
            Result(
                delivery_id="delivery-1",
                outcome=Outcome.RELEASED,
                status=401,
                error="receiver misconfigured",
            ),
        ),
    ],
)
def test_an_attempt_is_reported_with_what_is_known_of_it(attempt: Attempt, result: Result) -> None:
    story = World([delivery()], script={"delivery-1": [Reaction(attempt)]}).run(0.5)

    assert story.results("delivery-1") == [result]


@pytest.mark.parametrize("doubtful", [TIME_OUT, BROKEN])
def test_a_broken_attempt_before_a_success_is_the_deliverys_own_doing(doubtful: Failure) -> None:
    script = {"delivery-1": [Reaction(doubtful, 1)], "delivery-2": [Reaction(seconds=2)]}

    story = World(deliveries(2), script=script).run(1)

    assert story.outcomes == {"delivery-1": ["retry"], "delivery-2": ["delivered"]}


@pytest.mark.parametrize("doubtful", [TIME_OUT, BROKEN])
def test_a_broken_attempt_after_the_last_success_is_away(doubtful: Failure) -> None:
    script = {"delivery-1": [Reaction(doubtful, 2)], "delivery-2": [Reaction(seconds=1)]}

    story = World(deliveries(2), script=script).run(1)

    assert story.outcomes == {"delivery-1": ["away"], "delivery-2": ["delivered"]}


def test_a_broken_attempt_before_another_answer_than_success_is_away() -> None:
    script = {"delivery-1": [Reaction(TIME_OUT, 1)], "delivery-2": [Reaction(Answer(500), 2)]}

    story = World(deliveries(2), script=script).run(1)

    assert story.outcomes == {"delivery-1": ["away"], "delivery-2": ["retry"]}


@pytest.mark.parametrize("away", [NO_CONNECTION, Answer(502), Answer(503), Answer(504)])
def test_what_never_reached_the_receiver_stays_away(away: Attempt) -> None:
    script = {"delivery-1": [Reaction(away, 1)], "delivery-2": [Reaction(seconds=2)]}

    story = World(deliveries(2), script=script).run(1)

    assert story.outcomes == {"delivery-1": ["away"], "delivery-2": ["delivered"]}


def test_five_aways_in_a_row_release_the_rest() -> None:
    story = World(deliveries(20), {"concurrency": 1}, then=Reaction(NO_CONNECTION)).run(1)

    assert [len(story.sent_ids), story.poller.receiver.aways] == [5, 5]
    assert list(story.outcomes.values()) == [["away"]] * 5 + [["released"]] * 15
    assert story.results("delivery-9")[0].error == "receiver away"


def test_an_answer_between_aways_starts_the_count_again() -> None:
    waiting = [delivery(number) for number in range(10, 30)]
    script = {each.id: [Reaction(NO_CONNECTION)] for each in waiting}
    script |= {"delivery-14": [Reaction(Answer(500))]}

    story = World(waiting, {"concurrency": 1}, script).run(1)

    assert story.sent_ids == [f"delivery-{number}" for number in range(10, 20)]


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404])
def test_a_misconfiguration_ends_the_round_and_spends_nothing(status: int) -> None:
    waiting = [delivery(number) for number in range(10, 30)]
    script = {"delivery-12": [Reaction(Answer(status))]}

    story = World(waiting, {"concurrency": 1}, script).run(1)

    assert story.sent_ids == ["delivery-10", "delivery-11", "delivery-12"]
    assert list(story.outcomes.values()) == [["delivered"]] * 2 + [["released"]] * 18
    assert story.results("delivery-12")[0].status == status
    assert story.results("delivery-13")[0].status is None


def test_what_is_in_flight_at_a_misconfiguration_is_finished_and_reported() -> None:
    script = {"delivery-1": [Reaction(Answer(401), 1)], "delivery-2": [Reaction(seconds=3)]}

    story = World(deliveries(9), {"concurrency": 2}, script).run(2)

    assert story.outcomes["delivery-1"] == ["released"]
    assert story.outcomes["delivery-2"] == ["delivered"]
    assert len(story.sent_ids) == 2


def test_nothing_is_sent_when_the_rest_of_the_lease_is_too_short() -> None:
    slow = Reaction(seconds=10)

    story = World(deliveries(9), {"concurrency": 1, "lease_seconds": 40}, then=slow).run(30.5)

    assert [round(each.began_at - story.began_at) for each in story.receiver.sent] == [0, 10, 20]
    first_lease = [result for token, result in story.dispatch.reports if token == "token-1"]
    assert [result.outcome for result in first_lease] == ["delivered"] * 3 + ["released"] * 6
    assert first_lease[3].error == "lease short"


def test_a_stop_finishes_what_is_in_flight_and_releases_the_rest() -> None:
    story = World(deliveries(9), {"concurrency": 2}, then=Reaction(seconds=8)).run(3)

    assert story.seconds == pytest.approx(8, abs=0.1)
    assert sorted(story.outcomes.values()) == [["delivered"]] * 2 + [["released"]] * 7
    assert len(story.api.lease_calls) == 1
    assert story.dispatch.held == set()


def test_a_round_without_deliveries_reports_nothing() -> None:
    story = World().run(3.5)

    assert story.api.report_calls == []
    assert [at for at, _, _ in story.leases] == pytest.approx([0, 1.02, 2.04, 3.06])


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_that_http_does_not_have_is_told_in_words(status: int) -> None:
    script = {"delivery-2": [Reaction(Answer(status, code="a_code"))]}

    story = World(deliveries(3), script=script).run(0.5)

    [result] = story.results("delivery-2")
    assert (result.outcome, result.status, result.error) == ("retry", None, f"HTTP {status}")
    assert story.outcomes["delivery-3"] == ["delivered"]
