"""Streaming: every notification of one's own, once a connection, whatever is away meanwhile."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import orjson
import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from support.receiver.events import order_ready, webhook_id_of
from support.receiver.server import Receiver, counted, receiver_settings, running_receiver
from support.stores.database_clock import DatabaseClock
from support.stores.pairs import Stores
from support.stores.servers import valkey
from support.waiting import until
from swapshop_kit.cursors import Cursor
from swapshop_kit.dialect import utc_now
from swapshop_kit.ids import new_id
from swapshop_receiver.events import OrderReady
from swapshop_receiver.notifications.models import notifications
from swapshop_receiver.notifications.timing import StreamTiming
from swapshop_receiver.webhooks import store

CLOSED_PORT = 9
NEVER = 600.0


async def insert_unannounced(receiver: Receiver, user_id: str, count: int = 1) -> list[str]:
    """Commits notifications as a process would whose wake-up was lost; gives their orders."""
    events = [order_ready(user_id=user_id) for _ in range(count)]
    rows = [
        {
            "webhook_id": webhook_id_of(event),
            "user_id": user_id,
            "order_id": event["order_id"],
            "evento": "ORDER_READY",
            "content_sha256": bytes(32),
            "payload": orjson.dumps(event),
        }
        for event in events
    ]

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(insert(notifications).values(received_at=utc_now()), rows)

    await receiver.container.database.transaction(work)
    return [event["order_id"] for event in events]


async def listening(receiver: Receiver) -> None:
    """Returns when Redis wakes the streams."""
    await until(lambda: receiver.container.hub.is_listening)


@asynccontextmanager
async def without_redis(database_url: str, poll: float = 0.05) -> AsyncGenerator[Receiver]:
    settings = receiver_settings(database_url, f"redis://127.0.0.1:{CLOSED_PORT}/0")
    async with running_receiver(settings, timing=StreamTiming(poll=poll)) as receiver:
        yield receiver


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


async def test_without_redis_events_arrive_by_polling(sqlite_url: str) -> None:
    async with without_redis(sqlite_url) as receiver:
        user = new_id()
        async with receiver.stream(user) as stream:
            for _ in range(3):
                [order] = await receiver.notify(user)
                assert await stream.next_order() == order
        assert not receiver.container.hub.is_listening


async def test_a_lost_wake_up_costs_a_delay_and_no_event(stores: Stores) -> None:
    settings = receiver_settings(stores.database_url, stores.redis_url)
    timing = StreamTiming(reread=0.05, poll=NEVER)
    async with running_receiver(settings, timing=timing) as receiver:
        user = new_id()
        await listening(receiver)
        async with receiver.stream(user) as stream:
            [order] = await insert_unannounced(receiver, user)
            assert await stream.next_order() == order


async def test_polling_bridges_the_absence_of_redis(sqlite_url: str) -> None:
    with valkey() as server:
        timing = StreamTiming(reread=NEVER, poll=0.05, reconnect=0.05)
        settings = receiver_settings(sqlite_url, server.url)
        async with running_receiver(settings, timing=timing) as receiver:
            user, hub = new_id(), receiver.container.hub
            await listening(receiver)
            async with receiver.stream(user) as stream:
                server.kill()
                await until(lambda: not hub.is_listening)
                [order] = await receiver.notify(user)
                assert await stream.next_order() == order
                server.start()
                await listening(receiver)
                orders = await notify_until_published(receiver, user)
                assert [await stream.next_order() for _ in orders] == orders


async def notify_until_published(receiver: Receiver, user_id: str) -> list[str]:
    """Sends events until the circuit is closed and one is published; gives their orders."""
    orders, before = list[str](), counted("swapshop_notifications_published", "sent")

    async def is_published() -> bool:
        orders.extend(await receiver.notify(user_id))
        return counted("swapshop_notifications_published", "sent") > before

    await until(is_published)
    return orders


async def test_a_redis_that_says_nothing_is_not_relied_on(sqlite_url: str) -> None:
    with valkey() as server:
        timing = StreamTiming(reread=NEVER, poll=0.05, ping=0.1, reconnect=0.05)
        settings = receiver_settings(sqlite_url, server.url)
        async with running_receiver(settings, timing=timing) as receiver:
            user, hub = new_id(), receiver.container.hub
            await listening(receiver)
            async with receiver.stream(user) as stream:
                with server.paused():
                    await until(lambda: not hub.is_listening)
                    [order] = await receiver.notify(user)
                    assert await stream.next_order() == order
                await listening(receiver)


async def test_comments_keep_an_idle_stream_alive(stores: Stores) -> None:
    timing = StreamTiming(comment=0.05)
    async with (
        running_receiver(
            receiver_settings(stores.database_url, stores.redis_url), timing=timing
        ) as receiver,
        receiver.stream(new_id()) as stream,
    ):
        for _ in range(3):
            event = await stream.next_any()
            assert event is not None
            assert event.comment == "keep-alive"


async def test_a_stream_ends_when_its_token_expires(live_receiver: Receiver) -> None:
    user = new_id()
    [order] = await live_receiver.notify(user)
    expiry = int(time.time()) + 5
    async with live_receiver.stream(
        user, token=live_receiver.issuer.token(user, exp=expiry)
    ) as stream:
        events = await stream.rest()
    assert time.time() >= expiry
    assert [event.event for event in events] == ["notification", "end"]
    assert events[0].data["order_id"] == order
    assert events[1].data == {"reason": "expired"}


async def test_a_drain_ends_streams_politely_and_takes_no_other(live_receiver: Receiver) -> None:
    user = new_id()
    async with live_receiver.stream(user) as stream:
        live_receiver.container.drain()
        events = await stream.rest()
    assert [(event.event, event.data) for event in events] == [("end", {"reason": "draining"})]
    answer = await live_receiver.get("/api/notifications/stream", user)
    assert (answer.status_code, answer.json()["code"]) == (503, "streams_unavailable")
    assert (await live_receiver.client.get("/readyz")).json()["draining"] is True


async def test_refusals_before_the_first_event_are_problems(live_receiver: Receiver) -> None:
    for name, value in (("cursor", {"cursor": "x"}), ("cursor", {"cursor": "x" * 201})):
        answer = await live_receiver.get("/api/notifications/stream", new_id(), **value)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [name]
    url = f"mysql+asyncmy://nobody:nothing@127.0.0.1:{CLOSED_PORT}/none"
    async with without_redis(url) as away:
        answer = await away.get("/api/notifications/stream", new_id())
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


async def test_streams_are_limited_by_user_and_by_process(stores: Stores) -> None:
    settings = receiver_settings(
        stores.database_url, stores.redis_url, streams_per_user=2, streams_per_process=3
    )
    async with running_receiver(settings) as receiver:
        user, other = new_id(), new_id()
        async with receiver.stream(user), receiver.stream(other):
            async with receiver.stream(user):
                full = await receiver.get("/api/notifications/stream", new_id())
                assert (full.status_code, full.json()["code"]) == (503, "streams_unavailable")
            await until(lambda: receiver.container.hub.count == 2)
            async with receiver.stream(user):
                pass
            await until(lambda: receiver.container.hub.count == 2)
        await until(lambda: receiver.container.hub.count == 0)
        async with receiver.stream(user), receiver.stream(user):
            refused = await receiver.get("/api/notifications/stream", user)
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
            assert refused.headers["Retry-After"] == "30"


async def test_many_accounts_of_one_network_leave_places_to_others(stores: Stores) -> None:
    settings = receiver_settings(
        stores.database_url,
        stores.redis_url,
        trusted_proxies=["127.0.0.1"],
        streams_per_network=8,
        streams_per_process=20,
    )
    async with running_receiver(settings) as receiver, AsyncExitStack() as stack:
        for number in range(8):
            attacker = f"2001:db8:bad:{number:x}::1"
            await stack.enter_async_context(receiver.stream(new_id(), address=attacker))
        refused = await receiver.get(
            "/api/notifications/stream", new_id(), address="2001:db8:bad:ffff::1"
        )
        assert (refused.status_code, refused.json()["code"]) == (429, "network_streams_taken")
        assert refused.headers["Retry-After"] == "30"
        for honest in ("2001:db8:900d::1", "203.0.113.7"):
            async with receiver.stream(new_id(), address=honest):
                pass


async def test_a_refused_stream_gives_its_place_back(live_receiver: Receiver) -> None:
    await live_receiver.get("/api/notifications/stream", new_id(), cursor="x")
    await until(lambda: live_receiver.container.hub.count == 0)


async def test_waiting_streams_hold_no_connection(stores: Stores) -> None:
    settings = receiver_settings(stores.database_url, stores.redis_url, database_pool_size=1)
    async with running_receiver(settings) as receiver, AsyncExitStack() as stack:
        await listening(receiver)
        user = new_id()
        streams = [await stack.enter_async_context(receiver.stream(user)) for _ in range(10)]
        [order] = await receiver.notify(user)
        assert [await stream.next_order() for stream in streams] == [order] * 10
        assert len((await receiver.listed(user))["items"]) == 1


async def test_a_client_that_does_not_read_stalls_nobody_and_is_left(
    stores: Stores,
) -> None:
    timing = StreamTiming(write=0.5)
    settings = receiver_settings(stores.database_url, stores.redis_url)
    async with running_receiver(settings, timing=timing) as receiver:
        sleeper, user = new_id(), new_id()
        await listening(receiver)
        await insert_unannounced(receiver, sleeper, 10_000)
        async with receiver.stream(user) as stream, sleeping_client(receiver, sleeper):
            await until(lambda: receiver.container.hub.count == 2)
            [order] = await receiver.notify(user)
            assert await stream.next_order() == order
            await until(lambda: receiver.container.hub.count == 1)


@asynccontextmanager
async def sleeping_client(receiver: Receiver, user_id: str) -> AsyncGenerator[None]:
    """Opens a stream, and reads nothing of it."""
    url = receiver.client.base_url
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((url.host, url.port))
    _reader, writer = await asyncio.open_connection(sock=connection, limit=1024)
    request = (
        "GET /api/notifications/stream HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {receiver.issuer.token(user_id)}\r\n\r\n"
    )
    writer.write(request.encode())
    try:
        yield
    finally:
        writer.transport.abort()


async def test_a_stream_needs_the_keys_first(live_receiver: Receiver) -> None:
    live_receiver.issuer.is_away = True
    answer = await live_receiver.get("/api/notifications/stream", new_id())
    assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
