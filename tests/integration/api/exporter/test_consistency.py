"""A snapshot sees one state of both schemas: nothing is unaccounted for in between."""

import asyncio
from dataclasses import dataclass

import pytest

from support.api.dispatch import Pipeline, result
from support.api.exporter import UNACCOUNTED, WITHOUT_DELIVERY, Watch, notify
from support.stores.interruptions import COMMIT, Gate, interrupted
from swapshop_api.dispatch.models import deliveries
from swapshop_kit.database import Database

ROUNDS = 12
on_mariadb = pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)


async def carry(pipeline: Pipeline, receiver: Database) -> None:
    """Place orders and take them all the way, as the poller does: stored, then reported."""
    for _ in range(ROUNDS):
        await pipeline.place(2)
        claim = await pipeline.lease()
        for delivery_id in claim.ids:
            order_id = (await pipeline.delivery(delivery_id))["order_id"]
            await notify(receiver, order_id)
        if claim.ids:
            await pipeline.report(claim.token, *map(result, claim.ids))


async def test_nothing_is_unaccounted_for_while_orders_are_on_their_way(
    watched: Watch, pipeline: Pipeline, receiver: Database
) -> None:
    seen: list[tuple[float, float]] = []
    async with asyncio.TaskGroup() as tasks:
        carrying = [tasks.create_task(carry(pipeline, receiver)) for _ in range(2)]
        while not all(task.done() for task in carrying) or not seen:
            shown = await watched.look()
            seen.append((shown[UNACCOUNTED], shown[WITHOUT_DELIVERY]))
    assert set(seen) == {(0, 0)}
    shown = await watched.look()
    assert shown["swapshop_deliveries{DONE}"] == shown["swapshop_orders{PROCESSED}"]
    assert shown["swapshop_orders{PROCESSED}"] == 2 * 2 * ROUNDS


@on_mariadb
async def test_processed_and_its_delivery_are_seen_together(
    watched: Watch, pipeline: Pipeline
) -> None:
    """A snapshot right before the COMMIT of a promotion sees neither, one after it both."""
    await pipeline.place(3)
    gate = Gate(COMMIT)
    with interrupted(pipeline.database, gate):
        leasing = asyncio.create_task(pipeline.lease())
        await gate.is_held.wait()
        before = await watched.look()
        gate.opened.set()
        await leasing
    after = await watched.look()
    states = ("swapshop_orders{PENDING}", "swapshop_orders{PROCESSED}", UNACCOUNTED)
    assert [before[name] for name in states] == [3, 0, 0]
    assert [after[name] for name in states] == [0, 3, 0]


@dataclass(frozen=True)
class Change:
    """What an order that is lost changes in figures that are read around a statement."""

    held_at: str
    figures: tuple[str, str]
    before: tuple[int, int]
    after: tuple[int, int]


COUNTS = Change(
    "SELECT audit.detail",
    ("swapshop_orders{PROCESSED}", "swapshop_deliveries{DONE}"),
    (2 * ROUNDS, 2 * ROUNDS),
    (2 * ROUNDS + 1, 2 * ROUNDS + 1),
)
LOSSES = Change(
    "SELECT count(*) AS count_1 \nFROM orders FORCE INDEX (ix_orders_estado) LEFT OUTER JOIN",
    (UNACCOUNTED, WITHOUT_DELIVERY),
    (0, 0),
    (1, 0),
)


@on_mariadb
@pytest.mark.parametrize("change", [COUNTS, LOSSES], ids=["counts", "losses"])
async def test_what_commits_while_a_snapshot_is_taken_is_in_none_of_its_figures(
    watched: Watch, pipeline: Pipeline, receiver: Database, change: Change
) -> None:
    """Held between its statements: what it counts later is of the same moment."""
    await carry(pipeline, receiver)
    gate = Gate(change.held_at)
    with interrupted(watched.database, gate):
        looking = asyncio.create_task(watched.look())
        await gate.is_held.wait()
        [lost] = await pipeline.ready(1)
        await pipeline.change(deliveries, deliveries.c.id == lost, state="DONE")
        gate.opened.set()
        shown = await looking
    assert tuple(shown[name] for name in change.figures) == change.before
    shown = await watched.look()
    assert tuple(shown[name] for name in change.figures) == change.after
