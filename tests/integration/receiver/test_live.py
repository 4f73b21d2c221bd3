"""Every notification arrives once in each stream of its user, in order."""

import asyncio
from datetime import datetime, timedelta

import orjson
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from support.receiver.events import order_ready
from support.receiver.server import Receiver
from support.receiver.streams import insert_unannounced, listening, without_redis
from support.stores.database_clock import DatabaseClock
from swapshop_kit.cursors import Cursor
from swapshop_kit.dialect import utc_now
from swapshop_kit.ids import new_id
from swapshop_receiver.events import OrderReady
from swapshop_receiver.notifications.models import notifications
from swapshop_receiver.webhooks import store


async def test_an_event_arrives_live_with_the_item_of_the_list(live_receiver: Receiver) -> None:
    user = new_id()
    await listening(live_receiver)
    async with live_receiver.stream(user) as stream:
        headers = stream.response.headers
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert headers["X-Accel-Buffering"] == "no"
        [order] = await live_receiver.notify(user)
        event = await stream.next()
    assert event is not None
    assert (event.event, event.data["order_id"]) == ("notification", order)
    assert [event.data] == (await live_receiver.listed(user))["items"]


async def test_every_tab_of_a_user_gets_it_and_no_other_user_does(live_receiver: Receiver) -> None:
    user, other = new_id(), new_id()
    await listening(live_receiver)
    async with (
        live_receiver.stream(user) as first,
        live_receiver.stream(user) as second,
        live_receiver.stream(other) as foreign,
    ):
        [order] = await live_receiver.notify(user)
        assert await first.next_order() == await second.next_order() == order
        [own] = await live_receiver.notify(other)
        assert await foreign.next_order() == own


async def test_an_operators_stream_is_their_own(live_receiver: Receiver) -> None:
    owner, operator = new_id(), new_id()
    token = live_receiver.issuer.token(operator, rol="operator")
    await listening(live_receiver)
    async with live_receiver.stream(operator, token=token, user_id=owner) as stream:
        await live_receiver.notify(owner)
        [own] = await live_receiver.notify(operator)
        assert await stream.next_order() == own


async def test_a_stream_begins_with_the_last_minute_and_repeats_nothing(
    live_receiver: Receiver,
) -> None:
    user = new_id()
    await listening(live_receiver)
    before = await live_receiver.notify(user, 3)
    async with live_receiver.stream(user) as stream:
        after = await live_receiver.notify(user, 3)
        assert [await stream.next_order() for _ in range(6)] == before + after
        [last] = await live_receiver.notify(user)
        assert await stream.next_order() == last


async def test_more_than_a_page_arrives_whole_and_in_order(live_receiver: Receiver) -> None:
    user = new_id()
    orders = await insert_unannounced(live_receiver, user, 250)
    async with live_receiver.stream(user) as stream:
        received = [await stream.next_order() for _ in range(250)]
    assert sorted(received) == sorted(orders)


async def test_a_stream_resumes_where_it_was_cut(live_receiver: Receiver) -> None:
    user = new_id()
    before, last, missed, new = await live_receiver.notify(user, 4)
    for order, seconds in ((before, 1000), (last, 300), (missed, 200)):
        await age(live_receiver, order, seconds)
    [item] = [
        each for each in (await live_receiver.listed(user))["items"] if each["order_id"] == last
    ]
    cursor = Cursor(datetime.fromisoformat(item["received_at"]), item["id"]).encode()
    async with (
        live_receiver.stream(user, last_event_id=cursor) as by_header,
        live_receiver.stream(user, cursor=cursor) as by_address,
        live_receiver.stream(user) as anew,
    ):
        for stream in (by_header, by_address):
            # the last 11 minutes before the cursor come again: the page drops what it has
            assert [await stream.next_order() for _ in range(3)] == [last, missed, new]
        assert await anew.next_order() == new


async def test_the_id_of_an_event_is_where_to_resume(live_receiver: Receiver) -> None:
    user = new_id()
    [order] = await live_receiver.notify(user)
    async with live_receiver.stream(user) as stream:
        event = await stream.next()
    assert event is not None
    received_at = datetime.fromisoformat(event.data["received_at"])
    assert event.id == Cursor(received_at, f"order-ready_{order}").encode()


async def age(receiver: Receiver, order_id: str, seconds: int) -> None:
    """Moves a notification into the past."""
    past = utc_now(timedelta(seconds=-seconds))

    async def work(connection: AsyncConnection) -> None:
        own = notifications.c.order_id == order_id
        await connection.execute(update(notifications).where(own).values(received_at=past))

    await receiver.container.database.transaction(work)


async def test_a_row_committed_after_a_later_one_still_arrives(mariadb_url: str) -> None:
    async with without_redis(mariadb_url) as receiver:
        user, early = new_id(), asyncio.Event()
        body = orjson.dumps(order_ready(user_id=user))
        event, release = OrderReady.from_json(body), asyncio.Event()

        async def hold(connection: AsyncConnection) -> None:
            await store.insert_notification(connection, "early-" + user, event, body, bytes(32))
            early.set()
            await release.wait()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(receiver.container.database.transaction(hold))
            await early.wait()
            [late] = await receiver.notify(user)
            async with receiver.stream(user) as stream:
                first = await stream.next()
            assert first is not None
            assert first.data["order_id"] == late
            async with receiver.stream(user, last_event_id=first.id) as resumed:
                assert await resumed.next_order() == late
                release.set()
                assert await resumed.next_order() == event.order_id
        page = await receiver.listed(user)
        assert [item["order_id"] for item in page["items"]] == [late, event.order_id]


async def test_a_repeated_webhook_shows_what_the_first_one_stored(
    live_receiver: Receiver,
) -> None:
    """A COMMIT that outlasts its request takes effect later, and wakes nobody."""
    user = new_id()
    await listening(live_receiver)
    async with live_receiver.stream(user) as stream:
        [order] = await insert_unannounced(live_receiver, user)
        answer = await live_receiver.send(order_ready(user_id=user, order_id=order))
        assert answer.json() == {"stored": False}
        assert await stream.next_order() == order


@pytest.mark.parametrize("minutes", [10, -10])
async def test_setting_the_clock_of_the_database_hides_no_event(
    mariadb_url: str, minutes: int
) -> None:
    async with without_redis(mariadb_url) as receiver:
        user, wrong = new_id(), timedelta(minutes=minutes)
        clock = DatabaseClock().govern(receiver.container.database)
        async with receiver.stream(user) as stream:
            [before] = await receiver.notify(user)
            first = await stream.next()
            clock.ahead = wrong
            [meanwhile] = await receiver.notify(user)
            second = await stream.next()
            clock.ahead = timedelta()
            after = await receiver.notify(user, 2)
            assert [await stream.next_order() for _ in after] == after
        assert first is not None
        assert second is not None
        assert [first.data["order_id"], second.data["order_id"]] == [before, meanwhile]
        async with receiver.stream(user, last_event_id=second.id) as resumed:
            again = {await resumed.next_order() for _ in range(4)}
            assert again == {before, meanwhile, *after}
            [last] = await receiver.notify(user)
            assert await resumed.next_order() == last
