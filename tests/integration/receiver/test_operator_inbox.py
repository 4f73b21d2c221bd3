"""ORDER_BLOCKED: a notification that every operator reads, and nobody else."""

import orjson
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from support.receiver.events import order_blocked, order_ready, signed, webhook_id_of
from support.receiver.server import Receiver, counted
from swapshop_kit.ids import new_id
from swapshop_receiver.events import OPERATORS
from swapshop_receiver.notifications.models import notifications


async def listed_by(receiver: Receiver, caller: str, rol: str, **params: str) -> list[str]:
    """Return the orders in a caller's list."""
    answer = await receiver.client.get(
        "/api/notifications", params=params, headers=receiver.issuer.bearer(caller, rol=rol)
    )
    assert answer.status_code == 200
    return [item["order_id"] for item in answer.json()["items"]]


async def stored_rows(receiver: Receiver, order_id: str) -> int:
    async def count(connection: AsyncConnection) -> int:
        query = select(func.count()).where(notifications.c.order_id == order_id)
        return (await connection.execute(query)).scalar_one()

    return await receiver.container.database.read(count)


async def test_a_blocked_order_is_shown_to_every_operator_and_to_nobody_else(
    receiver: Receiver,
) -> None:
    event, customer = order_blocked(), new_id()
    assert (await receiver.send(event)).json() == {"stored": True}

    for operator in (new_id(), new_id()):
        assert event["order_id"] in await listed_by(receiver, operator, "operator")
    for rol in ("customer", "service"):
        assert await listed_by(receiver, customer, rol) == []
    # an operator who looks at a customer's list sees only that
    assert await listed_by(receiver, new_id(), "operator", user_id=customer) == []


async def test_a_customer_can_neither_name_nor_mark_the_operators_inbox(
    receiver: Receiver,
) -> None:
    event, customer = order_blocked(), new_id()
    await receiver.send(event)

    refused = await receiver.get("/api/notifications", customer, user_id=OPERATORS)
    marked = await receiver.post(f"/api/notifications/{webhook_id_of(event)}/read", customer)
    await receiver.post("/api/notifications/read-all", customer)

    assert (refused.status_code, marked.status_code) == (403, 404)
    unread = await listed_by(receiver, new_id(), "operator", unread="true")
    assert event["order_id"] in unread


async def test_an_item_of_a_blocked_order_says_why(receiver: Receiver) -> None:
    event = order_blocked(cliente=None)
    await receiver.send(event)

    headers = receiver.issuer.bearer(new_id(), rol="operator")
    page = (await receiver.client.get("/api/notifications", headers=headers)).json()

    [item] = [item for item in page["items"] if item["order_id"] == event["order_id"]]
    assert item == {
        "id": webhook_id_of(event),
        "evento": "ORDER_BLOCKED",
        "order_id": event["order_id"],
        "cliente": None,
        "total": None,
        "color": None,
        "payload": event,
        "received_at": item["received_at"],
        "read_at": None,
    }


async def test_what_one_operator_has_read_is_read_for_all(receiver: Receiver) -> None:
    event, first, second = order_blocked(), new_id(), new_id()
    await receiver.send(event)
    own = order_ready(user_id=first)
    await receiver.send(own)

    path = f"/api/notifications/{webhook_id_of(event)}/read"
    assert (await receiver.post(path, first, rol="operator")).status_code == 200

    assert event["order_id"] not in await listed_by(receiver, second, "operator", unread="true")
    assert own["order_id"] in await listed_by(receiver, first, "operator", unread="true")
    assert own["order_id"] not in await listed_by(receiver, second, "operator")


async def test_it_is_stored_once_and_counted_by_its_type(receiver: Receiver) -> None:
    event = order_blocked()
    before = counted("swapshop_notifications_stored", "stored", event_type="ORDER_BLOCKED")

    answers = [await receiver.send(event) for _ in range(2)]
    answers.append(await receiver.send(event, webhook_id=f"again-{new_id()}"))

    assert [answer.json()["stored"] for answer in answers] == [True, False, False]
    assert await stored_rows(receiver, event["order_id"]) == 1
    after = counted("swapshop_notifications_stored", "stored", event_type="ORDER_BLOCKED")
    assert after == before + 1


async def test_an_order_has_a_notification_of_each_type(receiver: Receiver) -> None:
    blocked = order_blocked()
    ready = order_ready(order_id=blocked["order_id"])

    answers = [await receiver.send(event) for event in (blocked, ready)]

    assert [answer.json() for answer in answers] == [{"stored": True}] * 2
    assert await stored_rows(receiver, blocked["order_id"]) == 2


async def test_an_event_that_comes_to_anothers_path_is_refused(receiver: Receiver) -> None:
    for event, path in (
        (order_blocked(), "/webhooks/order-ready"),
        (order_ready(), "/webhooks/order-blocked"),
    ):
        body = orjson.dumps(event)
        headers = signed(body, webhook_id_of(event))
        answer = await receiver.client.post(path, content=body, headers=headers)
        assert answer.status_code == 422
        assert await stored_rows(receiver, event["order_id"]) == 0


async def test_it_arrives_live_on_operators_streams_only(live_receiver: Receiver) -> None:
    customer = new_id()
    tokens = [live_receiver.issuer.token(new_id(), rol="operator") for _ in range(2)]
    async with (
        live_receiver.stream(new_id(), token=tokens[0]) as first,
        live_receiver.stream(new_id(), token=tokens[1]) as second,
        live_receiver.stream(customer) as foreign,
    ):
        event = order_blocked()
        await live_receiver.send(event)
        for stream in (first, second):
            while await stream.next_order() != event["order_id"]:
                pass  # those of other tests, since the inbox is shared
        [own] = await live_receiver.notify(customer)
        assert await foreign.next_order() == own


async def test_a_closed_stream_leaves_the_shared_inbox(live_receiver: Receiver) -> None:
    hub = live_receiver.container.hub
    before = hub.count
    token = live_receiver.issuer.token(new_id(), rol="operator")
    async with live_receiver.stream(new_id(), token=token):
        assert hub.count == before + 1
    subscription = hub.subscribe(new_id(), shared=(OPERATORS,))
    hub.wake(OPERATORS)
    assert subscription.take()
    hub.unsubscribe(subscription)
    hub.wake(OPERATORS)
    assert not subscription.take()
