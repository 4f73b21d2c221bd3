"""Redrive: the only way out of DEAD and DONE, and the only fall of a delivery's counters."""

import pytest

from support.api.dispatch import OPERATOR, Pipeline, result
from swapshop_api.deliveries.problems import DeliveryNotFound, NotRedrivable
from swapshop_api.dispatch.models import deliveries
from swapshop_api.dispatch.schemas import Outcome


async def test_a_dead_delivery_begins_again(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    await pipeline.change(deliveries, deliveries.c.id == id_, attempts=7, aways=3)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(id_, "rejected", status=409))
    await pipeline.deliveries.redrive(OPERATOR, id_)
    row = await pipeline.delivery(id_)
    assert (row["state"], row["lease_token"], row["lease_until"]) == ("READY", None, None)
    assert (row["attempts"], row["aways"], row["unreported_claims"]) == (0, 0, 0)
    assert (await pipeline.audited())[-1] == (OPERATOR, "delivery.redriven", id_, "DEAD")
    assert (await pipeline.lease()).ids == [id_]


async def test_a_poisonous_delivery_that_is_redriven_is_no_suspect(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    await pipeline.abandon(times=5)
    await pipeline.lease()
    await pipeline.deliveries.redrive(OPERATOR, id_)
    await pipeline.place()
    assert len((await pipeline.lease()).ids) == 2


async def test_a_done_delivery_is_sent_again_with_the_same_bytes(pipeline: Pipeline) -> None:
    await pipeline.place()
    first = await pipeline.lease()
    (id_,) = first.ids
    await pipeline.report(first.token, result(id_))
    await pipeline.deliveries.redrive(OPERATOR, id_)
    assert (await pipeline.delivery(id_))["done_at"] is None
    assert (await pipeline.audited()) == [(OPERATOR, "delivery.redriven", id_, "DONE")]
    assert (await pipeline.lease()).deliveries == first.deliveries


async def test_a_delivery_under_way_is_left_alone(pipeline: Pipeline) -> None:
    ready, leased = await pipeline.ready(2)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(ready, "released"))
    before = await pipeline.rows(deliveries)
    for id_ in (ready, leased):
        with pytest.raises(NotRedrivable):
            await pipeline.deliveries.redrive(OPERATOR, id_)
    assert await pipeline.rows(deliveries) == before
    assert await pipeline.audited() == []


@pytest.mark.parametrize(
    "id_",
    [
        "018f0000-0000-7000-8000-00000000000a",
        "018F0000-0000-7000-8000-00000000000A",
        "018f0000000070008000000000000001",
        "{018f0000-0000-7000-8000-00000000000a}",
        "",
        "x'",
    ],
)
async def test_an_unknown_delivery_is_not_found(pipeline: Pipeline, id_: str) -> None:
    with pytest.raises(DeliveryNotFound):
        await pipeline.deliveries.redrive(OPERATOR, id_)


@pytest.mark.parametrize("outcome", ["delivered", "retry", "rejected", "released"])
async def test_a_report_of_a_claim_before_the_redrive_is_stale(
    pipeline: Pipeline, outcome: Outcome
) -> None:
    """The operator wants it sent once more, such as to a receiver that lost its data."""
    (id_,) = await pipeline.ready(1)
    (late,) = await pipeline.abandon()
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(id_))
    await pipeline.deliveries.redrive(OPERATOR, id_)
    before = await pipeline.rows(deliveries)

    assert await pipeline.report(late.token, result(id_, outcome)) == ["stale"]

    assert await pipeline.rows(deliveries) == before
    again = await pipeline.lease()
    assert again.ids == [id_]
    assert await pipeline.report(late.token, result(id_)) == ["stale"]
    assert await pipeline.report(again.token, result(id_)) == ["applied"]


async def test_a_report_that_was_recorded_before_the_redrive_is_answered_as_then(
    pipeline: Pipeline,
) -> None:
    (id_,) = await pipeline.ready(1)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(id_))
    await pipeline.deliveries.redrive(OPERATOR, id_)

    assert await pipeline.report(claim.token, result(id_)) == ["applied"]

    assert await pipeline.states() == ["READY"]


async def test_a_late_success_of_a_claim_after_the_redrive_counts(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(id_, "rejected", status=409))
    await pipeline.deliveries.redrive(OPERATOR, id_)
    (late,) = await pipeline.abandon()
    await pipeline.lease()

    assert await pipeline.report(late.token, result(id_)) == ["applied"]

    assert await pipeline.states() == ["DONE"]
