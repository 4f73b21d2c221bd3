"""What a snapshot tells of orders, deliveries and losses."""

import pytest
from sqlalchemy import and_
from sqlalchemy.dialects import mysql

from support.api.dispatch import OPERATOR, Pipeline, past, result
from support.api.exporter import (
    ERRORS,
    POLLER_AGE,
    UNACCOUNTED,
    WITHOUT_DELIVERY,
    Watch,
    notify,
    remove,
)
from swapshop_api.dispatch.models import deliveries
from swapshop_api.dispatch.models import leases as lease_table
from swapshop_api.exporter import models
from swapshop_api.orders.models import orders
from swapshop_kit.database import Database
from swapshop_receiver.notifications.models import notifications

DAY = 86_400
DIALECT = mysql.dialect()
LATE = "swapshop_orders_late"
GIVEN_UP = "swapshop_orders_given_up"
AGE = "swapshop_oldest_undelivered_age_seconds"


def test_the_columns_read_of_notifications_are_the_receivers() -> None:
    theirs = {column.name: column for column in notifications.columns}
    for column in models.notifications.columns:
        assert column.type.compile(DIALECT) == theirs[column.name].type.compile(DIALECT)
        assert column.primary_key == theirs[column.name].primary_key
        assert column.nullable == theirs[column.name].nullable
    assert models.notifications.name == notifications.name


async def test_without_a_row_every_figure_is_0_and_no_poller_was_seen(watched: Watch) -> None:
    shown = dict(await watched.look())
    assert POLLER_AGE not in shown
    assert shown.pop("swapshop_pipeline_collect_duration_seconds") > 0
    assert set(shown.values()) == {0}


async def test_orders_and_deliveries_by_state(watched: Watch, pipeline: Pipeline) -> None:
    await pipeline.everything_at_once()
    await pipeline.lease()
    await pipeline.place()
    shown = await watched.look()
    assert (shown["swapshop_orders{PENDING}"], shown["swapshop_orders{PROCESSED}"]) == (2, 4)
    assert shown["swapshop_orders_blocked"] == 1
    states = {state: shown[f"swapshop_deliveries{{{state}}}"] for state in STATES}
    assert states == {"READY": 0, "LEASED": 4, "DONE": 0, "DEAD": 1}
    assert shown["swapshop_dead_letters_total{poison}"] == 1
    assert shown["swapshop_deliveries_leased_total"] == 4
    # the one that was taken over, and the one that was buried
    assert shown["swapshop_lease_expirations_total"] == 2
    assert (shown[UNACCOUNTED], shown[WITHOUT_DELIVERY], shown[ERRORS]) == (0, 0, 0)


STATES = ("READY", "LEASED", "DONE", "DEAD")


@pytest.mark.parametrize("state", STATES)
async def test_an_order_is_late_after_120_s_unless_its_delivery_is_done(
    watched: Watch, pipeline: Pipeline, state: str
) -> None:
    ids = await pipeline.ready(2)
    await pipeline.change(deliveries, deliveries.c.id.in_(ids), state=state, done_at=past(1))
    for delivery_id, age in zip(ids, (121, 110), strict=True):
        order_id = (await pipeline.delivery(delivery_id))["order_id"]
        await pipeline.change(orders, orders.c.id == order_id, created_at=past(age))
    shown = await watched.look()
    assert shown[LATE] == (0 if state == "DONE" else 1)
    assert shown[GIVEN_UP] == (1 if state == "DEAD" else 0)
    age = shown[AGE]
    assert 121 <= age < 180 if state in ("READY", "LEASED") else age == 0


async def test_a_pending_order_is_late_after_120_s(watched: Watch, pipeline: Pipeline) -> None:
    [late, _] = await pipeline.place(2)
    await pipeline.change(orders, orders.c.id == late, created_at=past(121))
    shown = await watched.look()
    assert shown[LATE] == 1
    assert 121 <= shown[AGE] < 180


@pytest.mark.parametrize("state", STATES)
async def test_an_event_for_operators_is_not_its_orders_delivery(
    watched: Watch, pipeline: Pipeline, receiver: Database, state: str
) -> None:
    [order_id] = await pipeline.place()
    total = (await pipeline.row(orders, order_id))["total"]
    await pipeline.break_order(order_id)
    await pipeline.lease()
    [blocked] = await pipeline.rows(deliveries)
    await pipeline.change(
        deliveries, deliveries.c.id == blocked["id"], state=state, done_at=past(1)
    )
    await pipeline.change(orders, orders.c.id == order_id, total=total, created_at=past(121))

    await pipeline.deliveries.mark_processed(OPERATOR, order_id)
    waiting = await watched.look()
    own = and_(deliveries.c.order_id == order_id, deliveries.c.event_type == "ORDER_READY")
    await pipeline.change(deliveries, own, state="DONE", done_at=past(1))
    await notify(receiver, order_id)
    notified = await watched.look()

    assert (waiting[LATE], waiting[GIVEN_UP]) == (1, 0)
    assert (notified[LATE], notified[GIVEN_UP], notified[AGE]) == (0, 0, 0)
    assert (notified[UNACCOUNTED], notified[WITHOUT_DELIVERY]) == (0, 0)


async def test_the_last_lease_is_the_pollers_heartbeat(watched: Watch, pipeline: Pipeline) -> None:
    for age in (500, 300):
        claim = await pipeline.lease()
        own = lease_table.c.token == claim.token
        await pipeline.change(lease_table, own, created_at=past(age))
    assert 300 <= (await watched.look())[POLLER_AGE] < 360


async def delivered(pipeline: Pipeline, receiver: Database, count: int = 2) -> list[str]:
    """Take orders all the way, and return their ids."""
    order_ids = await pipeline.place(count)
    claim = await pipeline.lease()
    for order_id in order_ids:
        await notify(receiver, order_id)
    await pipeline.report(claim.token, *map(result, claim.ids))
    return order_ids


async def test_a_lost_notification_is_an_order_unaccounted(
    watched: Watch, pipeline: Pipeline, receiver: Database
) -> None:
    lost, _ = await delivered(pipeline, receiver)
    assert (await watched.look())[UNACCOUNTED] == 0
    await remove(receiver, notifications, notifications.c.order_id == lost)
    shown = await watched.look()
    assert (shown[UNACCOUNTED], shown[WITHOUT_DELIVERY]) == (1, 0)


async def test_a_lost_delivery_is_an_order_unaccounted(
    watched: Watch, pipeline: Pipeline, receiver: Database
) -> None:
    await delivered(pipeline, receiver)
    [lost, _] = await pipeline.ready(2)
    assert (await watched.look())[UNACCOUNTED] == 0
    await remove(pipeline.database, deliveries, deliveries.c.id == lost)
    shown = await watched.look()
    assert (shown[UNACCOUNTED], shown[WITHOUT_DELIVERY]) == (1, 1)


@pytest.mark.parametrize(("days", "expected"), [(79, 1), (81, 0)])
async def test_a_delivery_that_is_missing_before_its_purge(
    watched: Watch, pipeline: Pipeline, receiver: Database, days: int, expected: int
) -> None:
    lost, _ = await delivered(pipeline, receiver)
    await pipeline.change(orders, orders.c.id == lost, processed_at=past(days * DAY))
    await remove(pipeline.database, deliveries, deliveries.c.order_id == lost)
    shown = await watched.look()
    assert (shown[UNACCOUNTED], shown[WITHOUT_DELIVERY]) == (0, expected)


@pytest.mark.parametrize("state", ["READY", "LEASED", "DEAD"])
async def test_an_open_delivery_accounts_for_its_order(
    watched: Watch, pipeline: Pipeline, state: str
) -> None:
    [id_] = await pipeline.ready(1)
    await pipeline.change(deliveries, deliveries.c.id == id_, state=state)
    assert (await watched.look())[UNACCOUNTED] == 0
    await pipeline.change(deliveries, deliveries.c.id == id_, state="DONE")
    assert (await watched.look())[UNACCOUNTED] == 1


async def test_losses_are_counted_anew_once_they_have_taken_a_tenth_of_the_time(
    receiver: Database, watched: Watch, pipeline: Pipeline
) -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1.0  # every look at the clock takes a second
        return now

    slow = Watch(watched.database, clock=clock, interval_seconds=5)
    assert (await slow.look())[UNACCOUNTED] == 0
    [lost] = await delivered(pipeline, receiver, 1)
    await remove(receiver, notifications, notifications.c.order_id == lost)
    assert (await slow.look())[UNACCOUNTED] == 0
    now += 9.0
    assert (await slow.look())[UNACCOUNTED] == 1
