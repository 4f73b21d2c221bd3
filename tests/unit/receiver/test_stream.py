"""How a stream goes on, and how it ends."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import cast

import orjson
import pytest
from sqlalchemy import RowMapping
from starlette.types import Message

from support.receiver.events import order_ready
from support.waiting import until
from swapshop_kit.cursors import Cursor
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_receiver.notifications.feed import Feed, position_of
from swapshop_receiver.notifications.hub import Subscription
from swapshop_receiver.notifications.stream import COMMENT, EventStream, stream_events
from swapshop_receiver.notifications.timing import StreamTiming

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def row(webhook_id: str) -> RowMapping:
    event = order_ready()
    values = {
        "webhook_id": webhook_id,
        "evento": event["evento"],
        "order_id": event["order_id"],
        "payload": orjson.dumps(event),
        "received_at": NOW,
        "read_at": None,
    }
    return cast("RowMapping", values)


class Reader:
    """A database of a few rows, that may be away."""

    def __init__(self) -> None:
        self.rows: list[RowMapping] = []
        self.failures = 0

    async def read_keys(self, since: datetime, after: Cursor | None, limit: int) -> list[Cursor]:
        if self.failures:
            self.failures -= 1
            raise DatabaseUnavailable
        return [position_of(each) for each in self.rows]

    async def read_rows(self, webhook_ids: Sequence[str]) -> list[RowMapping]:
        return self.rows


def open_stream(
    reader: Reader,
    subscription: Subscription,
    first_page: Sequence[RowMapping] = (),
    seconds_left: float = 600,
    timing: StreamTiming | None = None,
) -> AsyncGenerator[bytes]:
    feed = Feed(reader.read_keys, reader.read_rows, None, NOW)
    feed.is_behind = False
    return stream_events(
        feed, first_page, subscription, lambda: seconds_left, timing or StreamTiming()
    )


async def test_a_token_that_has_expired_ends_the_stream_after_what_was_read() -> None:
    page = [row("a")]
    stream = open_stream(Reader(), Subscription("u"), page, seconds_left=0)
    chunks = [chunk async for chunk in stream]
    assert chunks[0] == COMMENT
    assert f"id: {Cursor(NOW, 'a').encode()}\n\n".encode() in chunks[1]
    assert chunks[2:] == [b'event: end\ndata: {"reason":"expired"}\n\n']


async def test_a_drain_ends_the_stream() -> None:
    subscription = Subscription("u")
    subscription.is_closing = True
    chunks = [chunk async for chunk in open_stream(Reader(), subscription)]
    assert chunks == [COMMENT, b'event: end\ndata: {"reason":"draining"}\n\n']


async def test_comments_go_on_while_nothing_happens() -> None:
    stream = open_stream(Reader(), Subscription("u"), timing=StreamTiming(comment=0.01))
    assert [await anext(stream) for _ in range(4)] == [COMMENT] * 4
    await stream.aclose()


async def test_a_wake_up_whose_read_failed_is_served_when_the_database_is_back() -> None:
    reader, subscription = Reader(), Subscription("u")
    stream = open_stream(reader, subscription, timing=StreamTiming(database_retry=0.01))
    assert await anext(stream) == COMMENT
    reader.rows, reader.failures = [row("a")], 3
    subscription.wake()
    assert b"event: notification" in await anext(stream)
    assert reader.failures == 0
    await stream.aclose()


async def test_a_client_that_takes_nothing_loses_its_connection_without_an_end() -> None:
    sent, closed = list[Message](), False

    async def chunks() -> AsyncGenerator[bytes]:
        nonlocal closed
        try:
            while True:
                yield b"x"
        finally:
            closed = True

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 3:
            await asyncio.Event().wait()

    await EventStream(chunks(), write_seconds=0.01).stream_response(send)
    assert [message.get("more_body") for message in sent] == [None, True, True]
    assert closed


async def test_a_client_that_left_closes_the_stream() -> None:
    closed = asyncio.Event()

    async def chunks() -> AsyncGenerator[bytes]:
        try:
            yield b"x"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def send(message: Message) -> None:
        pass

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    await EventStream(chunks(), write_seconds=5)(scope, receive, send)
    await until(closed.is_set)


@pytest.mark.parametrize("header", ["cache-control", "x-accel-buffering"])
def test_nothing_on_the_way_may_hold_events_back(header: str) -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        yield b""

    expected = {"cache-control": "no-store", "x-accel-buffering": "no"}
    assert EventStream(chunks(), 1).headers[header] == expected[header]
