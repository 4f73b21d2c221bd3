"""Streams that are refused, limited, idle or ended."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from support.receiver.server import Receiver, receiver_settings, running_receiver
from support.receiver.streams import CLOSED_PORT, insert_unannounced, listening, without_redis
from support.stores.pairs import Stores
from support.waiting import until
from swapshop_kit.ids import new_id
from swapshop_receiver.notifications.timing import StreamTiming


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
