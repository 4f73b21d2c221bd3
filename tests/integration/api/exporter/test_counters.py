"""Counters made from rows never fall, whatever pollers, operators and the purge do."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import true

from support.api.dispatch import OPERATOR, Claim, Pipeline, past, result
from support.api.exporter import COUNTERS, Samples, Watch
from swapshop_api.audit.models import audit
from swapshop_api.dispatch.models import DEAD, DONE, deliveries, delivery_attempts
from swapshop_api.housekeeping.domain import keep_house

EXPIRED = "swapshop_lease_expirations_total"
LEASED = "swapshop_deliveries_leased_total"
DELIVERED = "swapshop_deliveries_delivered_total"
OLD = 91 * 86_400


async def purge(pipeline: Pipeline, batch_size: int = 1000) -> None:
    """Let all rows be old, and keep house."""
    await pipeline.change(delivery_attempts, true(), claimed_at=past(OLD))
    await pipeline.change(audit, true(), at=past(OLD))
    await pipeline.change(deliveries, deliveries.c.state == DONE, done_at=past(OLD))
    await keep_house(pipeline.database, batch_size)


def counters(shown: Samples) -> Mapping[str, float]:
    return {name: value for name, value in shown.items() if name.partition("{")[0] in COUNTERS}


async def test_a_claim_that_is_taken_over_has_expired(watched: Watch, pipeline: Pipeline) -> None:
    await pipeline.place(2)
    await pipeline.abandon()
    assert (await watched.look())[EXPIRED] == 0
    await pipeline.lease()
    shown = await watched.look()
    assert (shown[EXPIRED], shown[LEASED]) == (2, 4)


async def test_a_late_success_does_not_undo_that_the_claim_expired(
    watched: Watch, pipeline: Pipeline
) -> None:
    await pipeline.place()
    [late] = await pipeline.abandon()
    await pipeline.lease()
    assert await pipeline.report(late.token, result(late.ids[0])) == ["applied"]
    shown = await watched.look()
    assert (shown[EXPIRED], shown[DELIVERED]) == (1, 1)


async def test_a_report_after_the_lease_but_before_another_claim_is_in_time(
    watched: Watch, pipeline: Pipeline
) -> None:
    await pipeline.place()
    [claim] = await pipeline.abandon()
    assert await pipeline.report(claim.token, result(claim.ids[0], "released")) == ["applied"]
    await pipeline.lease()
    assert (await watched.look())[EXPIRED] == 0


async def test_a_poisons_five_claims_expired(watched: Watch, pipeline: Pipeline) -> None:
    await pipeline.place()
    await pipeline.abandon(times=5)
    await pipeline.lease()
    assert await pipeline.states() == ["DEAD"]
    shown = await watched.look()
    assert (shown[EXPIRED], shown["swapshop_dead_letters_total{poison}"]) == (5, 1)
    await purge(pipeline)
    assert counters(await watched.look()) == counters(shown)
    [dead] = [row["id"] for row in await pipeline.rows(deliveries)]
    await pipeline.deliveries.redrive(OPERATOR, dead)
    await pipeline.abandon()
    await pipeline.lease()
    assert (await watched.look())[EXPIRED] == 6


@pytest.mark.parametrize("batch_size", [1, 2, 1000])
async def test_a_purge_changes_no_counter(
    watched: Watch, pipeline: Pipeline, batch_size: int
) -> None:
    await pipeline.everything_at_once()
    await pipeline.abandon(times=2)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, *map(result, claim.ids))
    before = counters(await watched.look())
    assert min(before[LEASED], before[DELIVERED], before[EXPIRED]) > 0
    await purge(pipeline, batch_size)
    assert await pipeline.count(delivery_attempts) == 0
    assert counters(await watched.look()) == before


# --- any history ---


async def _place(pipeline: Pipeline, _: list[Claim], number: int) -> None:
    await pipeline.place(1 + number % 2)


async def _lease(pipeline: Pipeline, claims: list[Claim], _: int) -> None:
    await pipeline.make_due(*[row["id"] for row in await pipeline.rows(deliveries)])
    claims.append(await pipeline.lease())


async def _expire(pipeline: Pipeline, claims: list[Claim], number: int) -> None:
    if claims:
        await pipeline.expire(claims[number % len(claims)].token)


async def _report(pipeline: Pipeline, claims: list[Claim], number: int) -> None:
    """Of any claim, however late, and perhaps again."""
    outcomes: list[Any] = [
        ("delivered", 200),
        ("retry", 500),
        ("rejected", 409),
        ("released", None),
    ]
    if claims:
        claim = claims[number % len(claims)]
        outcome, status = outcomes[number // 3 % len(outcomes)]
        reports = [result(id_, outcome, status=status) for id_ in claim.ids]
        if reports:
            await pipeline.report(claim.token, *reports)


async def _redrive(pipeline: Pipeline, _: list[Claim], number: int) -> None:
    ended = [row["id"] for row in await pipeline.rows(deliveries) if row["state"] in (DEAD, DONE)]
    if ended:
        await pipeline.deliveries.redrive(OPERATOR, ended[number % len(ended)])


async def _purge(pipeline: Pipeline, _: list[Claim], number: int) -> None:
    await purge(pipeline, 1 + number % 3)


Step = Callable[[Pipeline, list[Claim], int], Awaitable[None]]
STEPS: list[Step] = [_place, _lease, _lease, _expire, _report, _report, _redrive, _purge]


@pytest.mark.parametrize("stores", ["sqlite-valkey"], indirect=True)
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), max_size=16))
async def test_no_counter_ever_falls(
    watched: Watch, pipeline: Pipeline, steps: list[tuple[Step, int]]
) -> None:
    """One database for all examples: what they leave behind is counted on."""
    claims: list[Claim] = []
    before = counters(await watched.look())
    for step, number in steps:
        await step(pipeline, claims, number)
        after = counters(await watched.look())
        assert all(after[name] >= value for name, value in before.items()), (step, before, after)
        before = after
