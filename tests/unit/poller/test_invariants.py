"""Invariants for any behaviour of the api and the receiver, and any time of a stop."""

from collections import defaultdict
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from support.poller.builders import deliveries, poller_settings
from support.poller.in_memory import Fault, Reaction, Story, World
from swapshop_poller.contract import Outcome
from swapshop_poller.policy import Answer, Cause, Failure, judge
from swapshop_poller.round import Ending

RESERVE = poller_settings().reserve_seconds

ATTEMPTS = [
    *(
        Answer(status)
        for status in (200, 204, 302, 400, 401, 404, 409, 422, 429, 500, 502, 503, 700)
    ),
    *(Failure(cause, "made up") for cause in Cause),
]

reactions = st.builds(
    Reaction,
    st.sampled_from([Answer(200)] * 8 + ATTEMPTS),
    st.sampled_from([0.0, 0.01, 0.5, 3.0, 9.9, 10.0]),
)


@st.composite
def worlds(draw: st.DrawFn, faults: st.SearchStrategy[Fault]) -> World:
    waiting = deliveries(draw(st.integers(0, 25)))
    scripts = st.lists(reactions, max_size=3)
    return World(
        waiting,
        settings={
            "batch_size": draw(st.integers(1, 20)),
            "concurrency": draw(st.integers(1, 6)),
            "lease_seconds": draw(st.sampled_from([20, 27, 60])),
        },
        script={each.id: draw(scripts) for each in waiting},
        then=draw(reactions),
        api={
            "lease_faults": draw(st.lists(faults, max_size=8)),
            "report_faults": draw(st.lists(faults, max_size=8)),
            "confirm_faults": draw(st.lists(faults, max_size=8)),
            "seconds": draw(st.sampled_from([0.0, 0.01, 2.0])),
            "time_out": draw(st.sampled_from([4.0, 10.0])),
        },
        granted_seconds=draw(st.sampled_from([18.0, 300.0])),
    )


def results_by_lease(story: Story) -> dict[tuple[str, str], list[Any]]:
    """Return each delivery's reports by their lease."""
    grouped: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for token, result in story.dispatch.reports:
        grouped[token, result.delivery_id].append(result)
    return grouped


@given(worlds(st.sampled_from(Fault)), st.floats(0, 150))
def test_sending_keeps_its_limits(world: World, seconds: float) -> None:
    story = world.run(seconds)

    assert story.receiver.in_flight == 0
    assert story.receiver.most_in_flight <= world.settings["concurrency"]
    # Sends begin early enough that even the slowest answer can be reported.
    assert all(sent.lease_ends_at - sent.began_at >= RESERVE - 1e-6 for sent in story.receiver.sent)
    assert all(at - story.began_at <= seconds for at, _ in story.api.lease_calls)
    assert all(count <= 50 for _, count in story.api.report_calls)


@given(worlds(st.sampled_from(Fault)), st.floats(0, 150))
def test_each_lease_sends_a_delivery_at_most_once_and_says_one_thing_of_it(
    world: World, seconds: float
) -> None:
    story = world.run(seconds)

    sent = [(each.lease_ends_at, each.delivery_id) for each in story.receiver.sent]
    assert len(sent) == len(set(sent))
    assert all(len(set(results)) == 1 for results in results_by_lease(story).values())


@given(worlds(st.just(Fault.NONE)), st.floats(0, 150))
def test_with_an_api_that_answers_every_leased_delivery_is_reported_exactly_once(
    world: World, seconds: float
) -> None:
    story = world.run(seconds)

    reported = results_by_lease(story)
    event(f"leased {min(len(reported), 10)}")
    assert story.dispatch.held == set()
    assert all(len(results) == 1 for results in reported.values())
    # Unsent deliveries are released, for a reason other than the delivery itself.
    unsent = [
        result
        for [result] in reported.values()
        if result.status is None and result.error in set(Ending)
    ]
    assert {result.outcome for result in unsent} <= {Outcome.RELEASED}
    assert len(reported) - len(unsent) == len(story.receiver.sent)


@given(worlds(st.sampled_from(Fault)), st.floats(0, 150))
def test_what_stays_leased_was_lost_on_the_way_and_runs_out(world: World, seconds: float) -> None:
    story = world.run(seconds)

    met = [
        *world.api["lease_faults"][: len(story.api.lease_calls)],
        *world.api["report_faults"][: len(story.api.report_calls)],
        *world.api["confirm_faults"],
    ]
    if story.dispatch.held:
        assert any(fault is not Fault.NONE for fault in met)
    done = {each.delivery_id for each in story.receiver.sent if is_final(each.attempt)}
    assert story.dispatch.done <= done


@given(worlds(st.sampled_from(Fault)), st.floats(0, 600))
def test_nothing_dies_that_was_never_sent(world: World, seconds: float) -> None:
    story = world.run(seconds)

    assert story.dispatch.dead <= set(story.sent_ids)


@given(worlds(st.sampled_from([Fault.NONE, Fault.LOST_ANSWER])), st.floats(0, 150))
def test_nothing_is_sent_before_the_api_knows_that_its_poller_has_it(
    world: World, seconds: float
) -> None:
    story = world.run(seconds)

    assert story.receiver.sent_unconfirmed == []


def is_final(attempt: Answer | Failure) -> bool:
    return judge(attempt).outcome in (Outcome.DELIVERED, Outcome.REJECTED)
