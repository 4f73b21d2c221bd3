"""A claim counts once its poller confirmed it, which it does before the first send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.poller.builders import deliveries
from support.poller.in_memory import Fault, World

FAULTS = [fault for fault in Fault if fault is not Fault.NONE]


def test_a_lease_is_confirmed_once_before_anything_of_it_is_sent() -> None:
    story = World(deliveries(3), api={"seconds": 1}).run(10)

    assert story.dispatch.confirmed == ["token-1"]
    assert min(sent.began_at for sent in story.receiver.sent) - story.began_at == pytest.approx(4)


def test_a_lease_of_nothing_is_not_confirmed() -> None:
    assert World().run(10).dispatch.confirmed == []


def test_what_is_given_back_unsent_is_not_confirmed() -> None:
    stopped = World(deliveries(3), api={"seconds": 2}).run(1)
    too_short = World(deliveries(3), granted_seconds=10).run(1)

    for story in (stopped, too_short):
        assert set(story.outcomes) == {each.id for each in deliveries(3)}
        assert story.dispatch.confirmed == []


@pytest.mark.parametrize("fault", FAULTS)
def test_without_an_answer_to_the_confirmation_it_is_sent_all_the_same(fault: Fault) -> None:
    """A claim that the api may have counted must not go unsent."""
    story = World(deliveries(3), api={"confirm_faults": [fault]}).run(15)

    assert story.outcomes == {each.id: ["delivered"] for each in deliveries(3)}


def test_the_time_that_a_confirmation_takes_is_the_leases() -> None:
    api = {"confirm_faults": [Fault.LOST_ANSWER], "time_out": 10}

    story = World(deliveries(3), {"lease_seconds": 20}, api=api).run(10.9)

    assert story.sent_ids == []
    assert story.outcomes == {each.id: ["released"] for each in deliveries(3)}


@pytest.mark.parametrize("number", [3, 300])
@pytest.mark.parametrize("lease_seconds", [60, 300])
def test_ten_minutes_of_lost_answers_bury_nothing_and_are_made_up_for_in_a_minute(
    number: int, lease_seconds: int
) -> None:
    world = World(
        deliveries(number),
        {"lease_seconds": lease_seconds},
        api={"answers_lost_seconds": 600},
    )

    story = world.run(660)

    assert story.receiver.sent[0].began_at - story.began_at > 600
    assert story.dispatch.dead == set()
    assert story.dispatch.done == {each.id for each in deliveries(number)}
    assert len(story.sent_ids) == number


@given(st.integers(20, 300), st.floats(0, 200))
def test_what_a_lost_answer_held_is_sent_within_a_minute_whenever_the_network_is_whole(
    lease_seconds: int, outage_seconds: float
) -> None:
    world = World(
        deliveries(120),
        {"lease_seconds": lease_seconds},
        api={"answers_lost_seconds": outage_seconds},
    )

    story = world.run(outage_seconds + 60)

    assert len(story.dispatch.done) == 120
