"""Reports are retried until they are answered or too late, in parts of at most 50."""

import pytest

from support.poller.builders import deliveries
from support.poller.in_memory import Fault, Reaction, World

ALL_DELIVERED = {each.id: ["delivered"] for each in deliveries(100)}


def test_a_report_holds_at_most_fifty_results() -> None:
    story = World(deliveries(100), {"batch_size": 100}).run(1)

    assert [count for _, count in story.api.report_calls] == [50, 50]
    assert story.outcomes == ALL_DELIVERED


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.UNAVAILABLE])
def test_a_report_that_did_not_arrive_is_repeated(fault: Fault) -> None:
    story = World(deliveries(100), {"batch_size": 100}, api={"report_faults": [fault]}).run(12)

    assert [count for _, count in story.api.report_calls] == [50, 50, 50]
    assert story.outcomes == ALL_DELIVERED


def test_a_report_whose_answer_was_lost_is_repeated_without_harm() -> None:
    story = World(deliveries(3), api={"report_faults": [Fault.LOST_ANSWER]}).run(12)

    assert story.outcomes == {each.id: ["delivered", "delivered"] for each in deliveries(3)}
    assert story.dispatch.done == {each.id for each in deliveries(3)}
    assert len(story.sent_ids) == 3


def test_a_report_is_given_up_when_the_lease_has_run_out() -> None:
    api = {"report_faults": [Fault.UNAVAILABLE] * 100, "seconds": 0}

    story = World(deliveries(1), {"lease_seconds": 20}, api=api).run(19.9)

    assert [round(at - story.began_at, 1) for at, _ in story.api.report_calls] == [
        0.0,
        0.5,
        1.5,
        3.5,
        7.5,
        12.5,
        17.5,
    ]


def test_what_could_not_be_reported_is_sent_again_under_a_new_lease() -> None:
    api = {"report_faults": [Fault.UNAVAILABLE] * 7, "seconds": 0}

    story = World(deliveries(1), {"lease_seconds": 20}, api=api).run(30)

    assert story.sent_ids == ["delivery-1", "delivery-1"]
    assert story.outcomes == {"delivery-1": ["delivered"]}


def test_a_report_is_tried_once_however_late_it_is() -> None:
    """The receiver took longer than the time-out of an attempt; a late delivered still counts."""
    story = World(deliveries(1), {"lease_seconds": 20}, then=Reaction(seconds=30)).run(29)

    assert len(story.api.report_calls) == 1
    assert story.outcomes == {"delivery-1": ["delivered"]}


def test_a_report_that_is_refused_is_not_repeated() -> None:
    api = {"report_faults": [Fault.REFUSED]}

    story = World(deliveries(100), {"batch_size": 100}, api=api).run(1)

    assert [count for _, count in story.api.report_calls] == [50, 50]
    assert len(story.outcomes) == 50


def test_a_result_that_the_api_does_not_understand_costs_no_other() -> None:
    story = World(deliveries(100), {"batch_size": 100}, api={"odd_id": "delivery-60"}).run(1)

    assert set(story.outcomes) == {each.id for each in deliveries(100)} - {"delivery-60"}
    assert len(story.api.report_calls) <= 2 + 2 * 6


def test_after_a_stop_a_failing_report_is_tried_for_five_seconds() -> None:
    api = {"report_faults": [Fault.UNAVAILABLE] * 100, "seconds": 0}

    story = World(deliveries(9), {"concurrency": 1}, then=Reaction(seconds=8), api=api).run(3)

    assert [round(at - story.began_at, 1) for at, _ in story.api.report_calls] == [
        8,
        8.5,
        9.5,
        11.5,
    ]
    assert story.seconds == pytest.approx(11.5)
