"""Counters made from rows never fall: rows and totals together stay what they were."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from support.api.housekeeping import add, count_of, totals_of
from support.stores.interruptions import Gate, interrupted, kill_connection
from support.stores.pairs import Stores
from swapshop_api.audit.models import audit
from swapshop_api.dispatch.models import deliveries, delivery_attempts
from swapshop_api.housekeeping.domain import keep_house
from swapshop_api.housekeeping.models import totals
from swapshop_kit.database import Database, create_engine
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown

OLD = timedelta(days=91)
YOUNG = timedelta(days=89)
on_mariadb = pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)
on_sqlite = pytest.mark.parametrize("stores", ["sqlite-valkey"], indirect=True)


async def counters(database: Database) -> Counter[tuple[str, str]]:
    """What the exporter counts: of rows and totals together."""

    async def read(connection: AsyncConnection) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        query = select(delivery_attempts.c.outcome)
        for outcome in (await connection.execute(query)).scalars():
            found["delivery_attempts", f"outcome={outcome or ''}"] += 1
        query = select(deliveries.c.state).where(deliveries.c.state == "DONE")
        for state in (await connection.execute(query)).scalars():
            found["deliveries", f"state={state}"] += 1
        for entry in await connection.execute(select(audit.c.action, audit.c.detail)):
            is_dead = entry.action == "delivery.dead"
            found["audit", f"detail={entry.detail}" if is_dead else f"action={entry.action}"] += 1
        return found

    return await database.read(read) + Counter(await totals_of(database))


async def fill(database: Database) -> None:
    """Old rows of every label."""
    for outcome in ("delivered", "retry", "away", None):
        await add(database, delivery_attempts, OLD, 2, outcome=outcome)
    await add(database, deliveries, OLD, 3)
    for reason in ("poison", "exhausted"):
        await add(database, audit, OLD, 2, action="delivery.dead", detail=reason)
    await add(database, audit, OLD, 2, action="delivery.redriven", detail="DEAD")
    await add(database, audit, OLD, 2)


async def test_claims_that_took_over_are_counted_once_more(database: Database) -> None:
    for took_over in (True, True, False, None):
        await add(database, delivery_attempts, OLD, outcome=None, took_over=took_over)
    await keep_house(database)
    assert await totals_of(database) == {
        ("delivery_attempts", "outcome="): 4,
        ("delivery_attempts", "took_over=1"): 2,
    }


async def test_what_is_purged_is_added_to_the_totals(database: Database) -> None:
    await fill(database)
    await keep_house(database, batch_size=3)
    expected = {
        ("audit", "action=delivery.redriven"): 2,
        ("audit", "action=order.blocked"): 2,
        ("audit", "detail=exhausted"): 2,
        ("audit", "detail=poison"): 2,
        ("deliveries", "state=DONE"): 3,
        ("delivery_attempts", "outcome="): 2,
        ("delivery_attempts", "outcome=away"): 2,
        ("delivery_attempts", "outcome=delivered"): 2,
        ("delivery_attempts", "outcome=retry"): 2,
    }
    assert await totals_of(database) == expected
    await fill(database)
    await keep_house(database)
    assert await totals_of(database) == {key: 2 * value for key, value in expected.items()}


ROWS = st.lists(
    st.tuples(
        st.sampled_from([delivery_attempts, deliveries, audit]),
        st.sampled_from([OLD, YOUNG]),
        st.sampled_from(["delivered", "retry", "released", None]),
        st.sampled_from(["delivery.dead", "delivery.redriven"]),
        st.sampled_from(["poison", "conflict"]),
    ),
    max_size=12,
)


def _values(table: Table, outcome: str | None, action: str, detail: str) -> dict[str, Any]:
    if table is delivery_attempts:
        return {"outcome": outcome}
    return {"action": action, "detail": detail} if table is audit else {}


@on_sqlite
@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS, batch_size=st.integers(1, 5))
async def test_no_counter_ever_falls(
    database: Database, rows: list[tuple[Table, timedelta, str | None, str, str]], batch_size: int
) -> None:
    """One database for all examples: what they leave behind is counted on."""
    for table, age, outcome, action, detail in rows:
        await add(database, table, age, **_values(table, outcome, action, detail))
    before = await counters(database)
    await keep_house(database, batch_size)
    assert await counters(database) == before
    assert await count_of(database, audit) <= before.total()


# --- two at once, and one that dies ---


async def test_two_runs_at_once_count_everything_once(database: Database, stores: Stores) -> None:
    await fill(database)
    await fill(database)
    before = await counters(database)
    other = Database(create_engine(stores.database_url))
    async with asyncio.TaskGroup() as runs:
        first = runs.create_task(keep_house(database, batch_size=3))
        second = runs.create_task(keep_house(other, batch_size=3))
    await other.close()
    assert await counters(database) == before
    assert sum(first.result().values()) + sum(second.result().values()) == before.total()
    assert await count_of(database, audit) == 0


@on_mariadb
async def test_the_first_rows_of_a_total_may_come_from_two_runs(
    database: Database, stores: Stores
) -> None:
    """Both find no row to add to, both insert it: the one that is refused adds to it then."""
    await add(database, deliveries, OLD, 6)
    other = Database(create_engine(stores.database_url))
    gate = Gate("INSERT INTO totals")
    with interrupted(database, gate):
        async with asyncio.TaskGroup() as runs:
            first = runs.create_task(keep_house(database, batch_size=3))
            await gate.is_held.wait()
            second = await keep_house(other, batch_size=3)
            gate.opened.set()
    await other.close()
    assert (first.result()["deliveries"], second["deliveries"]) == (3, 3)
    assert await totals_of(database) == {("deliveries", "state=DONE"): 6}


@on_mariadb
async def test_a_run_that_is_cut_anywhere_has_purged_whole_batches(
    database: Database, stores: Stores
) -> None:
    await fill(database)
    before = await counters(database)
    admin = create_async_engine(stores.database_url, isolation_level="AUTOCOMMIT")
    cuts = 0
    while not await run_with_a_cut(database, admin, cuts + 1):
        cuts += 1
        assert await counters(database) == before
        if not cuts % 3:
            await empty_totals_into_rows(database)
            before = await counters(database)
    await admin.dispose()
    assert cuts >= 10
    assert await counters(database) == before


async def run_with_a_cut(database: Database, admin: AsyncEngine, at: int) -> bool:
    """Run housekeeping, its connection ended before its ``at``-th statement; True if it had fewer.

    The connection that replaces it is ended as well.
    """
    sent = 0

    async def cut(_number: int, _statement: str, driver: Any) -> None:
        nonlocal sent
        sent += 1
        if sent >= at:
            await kill_connection(admin, driver)

    with interrupted(database, cut):
        try:
            await keep_house(database, batch_size=3)
        except (DatabaseUnavailable, OutcomeUnknown):
            return False
    return True


async def empty_totals_into_rows(database: Database) -> None:
    """Begin anew, so that later cuts find batches to purge."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(delete(totals))

    await database.transaction(work)
    await fill(database)
