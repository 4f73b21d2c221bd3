"""Deliveries that kill their poller: they travel alone, then die alone."""

import pytest

from support.api.dispatch import Claim, Pipeline, past, result
from swapshop_api.dispatch.models import deliveries
from swapshop_api.dispatch.schemas import Outcome

BATCH = 20


async def test_after_two_unreported_claims_it_travels_alone(pipeline: Pipeline) -> None:
    ids = await pipeline.ready(3)
    await pipeline.abandon(times=2)
    claims = [await pipeline.lease() for _ in range(4)]
    assert sorted(claim.ids for claim in claims) == [[], *([id_] for id_ in ids)]


async def test_a_suspect_that_is_reported_travels_with_the_others_again(pipeline: Pipeline) -> None:
    ids = await pipeline.ready(2)
    await pipeline.abandon(times=2)
    for _ in ids:
        claim = await pipeline.lease()
        await pipeline.report(claim.token, result(claim.ids[0], "released"))
    assert sorted((await pipeline.lease()).ids) == ids


async def test_after_five_unreported_claims_it_is_dead_and_audited(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    await pipeline.abandon(times=4)
    claim = await pipeline.lease()
    assert claim.ids == [id_]
    await pipeline.dispatch.confirm(claim.token)
    await pipeline.expire(claim.token)
    assert (await pipeline.lease()).ids == []
    row = await pipeline.delivery(id_)
    assert (row["state"], row["lease_token"], row["lease_until"]) == ("DEAD", None, None)
    assert await pipeline.audited() == [("system", "delivery.dead", id_, "poison")]


@pytest.mark.parametrize("outcome", ["delivered", "retry", "away", "released"])
async def test_any_report_makes_it_as_good_as_new(pipeline: Pipeline, outcome: Outcome) -> None:
    (id_,) = await pipeline.ready(1)
    claim = Claim("", 0, [])
    for claims in range(5):
        row = await pipeline.delivery(id_)
        assert (row["state"], row["unreported_claims"]) == ("LEASED" if claims else "READY", claims)
        (claim,) = await pipeline.abandon()
    assert await pipeline.report(claim.token, result(id_, outcome)) == ["applied"]
    row = await pipeline.delivery(id_)
    assert (row["state"] != "DEAD", row["unreported_claims"]) == (True, 0)


async def test_a_dead_one_that_had_arrived_after_all_is_done(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    claims = await pipeline.abandon(times=5)
    await pipeline.lease()
    assert await pipeline.states() == ["DEAD"]
    assert await pipeline.report(claims[2].token, result(id_)) == ["applied"]
    assert await pipeline.states() == ["DONE"]


async def test_poison_does_not_hold_up_what_is_due_behind_it(pipeline: Pipeline) -> None:
    poison, healthy = await pipeline.ready(2)
    await pipeline.change(
        deliveries,
        deliveries.c.id == poison,
        state="LEASED",
        lease_token=poison,
        lease_until=past(60),
        unreported_claims=5,
    )
    assert (await pipeline.lease()).ids == [healthy]
    assert await pipeline.states(poison, healthy) == ["DEAD", "LEASED"]


async def test_one_poisonous_delivery_among_twenty_dies_alone(pipeline: Pipeline) -> None:
    """The poller dies whenever it holds the poison, before any report of that batch."""
    ids = await pipeline.ready(BATCH)
    poison = ids[7]
    deaths = 0
    while (claim := await pipeline.lease()).ids:
        await pipeline.dispatch.confirm(claim.token)
        if poison in claim.ids:
            deaths += 1
            await pipeline.expire(claim.token)
        else:
            await pipeline.report(claim.token, *map(result, claim.ids))
    assert deaths == 5
    states = dict(zip(ids, await pipeline.states(*ids), strict=True))
    assert states == {id_: "DEAD" if id_ == poison else "DONE" for id_ in ids}
    assert await pipeline.audited() == [("system", "delivery.dead", poison, "poison")]


async def test_new_orders_flow_past_a_suspect(pipeline: Pipeline) -> None:
    """It is held by a poller that dies again and again; the others never wait for it."""
    (suspect,) = await pipeline.ready(1)
    await pipeline.abandon(times=2)
    holder = await pipeline.lease()
    assert holder.ids == [suspect]
    for _ in range(3):
        await pipeline.place(2)
        claim = await pipeline.lease()
        assert len(claim.ids) == 2
        assert suspect not in claim.ids
        await pipeline.report(claim.token, *map(result, claim.ids))
