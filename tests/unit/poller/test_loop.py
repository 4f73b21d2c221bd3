"""When the poller claims, and how it handles a failing api or receiver."""

import pytest

from support.poller.builders import deliveries
from support.poller.in_memory import Fault, Reaction, World
from swapshop_poller.policy import Answer, Cause, Failure

AWAY = Reaction(Failure(Cause.NO_CONNECTION, "ConnectError"))


def test_full_batches_follow_one_another_at_once() -> None:
    story = World(deliveries(25), {"batch_size": 10}).run(0.5)

    assert [limit for _, _, limit in story.leases] == [10, 10, 10]
    assert len(story.sent_ids) == 25


def test_a_full_batch_that_nobody_took_is_not_followed_at_once() -> None:
    story = World(deliveries(25), {"batch_size": 10}, then=Reaction(Answer(500))).run(0.9)

    assert len(story.leases) == 1


def test_a_lost_lease_answer_is_asked_for_again_by_the_same_token() -> None:
    story = World(deliveries(3), api={"lease_faults": [Fault.LOST_ANSWER] * 2}).run(23)

    assert story.leases[:3] == [(0, "token-1", 50), (10.5, "token-1", 50), (21.5, "token-1", 50)]
    assert story.outcomes == {each.id: ["delivered"] for each in deliveries(3)}
    assert {token for token, _ in story.dispatch.reports} == {"token-1"}


def test_an_answered_token_is_never_used_again() -> None:
    story = World(deliveries(3)).run(3)

    assert [token for _, token, _ in story.leases] == ["token-1", "token-2", "token-3"]


def test_the_lease_counts_from_the_first_try_of_its_token() -> None:
    """The second attempt claims at 24.5 s for 40 s; by the poller's clock 15.5 s remain."""
    api = {"lease_faults": [Fault.LOST_REQUEST], "time_out": 24}

    story = World(
        deliveries(3), {"lease_seconds": 40, "concurrency": 1}, then=Reaction(seconds=1), api=api
    ).run(25.6)

    assert story.leases == [(0, "token-1", 50), (24.5, "token-1", 50)]
    assert story.outcomes == {
        "delivery-1": ["delivered"],
        "delivery-2": ["released"],
        "delivery-3": ["released"],
    }


def test_a_lease_that_the_api_says_is_shorter_is_believed() -> None:
    story = World(
        deliveries(3), {"concurrency": 1}, then=Reaction(seconds=8), granted_seconds=30
    ).run(16.5)

    assert story.sent_ids == ["delivery-1", "delivery-2"]
    assert story.results("delivery-3")[0].error == "lease short"


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.UNAVAILABLE])
def test_a_token_is_kept_until_it_is_answered_and_gives_back_what_it_cannot_send(
    fault: Fault,
) -> None:
    api = {"lease_faults": [fault] * 20, "time_out": 10.0}

    story = World(deliveries(3), {"lease_seconds": 30}, api=api).run(400)

    tokens = [token for _, token, _ in story.leases]
    assert tokens[:23] == ["token-1"] * 21 + ["token-2", "token-3"]
    assert story.outcomes == {each.id: ["released", "delivered"] for each in deliveries(3)}
    assert story.results("delivery-1")[0].error == "lease short"
    assert {token for token, _ in story.dispatch.reports} == {"token-1", "token-2"}


def test_a_token_that_is_refused_is_replaced_once_nothing_could_be_sent_under_it() -> None:
    """One delivery in the answer may be the cause, and must not hold up the others for ever."""
    api = {"lease_faults": [Fault.UNREADABLE] * 7, "seconds": 0}

    story = World(deliveries(3), {"lease_seconds": 30, "batch_size": 2}, api=api).run(40)

    assert [token for _, token, _ in story.leases[:8]] == ["token-1"] * 7 + ["token-2"]
    assert story.sent_ids == ["delivery-3", "delivery-1", "delivery-2"]
    assert story.receiver.sent[0].began_at - story.began_at == pytest.approx(22.5)


def test_an_api_that_is_away_is_asked_more_and_more_rarely() -> None:
    story = World(api={"lease_faults": [Fault.UNAVAILABLE] * 100, "seconds": 0}).run(24)

    assert [at for at, _, _ in story.leases] == [0, 0.5, 1.5, 3.5, 7.5, 12.5, 17.5, 22.5]
    assert story.poller.has_leased is False


def test_an_api_that_came_back_is_trusted_again() -> None:
    faults = [Fault.UNAVAILABLE] * 4 + [Fault.NONE, Fault.UNAVAILABLE]

    story = World(api={"lease_faults": faults, "seconds": 0}).run(9.2)

    assert [at for at, _, _ in story.leases] == [0, 0.5, 1.5, 3.5, 7.5, 8.5, 9.0]
    assert story.poller.api_failures == 0


def test_an_api_that_refuses_is_asked_again_after_a_pause() -> None:
    api = {"lease_faults": [Fault.REFUSED] * 2, "seconds": 0}

    story = World(deliveries(1), api=api).run(1.6)

    assert [at for at, _, _ in story.leases] == [0, 0.5, 1.5]
    assert story.sent_ids == ["delivery-1"]


def test_five_aways_over_several_rounds_begin_probing() -> None:
    """One delivery is due at a time, as in a quiet shop."""
    story = World(deliveries(1), then=AWAY).run(60)

    first_probe_at = next(at for at, _, limit in story.leases if limit == 1)
    before = [
        each for each in story.receiver.sent if each.began_at - story.began_at < first_probe_at
    ]
    assert len(before) == 5
    assert len(story.sent_ids) > 5
    assert {limit for at, _, limit in story.leases if at > first_probe_at} == {1}


def test_a_receiver_that_is_away_is_probed_every_five_seconds() -> None:
    story = World(deliveries(20), {"concurrency": 1}, then=AWAY, api={"seconds": 0}).run(22)

    assert [(round(at), limit) for at, _, limit in story.leases] == [
        (0, 50),
        (5, 1),
        (10, 1),
        (15, 1),
        (20, 1),
    ]
    assert len(story.sent_ids) == 5 + 4


def test_probing_goes_on_while_nothing_is_due() -> None:
    story = World(deliveries(5), {"concurrency": 1}, then=AWAY, api={"seconds": 0}).run(5.2)

    assert [limit for _, _, limit in story.leases] == [50, 1]
    assert story.poller.receiver.is_away


@pytest.mark.parametrize("attempt", [Answer(200), Answer(422), Answer(409), Answer(429)])
def test_any_answer_that_is_not_away_ends_the_probing(attempt: Answer) -> None:
    script = {each.id: [AWAY, Reaction(attempt)] for each in deliveries(5)}

    story = World(deliveries(5), {"concurrency": 1}, script, api={"seconds": 0}).run(6.9)

    assert [(round(at), limit) for at, _, limit in story.leases] == [
        (0, 50),
        (5, 1),
        (6, 50),
    ]
    assert story.poller.receiver.needs_probe is False


@pytest.mark.parametrize("status", [302, 401, 403, 404])
def test_a_misconfigured_receiver_is_probed_until_it_answers_otherwise(status: int) -> None:
    script = {"delivery-1": [Reaction(Answer(status))] * 3}

    story = World(deliveries(1), script=script, api={"seconds": 0}).run(16.9)

    assert [(round(at), limit) for at, _, limit in story.leases] == [
        (0, 50),
        (5, 1),
        (10, 1),
        (15, 1),
        (16, 50),
    ]
    assert story.outcomes == {"delivery-1": ["released"] * 3 + ["delivered"]}


def test_a_misconfiguration_pauses_even_when_an_answer_in_flight_is_good() -> None:
    script = {"delivery-1": [Reaction(Answer(404), 1)], "delivery-2": [Reaction(seconds=2)]}

    story = World(deliveries(9), {"concurrency": 2}, script, api={"seconds": 0}).run(6.9)

    assert [(round(at), limit) for at, _, limit in story.leases] == [(0, 50)]
    assert story.poller.receiver.needs_probe is False


def test_a_stop_interrupts_a_pause() -> None:
    story = World(settings={"idle_seconds": 60}).run(3)

    assert story.seconds == pytest.approx(3)


def test_a_stop_while_the_lease_is_asked_for_releases_all_of_it() -> None:
    story = World(deliveries(4), api={"seconds": 2}).run(1)

    assert story.sent_ids == []
    assert story.outcomes == {each.id: ["released"] for each in deliveries(4)}
    assert story.results("delivery-1")[0].error == "stopped"


def test_a_poller_that_is_stopped_before_it_begins_claims_nothing() -> None:
    story = World(deliveries(4)).run(0)

    assert story.leases == []


def test_an_api_that_never_answers_is_given_up() -> None:
    api = {"lease_faults": [Fault.LOST_REQUEST] * 100, "time_out": 3}

    story = World(api=api).run(45, give_up_seconds=10)

    assert [at for at, _, _ in story.leases] == [0, 3.5, 7.5]
    assert story.seconds == pytest.approx(10.5)


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.REFUSED])
def test_an_api_that_answers_anything_is_not_given_up(fault: Fault) -> None:
    story = World(deliveries(1), api={"lease_faults": [fault] * 6}).run(20, give_up_seconds=10)

    assert story.seconds == pytest.approx(20)
    assert story.sent_ids == ["delivery-1"]


def test_an_api_that_went_away_later_is_not_given_up() -> None:
    faults = [Fault.NONE] + [Fault.LOST_REQUEST] * 100

    story = World(api={"lease_faults": faults, "time_out": 3}).run(45, give_up_seconds=10)

    assert story.seconds >= 45
    assert story.poller.has_leased
