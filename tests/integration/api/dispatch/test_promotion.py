"""Out of PENDING: once, with one delivery of frozen bytes, or not at all."""

import asyncio
import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import jwt
import pytest
from redis.asyncio import Redis
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.accounts import api_container
from support.api.client import Shop, bearer, code_of
from support.api.orders import Json, insert_orders, line_json, order_json, stored_orders
from support.counters import rise_of
from support.stores.database_proxy import AtCommit, DatabaseProxy
from support.stores.interruptions import Gate, interrupted, is_waiting_for_a_lock
from support.stores.pairs import Stores
from support.stores.redis_keys import names_in
from support.waiting import until
from swapshop_api.app import whole_app
from swapshop_api.audit.models import audit
from swapshop_api.container import Container
from swapshop_api.dispatch.models import deliveries
from swapshop_api.dispatch.schemas import LeaseIn, ResultIn
from swapshop_api.orders.models import order_items
from swapshop_api.orders.models import orders as order_table
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id


async def rows_of(database: Database, table: Any) -> list[Json]:
    async def work(connection: AsyncConnection) -> list[Json]:
        return [dict(row) for row in (await connection.execute(select(table))).mappings()]

    return await database.read(work)


async def execute(database: Database, statement: Any) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(statement)

    await database.transaction(work)


async def corrupt(database: Database, order_id: str, total: str = "999.00") -> None:
    """Set a total by hand that is not the sum of the lines."""
    wrong = update(order_table).where(order_table.c.id == order_id).values(total=Decimal(total))
    await execute(database, wrong)


async def test_an_order_is_processed_with_one_delivery(
    ana: Shop, staff: Shop, database: Database
) -> None:
    processed_orders = rise_of("swapshop_orders_processed_total")
    created = await ana.placed(order_json(line_json(color="azul")))

    answer = await staff.mark_processed(created["id"])

    processed = answer.json()
    [delivery] = await rows_of(database, deliveries)
    [row] = await stored_orders(database)
    assert answer.status_code == 200
    assert processed == created | {
        "estado": "PROCESSED", "processed_at": processed["processed_at"]
    }  # fmt: skip
    assert processed["processed_at"] >= created["created_at"]
    assert json.loads(delivery["payload"]) == {
        "evento": "ORDER_READY",
        "order_id": created["id"],
        "user_id": row["user_id"],
        "cliente": created["cliente"],
        "total": 21.0,
        "color": "azul",
        "created_at": created["created_at"],
        "processed_at": processed["processed_at"],
    }
    assert {name: delivery[name] for name in ("webhook_id", "state", "attempts")} == {
        "webhook_id": f"order-ready_{created['id']}",
        "state": "READY",
        "attempts": 0,
    }
    assert (await ana.read(created["id"])).json() == processed
    assert processed_orders() == 1


async def test_marking_it_again_changes_nothing(ana: Shop, staff: Shop, database: Database) -> None:
    order_id = (await ana.placed())["id"]
    first = await staff.mark_processed(order_id)
    before = await stored_orders(database), await rows_of(database, deliveries)
    processed_orders = rise_of("swapshop_orders_processed_total")

    again = await staff.mark_processed(order_id)

    assert (again.status_code, again.content) == (200, first.content)
    assert (await stored_orders(database), await rows_of(database, deliveries)) == before
    assert processed_orders() == 0


async def test_marking_an_order_is_audited_once_with_the_operator(
    ana: Shop, staff: Shop, database: Database
) -> None:
    order_id = (await ana.placed())["id"]
    await staff.mark_processed(order_id)
    await staff.mark_processed(order_id)

    [entry] = await rows_of(database, audit)
    operator = jwt.decode(
        staff.headers["Authorization"].removeprefix("Bearer "), options={"verify_signature": False}
    )
    assert (entry["actor"], entry["action"], entry["subject"]) == (
        operator["sub"],
        "order.processed",
        order_id,
    )


async def test_marking_it_many_times_at_once_processes_it_once(
    ana: Shop, staff: Shop, database: Database
) -> None:
    order_id = (await ana.placed())["id"]
    processed_orders = rise_of("swapshop_orders_processed_total")

    answers = await asyncio.gather(*[staff.mark_processed(order_id) for _ in range(12)])

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(await rows_of(database, deliveries)) == 1
    assert processed_orders() == 1


@pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)
async def test_a_mark_waits_for_the_one_that_is_under_way(
    ana: Shop, staff: Shop, database: Database
) -> None:
    """Else both would find it PENDING, and the second fail over the first one's delivery."""
    order_id = (await ana.placed())["id"]
    gate = Gate()
    with interrupted(database, gate):
        async with asyncio.TaskGroup() as calls:
            first = calls.create_task(staff.mark_processed(order_id))
            await gate.is_held.wait()
            second = calls.create_task(staff.mark_processed(order_id))
            await until(lambda: is_waiting_for_a_lock(database))
            gate.opened.set()

    assert (second.result().status_code, second.result().content) == (200, first.result().content)
    assert len(await rows_of(database, deliveries)) == 1


async def test_only_an_operator_may_mark_an_order(ana: Shop, database: Database) -> None:
    order_id = (await ana.placed())["id"]

    assert code_of(await ana.mark_processed(order_id)) == (403, "forbidden")
    assert [row["estado"] for row in await stored_orders(database)] == ["PENDING"]


async def test_an_unknown_order_cannot_be_marked(staff: Shop) -> None:
    assert code_of(await staff.mark_processed(new_id())) == (404, "order_not_found")


async def test_an_order_that_contradicts_itself_is_blocked_and_audited_once(
    ana: Shop, staff: Shop, database: Database
) -> None:
    order_id = (await ana.placed())["id"]
    await corrupt(database, order_id)

    answers = [await staff.mark_processed(order_id) for _ in range(2)]

    [row] = await stored_orders(database)
    [entry] = await rows_of(database, audit)
    assert {code_of(answer) for answer in answers} == {(409, "order_blocked")}
    assert row["estado"] == "PENDING"
    assert row["blocked_at"] is not None
    [delivery] = await rows_of(database, deliveries)
    assert {name: delivery[name] for name in ("webhook_id", "event_type", "state")} == {
        "webhook_id": f"order-blocked_{order_id}",
        "event_type": "ORDER_BLOCKED",
        "state": "READY",
    }
    assert json.loads(delivery["payload"]) == {
        "evento": "ORDER_BLOCKED",
        "order_id": order_id,
        "cliente": row["cliente"],
        "reason": "the total is not the sum of the lines",
        "created_at": (await ana.read(order_id)).json()["created_at"],
        "blocked_at": f"{row['blocked_at']:%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    assert {name: entry[name] for name in ("action", "subject", "detail")} == {
        "action": "order.blocked",
        "subject": order_id,
        "detail": "the total is not the sum of the lines",
    }
    assert (await ana.read(order_id)).json()["estado"] == "PENDING"


async def test_a_blocked_order_that_was_repaired_is_processed_like_any_other(
    ana: Shop, staff: Shop, database: Database
) -> None:
    order_id = (await ana.placed())["id"]
    await corrupt(database, order_id)
    await staff.mark_processed(order_id)
    await corrupt(database, order_id, "21.00")

    answer = await staff.mark_processed(order_id)

    [row] = await stored_orders(database)
    assert (answer.status_code, answer.json()["estado"]) == (200, "PROCESSED")
    assert (row["estado"], row["blocked_at"]) == ("PROCESSED", None)
    assert sorted(
        (delivery["order_id"], delivery["event_type"])
        for delivery in await rows_of(database, deliveries)
    ) == [(order_id, "ORDER_BLOCKED"), (order_id, "ORDER_READY")]
    assert {entry["action"] for entry in await rows_of(database, audit)} == {
        "order.blocked",
        "order.processed",
    }


async def test_an_order_without_lines_is_blocked(
    staff: Shop, ana: Shop, database: Database
) -> None:
    order_id = (await ana.placed())["id"]
    await execute(database, delete(order_items))

    assert code_of(await staff.mark_processed(order_id)) == (409, "order_blocked")
    assert [entry["detail"] for entry in await rows_of(database, audit)] == [
        "the order has no lines"
    ]


async def test_a_blocked_order_stops_no_other_and_a_lease_leaves_it_out(
    ana: Shop, container: Container, database: Database
) -> None:
    blocked, sound = [(await ana.placed())["id"] for _ in range(2)]
    await corrupt(database, blocked)

    for _ in range(2):
        leased = await container.dispatch.lease(
            "poller", LeaseIn(lease_token=new_id(), limit=10, lease_seconds=60)
        )
        assert {each.event_type for each in leased.deliveries} <= {"ORDER_BLOCKED", "ORDER_READY"}

    states = {row["id"]: row["estado"] for row in await stored_orders(database)}
    entries = await rows_of(database, audit)
    assert states == {blocked: "PENDING", sound: "PROCESSED"}
    assert [(entry["actor"], entry["subject"]) for entry in entries] == [("system", blocked)]


async def test_an_order_that_is_blocked_again_is_announced_once(
    ana: Shop, staff: Shop, database: Database
) -> None:
    order_id = (await ana.placed())["id"]
    await corrupt(database, order_id)
    await staff.mark_processed(order_id)
    # by hand, such as to have the next lease try it again
    await execute(database, update(order_table).values(blocked_at=None))

    assert code_of(await staff.mark_processed(order_id)) == (409, "order_blocked")
    assert [row["event_type"] for row in await rows_of(database, deliveries)] == ["ORDER_BLOCKED"]


async def test_the_timeline_has_no_attempt_of_the_operators_event(
    ana: Shop, staff: Shop, container: Container, database: Database
) -> None:
    order_id = (await ana.placed())["id"]
    await corrupt(database, order_id)
    token = new_id()
    request = LeaseIn(lease_token=token, limit=10, lease_seconds=60)
    await container.dispatch.lease("poller", request)
    leased = await container.dispatch.lease("poller", request)
    [delivery] = leased.deliveries
    result = ResultIn(delivery_id=delivery.id, outcome="delivered", status=200)
    await container.dispatch.report(token, [result])

    for shop in (ana, staff):
        answer = await shop.get(f"/api/orders/{order_id}/timeline")
        assert [each["event"] for each in answer.json()["items"]] == ["created"]


async def test_an_order_that_has_its_delivery_only_becomes_processed(
    staff: Shop, ana: Shop, database: Database
) -> None:
    order_id = (await ana.placed())["id"]
    await staff.mark_processed(order_id)
    [delivery] = await rows_of(database, deliveries)
    # as a restored backup of the orders alone has it; that its total is wrong matters no more
    back = update(order_table).values(estado="PENDING", processed_at=None, total=Decimal("1.00"))
    await execute(database, back)

    answer = await staff.mark_processed(order_id)

    assert (answer.status_code, answer.json()["estado"]) == (200, "PROCESSED")
    assert await rows_of(database, deliveries) == [delivery]
    assert {entry["action"] for entry in await rows_of(database, audit)} == {"order.processed"}


async def test_a_delivery_of_another_event_is_not_taken_for_the_orders_own(
    staff: Shop, ana: Shop, database: Database
) -> None:
    order_id = (await ana.placed())["id"]
    await staff.mark_processed(order_id)
    [delivery] = await rows_of(database, deliveries)
    other = delivery | {"id": new_id(), "webhook_id": "other", "event_type": "OTHER"}
    await execute(database, delete(deliveries))
    await execute(database, insert(deliveries).values(other))
    await execute(database, update(order_table).values(estado="PENDING", processed_at=None))

    await staff.mark_processed(order_id)

    kinds = [row["event_type"] for row in await rows_of(database, deliveries)]
    assert sorted(kinds) == ["ORDER_READY", "OTHER"]


async def test_only_the_named_order_is_promoted(staff: Shop, database: Database) -> None:
    ids = await insert_orders(database, [{}, {}, {}])

    await staff.mark_processed(ids[1])

    assert {row["id"]: row["estado"] for row in await stored_orders(database)} == {
        ids[0]: "PENDING", ids[1]: "PROCESSED", ids[2]: "PENDING"
    }  # fmt: skip


@pytest.fixture
async def proxy(stores: Stores) -> AsyncGenerator[DatabaseProxy]:
    async with DatabaseProxy(stores.database_url).running() as proxy:
        yield proxy


@pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)
@pytest.mark.parametrize("fate", [AtCommit.CUT_BEFORE, AtCommit.CUT_AFTER])
async def test_marks_are_cleared_after_a_commit_without_an_answer(
    ana: Shop, proxy: DatabaseProxy, container: Container, redis: Redis, fate: AtCommit
) -> None:
    order_id = (await ana.placed())["id"]
    database = Database(create_engine(proxy.url, pool_size=1))
    behind = api_container(container.settings, database, redis)
    async with Shop(whole_app(behind), bearer(container, rol="operator")) as staff:
        await staff.pages()  # a new connection has COMMITs of its own
        proxy.at_commit = fate

        unknown = await staff.mark_processed(order_id)
        left = [name for name in await names_in(redis) if not name.startswith("limit:")]
        served = await ana.read(order_id)
        again = await staff.mark_processed(order_id)
    await database.close()

    assert code_of(unknown) == (503, "outcome_unknown")
    assert left == []
    done = fate is AtCommit.CUT_AFTER
    assert served.json()["estado"] == ("PROCESSED" if done else "PENDING")
    assert again.json()["estado"] == "PROCESSED"
