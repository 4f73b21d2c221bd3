"""The dispatch while the database's clock goes back and forth by ten minutes."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from support.api.dispatch import Claim, Pipeline, result
from support.stores.database_clock import DatabaseClock
from swapshop_api.dispatch.models import DONE, LEASED, READY, deliveries
from swapshop_api.dispatch.schemas import Outcome
from swapshop_kit.ids import new_id

_SKEW = timedelta(minutes=10)
_LEASE = timedelta(seconds=60)
_OUTCOMES: Sequence[Outcome] = ("delivered", "away", "released")


@pytest.fixture
def clock(pipeline: Pipeline) -> DatabaseClock:
    return DatabaseClock().govern(pipeline.database)


async def test_a_clock_that_is_put_back_holds_leases_and_retries_for_no_longer_than_the_skew(
    pipeline: Pipeline, clock: DatabaseClock
) -> None:
    clock.ahead = _SKEW
    held, retried = await pipeline.ready(2)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(retried, "retry"))  # due again at once

    clock.ahead = timedelta()
    await pipeline.place()
    (fresh,) = (await pipeline.lease()).ids
    assert fresh not in (held, retried)
    assert await pipeline.states(held, retried) == [LEASED, READY]

    clock.ahead = _SKEW + _LEASE + timedelta(seconds=10)
    assert {held, retried} <= set((await pipeline.lease()).ids)


async def test_a_clock_that_goes_forth_ends_leases_whose_pollers_are_still_heard(
    pipeline: Pipeline, clock: DatabaseClock
) -> None:
    delivered, failed = await pipeline.ready(2)
    early = await pipeline.lease()
    clock.ahead = _SKEW
    late = await pipeline.lease()
    assert set(early.ids) == set(late.ids) == {delivered, failed}

    report = [result(delivered), result(failed, "retry")]
    assert await pipeline.report(early.token, *report) == ["applied", "stale"]
    assert await pipeline.report(late.token, *report) == ["applied", "applied"]
    assert await pipeline.states(delivered, failed) == [DONE, READY]
    assert await pipeline.count(deliveries) == 2


@pytest.mark.parametrize("ahead", [-_SKEW, _SKEW], ids=["back", "forth"])
async def test_a_repeated_lease_call_promises_no_longer_than_was_asked_for(
    pipeline: Pipeline, clock: DatabaseClock, ahead: timedelta
) -> None:
    await pipeline.place(2)
    first = await pipeline.lease(seconds=60)
    clock.ahead = ahead
    again = await pipeline.lease(first.token, seconds=60)

    assert set(again.ids) == set(first.ids)
    assert 0 <= again.remaining_ms <= 60_000


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_the_clock_does_each_order_is_delivered_and_none_is_buried(
    pipeline: Pipeline, clock: DatabaseClock, seed: int
) -> None:
    """Three pollers that claim, die, report late or in time, and a clock that jumps."""
    choose = random.Random(seed)
    orders = 0
    claims: list[Claim] = []
    for _ in range(40):
        match choose.randrange(4):
            case 0:
                clock.ahead = choose.choice([-_SKEW, timedelta(), _SKEW])
            case 1:
                await pipeline.place()
                orders += 1
            case 2:
                claims.append(await pipeline.lease(choose.choice([None, new_id()]), limit=3))
            case _ if claims:
                claim = choose.choice(claims)
                outcomes: list[Outcome] = [choose.choice(_OUTCOMES) for _ in claim.ids]
                await pipeline.report(claim.token, *map(result, claim.ids, outcomes))
            case _:
                pass
    for _ in range(30):
        clock.ahead += _SKEW
        claim = await pipeline.lease()
        await pipeline.report(claim.token, *map(result, claim.ids))

    assert await pipeline.states() == [DONE] * orders
    assert await pipeline.audited() == []
