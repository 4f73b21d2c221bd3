"""What waits for whom: nothing waits for a row that another call is at work on."""

import asyncio
import base64
import json
from typing import Any

import pytest
from sqlalchemy import select

from support.api.dispatch import Pipeline, result
from support.stores.interruptions import Gate, interrupted, is_waiting_for_a_lock
from support.stores.pairs import Stores
from support.waiting import until
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.dispatch.models import deliveries, delivery_attempts, leases
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.models import orders
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id

NO_WAIT_SECONDS = 15
"""What others hold is held for longer: a call that waited for it would never come through."""
on_mariadb = pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)


async def test_a_repeated_call_waits_for_the_first_and_returns_the_same_rows(
    pipeline: Pipeline, stores: Stores, cache: OrderCache
) -> None:
    """The first is held right before its COMMIT; the second is sent to another pod meanwhile."""
    await pipeline.place(3)
    database = Database(create_engine(stores.database_url))
    other_pod = Pipeline(database, pipeline.orders, Dispatch(database, cache), pipeline.deliveries)
    token, gate, sent = new_id(), Gate(), asyncio.Event()

    async def tell(_number: int, _statement: str, _driver: Any) -> None:
        sent.set()

    with interrupted(pipeline.database, gate), interrupted(database, tell):
        async with asyncio.TaskGroup() as calls:
            first = calls.create_task(pipeline.lease(token, limit=2))
            await gate.is_held.wait()
            second = calls.create_task(other_pod.lease(token, limit=2))
            if not stores.is_sqlite:  # whose BEGIN IMMEDIATE waits already
                await sent.wait()
            gate.opened.set()
    await database.close()
    assert sorted(second.result().ids) == sorted(first.result().ids)
    assert len(first.result().ids) == 2
    assert await pipeline.count(leases) == 1
    assert await pipeline.count(delivery_attempts) == 2


@on_mariadb
async def test_a_repeated_call_that_waits_holds_nothing_that_others_could_claim(
    pipeline: Pipeline,
) -> None:
    await pipeline.place(3)
    token, gate = new_id(), Gate()
    with interrupted(pipeline.database, gate):
        async with asyncio.TaskGroup() as calls:
            calls.create_task(pipeline.lease(token, limit=2))
            await gate.is_held.wait()
            calls.create_task(pipeline.lease(token, limit=2))
            await until(lambda: is_waiting_for_a_lock(pipeline.database))
            async with asyncio.timeout(NO_WAIT_SECONDS):
                claim = await pipeline.lease()
            gate.opened.set()
    assert len(claim.ids) == 1


@on_mariadb
async def test_rows_that_another_transaction_holds_do_not_delay_a_lease(
    pipeline: Pipeline,
) -> None:
    held, due = await pipeline.ready(2)
    held_order, order = await pipeline.place(2)
    async with pipeline.database.engine.connect() as other:
        for table, id_ in ((orders, held_order), (deliveries, held)):
            await other.execute(select(table.c.id).where(table.c.id == id_).with_for_update())
        async with asyncio.timeout(NO_WAIT_SECONDS):
            claim = await pipeline.lease()
        await other.rollback()
    assert due in claim.ids
    assert held not in claim.ids
    events = [json.loads(base64.b64decode(each.body)) for each in claim.deliveries]
    assert events[1]["order_id"] == order
    assert len(events) == 2
    assert len((await pipeline.lease()).ids) == 2


@on_mariadb
async def test_two_leases_at_once_neither_wait_nor_share(pipeline: Pipeline) -> None:
    """The first is held with all its locks, while the second comes and goes."""
    await pipeline.ready(3)
    await pipeline.place(3)
    gate = Gate()
    with interrupted(pipeline.database, gate):
        async with asyncio.TaskGroup() as calls:
            first = calls.create_task(pipeline.lease(limit=2))
            await gate.is_held.wait()
            async with asyncio.timeout(NO_WAIT_SECONDS):
                second = await pipeline.lease(limit=2)
            gate.opened.set()
    assert len(second.ids) == 2
    assert not set(first.result().ids) & set(second.ids)


@on_mariadb
async def test_a_late_report_waits_for_the_lease_that_claims_its_delivery(
    pipeline: Pipeline,
) -> None:
    (id_,) = await pipeline.ready(1)
    (late,) = await pipeline.abandon()
    gate = Gate()
    with interrupted(pipeline.database, gate):
        async with asyncio.TaskGroup() as calls:
            lease = calls.create_task(pipeline.lease())
            await gate.is_held.wait()
            report = calls.create_task(pipeline.report(late.token, result(id_, "retry")))
            await gate.others_came.wait()
            gate.opened.set()
    assert (lease.result().ids, report.result()) == ([id_], ["stale"])
    row = await pipeline.delivery(id_)
    assert (row["state"], row["lease_token"]) == ("LEASED", lease.result().token)


@on_mariadb
@pytest.mark.parametrize("others", [1, 3, 10])
async def test_a_report_waits_for_nothing_but_its_own_deliveries(
    pipeline: Pipeline, others: int
) -> None:
    """However few rows there are: a table scan would lock them all."""
    await pipeline.ready(2 * others)
    mine = await pipeline.lease(limit=others)
    theirs = await pipeline.lease(limit=others)
    async with pipeline.database.engine.connect() as other:
        query = select(deliveries.c.id).where(deliveries.c.lease_token == theirs.token)
        await other.execute(query.with_for_update())
        async with asyncio.timeout(NO_WAIT_SECONDS):
            assert set(await pipeline.report(mine.token, *map(result, mine.ids))) == {"applied"}
        await other.rollback()
    assert await pipeline.states(*mine.ids) == ["DONE"] * others
