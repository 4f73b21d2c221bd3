"""Statements of a snapshot: as many whatever there is, each along its index."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from support.api.dispatch import Pipeline
from support.api.exporter import Watch, order_and_notification, watch
from support.stores.statements import counting, explaining
from swapshop_kit.database import Database

BUDGET = 20
"""The clock three times, orders, blocked, undelivered, deliveries, totals, claims, dead letters,
the last lease, two kinds of losses; three times the end of a chunk, and its sum (of settled and
recent notifications, and of settled orders); and the orders whose time is over since."""

HOUR = timedelta(hours=1)


def statements(sent: list[str]) -> list[str]:
    """Without what begins the snapshot."""
    return [each for each in sent if not each.startswith(("SET TRANSACTION", "START TRANSACTION"))]


@pytest.fixture
async def chunked(database: Database, receiver: Database) -> AsyncGenerator[Watch]:
    """An exporter that reads ten rows at a time."""
    watching = watch(database, receiver, chunk_rows=10)
    yield watching
    await watching.database.close()


@pytest.mark.parametrize("rows", [0, 1, 9])
async def test_a_snapshot_takes_20_statements(
    database: Database, receiver: Database, pipeline: Pipeline, chunked: Watch, rows: int
) -> None:
    if rows:
        await pipeline.everything_at_once()
    for _ in range(rows):
        await order_and_notification(database, receiver, HOUR, timedelta(seconds=1))
    with counting(chunked.database) as first:
        await chunked.look()
    with counting(chunked.database) as next_:
        await chunked.look()
    assert (len(statements(first)), len(statements(next_))) == (BUDGET, BUDGET)


async def test_the_first_pass_takes_four_statements_for_each_chunk(
    database: Database, receiver: Database, chunked: Watch
) -> None:
    for _ in range(25):
        await order_and_notification(database, receiver, HOUR, timedelta(seconds=1))
    with counting(chunked.database) as sent:
        await chunked.look()
    assert len(statements(sent)) == BUDGET + 2 * 4


@pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)
async def test_every_large_table_is_read_along_an_index(
    database: Database, receiver: Database, pipeline: Pipeline, chunked: Watch
) -> None:
    """But claims are counted over the whole table: 90 days of them, and no index has outcomes."""
    await pipeline.everything_at_once()
    for _ in range(200):
        await order_and_notification(database, receiver, HOUR, timedelta(seconds=1))
    with explaining(chunked.database) as plans:
        await chunked.look()
    scanned = {(plan.table, plan.key) for plan in plans if plan.type in ("ALL", "index")}
    assert scanned <= {
        ("audit", None),
        ("delivery_attempts", None),
        ("deliveries", "ix_deliveries_state"),
        ("orders", "ix_orders_estado"),
        ("orders", None),
    }
    joined = {(plan.table, plan.type, plan.key) for plan in plans if plan.type == "eq_ref"}
    assert ("notifications", "eq_ref", "uq_notifications_event") in joined
    ranges = {(plan.table, plan.key) for plan in plans if plan.type == "range"}
    assert {
        ("notifications", "ix_notifications_received"),
        ("orders", "ix_orders_created"),
    } <= ranges
