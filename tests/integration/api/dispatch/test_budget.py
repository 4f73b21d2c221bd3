"""The statements of a lease call: at most 12, however many rows there are."""

import pytest

from support.api.dispatch import Pipeline
from support.stores.statements import counting

BUDGET = 12


async def test_an_idle_lease_call(pipeline: Pipeline) -> None:
    with counting(pipeline.database) as sent:
        await pipeline.lease()
    assert [statement.split()[0] for statement in sent] == ["INSERT", "SELECT", "SELECT", "SELECT"]


async def test_a_lease_call_takes_as_many_statements_for_100_orders_as_for_one(
    pipeline: Pipeline,
) -> None:
    counts: list[int] = []
    for number in (1, 100):
        await pipeline.place(number)
        with counting(pipeline.database) as sent:
            assert len((await pipeline.lease()).ids) == number
        counts.append(len(sent))
    assert counts[0] == counts[1] <= BUDGET


async def test_a_lease_call_in_which_everything_happens_at_once(pipeline: Pipeline) -> None:
    everything = await pipeline.everything_at_once()
    with counting(pipeline.database) as sent:
        claim = await pipeline.lease()
    assert sorted(claim.ids)[:2] == sorted([everything.expired, everything.due])
    assert len(claim.ids) == 4
    assert await pipeline.states(everything.poison) == ["DEAD"]
    assert {action for _, action, _, _ in await pipeline.audited()} == {
        "delivery.dead",
        "order.blocked",
    }
    assert len(sent) == BUDGET


@pytest.mark.parametrize("number", [2, 12])
async def test_everything_many_times_over_takes_no_more(pipeline: Pipeline, number: int) -> None:
    for _ in range(number):
        await pipeline.everything_at_once()
    with counting(pipeline.database) as sent:
        claim = await pipeline.lease()
    assert len(claim.ids) == 4 * number
    assert len(await pipeline.audited()) == 2 * number
    assert len(sent) == BUDGET


async def test_a_repeated_lease_call(pipeline: Pipeline) -> None:
    await pipeline.place(3)
    claim = await pipeline.lease()
    with counting(pipeline.database) as sent:
        assert len((await pipeline.lease(claim.token)).ids) == 3
    assert [statement.split()[0] for statement in sent] == ["INSERT", "SELECT", "SELECT"]
