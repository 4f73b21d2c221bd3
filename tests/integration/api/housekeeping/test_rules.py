"""What housekeeping purges, and what it leaves."""

from datetime import timedelta

import pytest
from sqlalchemy import Table

from support.api.dispatch import Pipeline, past, result
from support.api.housekeeping import add, count_of, totals_of
from swapshop_api.audit.models import audit
from swapshop_api.auth.models import refresh_families, refresh_tokens
from swapshop_api.dispatch.models import deliveries, delivery_attempts, leases
from swapshop_api.housekeeping.domain import keep_house
from swapshop_api.housekeeping.models import totals
from swapshop_api.orders.models import order_items, orders
from swapshop_kit.database import Database

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
CUTOFFS = [
    (refresh_tokens, timedelta(0)),
    (refresh_families, timedelta(0)),
    (leases, timedelta(days=1)),
    (delivery_attempts, timedelta(days=90)),
    (deliveries, timedelta(days=90)),
    (audit, timedelta(days=90)),
]
LONG = timedelta(days=400)


@pytest.mark.parametrize(("table", "lifetime"), CUTOFFS, ids=[t.name for t, _ in CUTOFFS])
async def test_what_is_just_inside_stays_and_what_is_just_outside_goes(
    database: Database, table: Table, lifetime: timedelta
) -> None:
    await add(database, table, lifetime - MINUTE, 2)
    await add(database, table, lifetime + SECOND, 3)
    purged = await keep_house(database)
    assert purged == {**{each.name: 0 for each, _ in CUTOFFS}, table.name: 3}
    assert await count_of(database, table) == 2
    assert set((await keep_house(database)).values()) == {0}


@pytest.mark.parametrize(("table", "lifetime"), CUTOFFS, ids=[t.name for t, _ in CUTOFFS])
@pytest.mark.parametrize("count", [9, 10])
async def test_batches_of_three_purge_it_all(
    database: Database, table: Table, lifetime: timedelta, count: int
) -> None:
    await add(database, table, lifetime + SECOND, count)
    await add(database, table, lifetime - MINUTE)
    assert (await keep_house(database, batch_size=3))[table.name] == count
    assert await count_of(database, table) == 1


async def test_nothing_to_purge(database: Database) -> None:
    assert set((await keep_house(database)).values()) == {0}
    assert await totals_of(database) == {}


@pytest.mark.parametrize("state", ["READY", "LEASED", "DEAD"])
async def test_a_delivery_that_is_not_done_is_kept_for_ever(database: Database, state: str) -> None:
    await add(database, deliveries, LONG, state=state)
    await keep_house(database)
    assert await count_of(database, deliveries) == 1


async def test_orders_stay_for_ever(pipeline: Pipeline) -> None:
    """With their lines, when their delivery and its attempts are gone; a read is as before."""
    await pipeline.place(2)
    claim = await pipeline.lease()
    await pipeline.report(claim.token, *map(result, claim.ids))
    await pipeline.place()
    year = 366 * 86_400
    await pipeline.change(orders, orders.c.id.is_not(None), created_at=past(year))
    await pipeline.change(
        deliveries, deliveries.c.id.is_not(None), created_at=past(year), done_at=past(year)
    )
    await pipeline.change(
        delivery_attempts, delivery_attempts.c.lease_token == claim.token, claimed_at=past(year)
    )
    before = [await pipeline.rows(table) for table in (orders, order_items)]
    purged = await keep_house(pipeline.database)
    assert (purged["deliveries"], purged["delivery_attempts"]) == (2, 2)
    assert [await pipeline.rows(table) for table in (orders, order_items)] == before
    assert await pipeline.states() == []
    # the processed ones are not sent again; the pending one is
    assert len((await pipeline.lease()).ids) == 1


async def test_a_report_of_a_purged_attempt_is_stale(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    await pipeline.change(
        delivery_attempts,
        delivery_attempts.c.lease_token == claim.token,
        claimed_at=past(91 * 86_400),
    )
    await keep_house(pipeline.database)
    assert await pipeline.report(claim.token, result(claim.ids[0])) == ["stale"]
    assert await pipeline.states() == ["LEASED"]


async def test_a_delivery_outlives_its_lease_and_its_attempts(pipeline: Pipeline) -> None:
    await pipeline.place()
    claim = await pipeline.lease()
    await pipeline.change(leases, leases.c.token == claim.token, created_at=past(91 * 86_400))
    await pipeline.change(
        delivery_attempts,
        delivery_attempts.c.lease_token == claim.token,
        claimed_at=past(91 * 86_400),
    )
    await pipeline.expire(claim.token)
    purged = await keep_house(pipeline.database)
    assert (purged["leases"], purged["delivery_attempts"], purged["deliveries"]) == (1, 1, 0)
    again = await pipeline.lease()
    assert again.ids == claim.ids
    assert await pipeline.report(again.token, result(again.ids[0])) == ["applied"]


async def test_the_poller_heartbeat_of_today_is_kept(pipeline: Pipeline) -> None:
    await pipeline.lease()
    await keep_house(pipeline.database)
    assert await pipeline.count(leases) == 1
    assert await pipeline.count(totals) == 0
