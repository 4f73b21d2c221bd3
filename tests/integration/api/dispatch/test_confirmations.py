"""Claims count against a delivery once their pollers confirmed them: lost answers bury nothing."""

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import select

from support.api.client import Shop, code_of
from support.api.dispatch import Pipeline, result
from support.stores.interruptions import interrupted
from support.stores.statements import counting
from swapshop_api.dispatch.models import deliveries, delivery_attempts, leases
from swapshop_api.dispatch.problems import LeaseNotFound
from swapshop_kit.ids import new_id

LEASES = "/internal/dispatch/leases"
on_mariadb = pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)


async def unreported(pipeline: Pipeline) -> dict[str, int]:
    """Claims that count, of each delivery."""
    return {row["id"]: row["unreported_claims"] for row in await pipeline.rows(deliveries)}


async def test_a_claim_counts_once_it_is_confirmed(pipeline: Pipeline) -> None:
    ids = await pipeline.ready(3)
    claim = await pipeline.lease(limit=2)
    before = await unreported(pipeline)

    for _ in range(3):
        await pipeline.dispatch.confirm(claim.token)

    assert before == dict.fromkeys(ids, 0)
    assert await unreported(pipeline) == {ids[0]: 1, ids[1]: 1, ids[2]: 0}


@pytest.mark.parametrize(("number", "limit"), [(3, 100), (30, 10)])
async def test_lost_answers_bury_nothing_and_slow_nothing_down(
    pipeline: Pipeline, number: int, limit: int
) -> None:
    ids = await pipeline.ready(number)
    await pipeline.lose_answers(times=20)

    leases_needed = 0
    while (claim := await pipeline.lease(limit=limit)).ids:
        leases_needed += 1
        await pipeline.dispatch.confirm(claim.token)
        await pipeline.report(claim.token, *map(result, claim.ids))

    assert leases_needed == -(-number // limit)
    assert await pipeline.states(*ids) == ["DONE"] * number
    assert await pipeline.audited() == []


async def test_lost_answers_between_the_deaths_of_pollers_do_not_count(pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    for _ in range(4):
        await pipeline.abandon()
        await pipeline.lose_answers(times=3)
    assert await pipeline.states() == ["LEASED"]
    await pipeline.abandon()
    assert (await pipeline.lease()).ids == []
    assert await pipeline.states() == ["DEAD"]
    assert await pipeline.audited() == [("system", "delivery.dead", id_, "poison")]


async def test_what_is_reported_before_the_confirmation_does_not_count(pipeline: Pipeline) -> None:
    released, held = await pipeline.ready(2)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(released, "released"))

    await pipeline.dispatch.confirm(claim.token)

    assert await unreported(pipeline) == {released: 0, held: 1}


async def test_a_claim_that_another_has_taken_over_does_not_count(pipeline: Pipeline) -> None:
    taken, still_held = await pipeline.ready(2)
    claim = await pipeline.lease()
    await pipeline.expire(claim.token)
    assert (await pipeline.lease(limit=1)).ids == [taken]

    await pipeline.dispatch.confirm(claim.token)

    assert await unreported(pipeline) == {taken: 0, still_held: 1}


async def test_a_claim_that_the_release_before_counted_does_not_count_again(
    pipeline: Pipeline,
) -> None:
    (id_,) = await pipeline.ready(1)
    claim = await pipeline.lease()
    await pipeline.change(leases, leases.c.token == claim.token, received=None)
    await pipeline.change(deliveries, deliveries.c.id == id_, unreported_claims=1)

    await pipeline.dispatch.confirm(claim.token)

    assert await unreported(pipeline) == {id_: 1}


async def test_a_claim_that_ran_out_is_known_to_have_though_it_never_counted(
    pipeline: Pipeline,
) -> None:
    await pipeline.ready(1)
    await pipeline.lose_answers(times=2)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, result(claim.ids[0], "released"))
    await pipeline.lease()
    took_over = [row["took_over"] for row in await pipeline.rows(delivery_attempts)]
    assert sorted(map(bool, took_over)) == [False, False, True, True]


async def test_a_token_that_never_claimed_changes_nothing(pipeline: Pipeline) -> None:
    await pipeline.ready(1)
    await pipeline.lease()
    before = await pipeline.rows(deliveries)

    await pipeline.dispatch.confirm(new_id())
    with pytest.raises(LeaseNotFound):
        await pipeline.dispatch.confirm("no-token")

    assert await pipeline.rows(deliveries) == before


@pytest.mark.parametrize("number", [1, 100])
async def test_a_confirmation_takes_four_statements_and_one_when_it_is_repeated(
    pipeline: Pipeline, number: int
) -> None:
    await pipeline.ready(number)
    claim = await pipeline.lease()
    for expected in (["UPDATE", "SELECT", "SELECT", "UPDATE"], ["UPDATE"]):
        with counting(pipeline.database) as sent:
            await pipeline.dispatch.confirm(claim.token)
        assert [statement.split()[0] for statement in sent] == expected


async def test_over_http_it_is_an_empty_answer(poller: Shop, pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    claim = await pipeline.lease()

    answer = await poller.post(f"{LEASES}/{claim.token}/receipt")
    malformed = await poller.post(f"{LEASES}/{claim.token.upper()}/receipt")

    assert (answer.status_code, answer.content) == (204, b"")
    assert code_of(malformed) == (404, "lease_not_found")
    assert await unreported(pipeline) == {id_: 1}


async def test_only_a_poller_may_confirm(customer: Shop, staff: Shop, pipeline: Pipeline) -> None:
    (id_,) = await pipeline.ready(1)
    claim = await pipeline.lease()
    for client in (customer, staff):
        refused = await client.post(f"{LEASES}/{claim.token}/receipt")
        assert code_of(refused) == (401, "unauthenticated")
    assert await unreported(pipeline) == {id_: 0}


@pytest.mark.parametrize("seed", range(10))
async def test_only_five_confirmed_claims_without_a_report_kill(
    pipeline: Pipeline, seed: int
) -> None:
    """Pollers take random steps; a tally kept beside them says what may be dead."""
    dice = random.Random(seed)
    ids = await pipeline.ready(3)
    tally = dict.fromkeys(ids, 0)
    open_claims: list[str] = []
    for _ in range(60):
        step = dice.choice(["lose", "die", "die", "report", "confirm late"])
        if step == "confirm late" and open_claims:
            await pipeline.dispatch.confirm(dice.choice(open_claims))  # confirmed or taken over
            continue
        poison = {id_ for id_, count in tally.items() if count >= 5}
        claim = await pipeline.lease(limit=dice.randint(1, 3))
        assert not poison & set(claim.ids)
        if step == "die":
            await pipeline.dispatch.confirm(claim.token)
            for id_ in claim.ids:
                tally[id_] += 1
            open_claims.append(claim.token)
        if step == "report":
            reported = [result(id_, "released") for id_ in claim.ids]
            if reported:
                await pipeline.report(claim.token, *reported)
            tally |= dict.fromkeys(claim.ids, 0)
        else:
            await pipeline.expire(claim.token)
    states = dict(zip(ids, await pipeline.states(*ids), strict=True))
    dead = {id_ for id_, state in states.items() if state == "DEAD"}
    assert dead <= {id_ for id_, count in tally.items() if count >= 5}
    assert all(tally[id_] == count for id_, count in (await unreported(pipeline)).items())


@on_mariadb
async def test_confirmations_reports_and_leases_of_the_same_rows_never_deadlock(
    pipeline: Pipeline,
) -> None:
    dice = random.Random(1)
    for _ in range(4):
        await pipeline.ready(12)
        (late,) = await pipeline.lose_answers()
        held = await pipeline.lease(limit=6)
        calls = [
            *(pipeline.dispatch.confirm(token) for token in [late.token, held.token] * 3),
            *(pipeline.report(late.token, result(id_)) for id_ in late.ids),
            *(pipeline.lease(limit=3) for _ in range(6)),
        ]
        dice.shuffle(calls)
        async with asyncio.TaskGroup() as tasks:
            for call in calls:
                tasks.create_task(call)
        assert set(await pipeline.states(*late.ids)) == {"DONE"}


@on_mariadb
async def test_a_claim_that_is_taken_over_meanwhile_does_not_count(pipeline: Pipeline) -> None:
    """The confirmation is held after it has read what the token holds, and before it locks it."""
    (id_,) = await pipeline.ready(1)
    claim = await pipeline.lease()
    is_held, opened = asyncio.Event(), asyncio.Event()

    async def hold(number: int, _statement: str, _driver: Any) -> None:
        if number == 3 and not is_held.is_set():
            is_held.set()
            await opened.wait()

    with interrupted(pipeline.database, hold):
        async with asyncio.TaskGroup() as calls:
            calls.create_task(pipeline.dispatch.confirm(claim.token))
            await is_held.wait()
            await pipeline.expire(claim.token)
            assert (await pipeline.lease()).ids == [id_]
            opened.set()
    assert await unreported(pipeline) == {id_: 0}


@on_mariadb
@pytest.mark.parametrize("others", [1, 10])
async def test_a_confirmation_waits_for_nothing_but_its_own_deliveries(
    pipeline: Pipeline, others: int
) -> None:
    """However few rows there are: a table scan would wait for those of others."""
    await pipeline.ready(2 * others)
    mine = await pipeline.lease(limit=others)
    theirs = await pipeline.lease(limit=others)
    async with pipeline.database.engine.connect() as other:
        query = select(deliveries.c.id).where(deliveries.c.lease_token == theirs.token)
        await other.execute(query.with_for_update())
        await other.execute(
            select(leases.c.token).where(leases.c.token == theirs.token).with_for_update()
        )
        await pipeline.dispatch.confirm(mine.token)  # a wait would end in an error
        await other.rollback()
    counts = await unreported(pipeline)
    assert [counts[id_] for id_ in mine.ids + theirs.ids] == [1] * others + [0] * others
