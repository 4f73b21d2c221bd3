"""Server-sent events (WHATWG HTML §9.2) of one connection.

FastAPI's own EventSourceResponse is not used: it adds comments by a timer of its own, reads ahead
of a slow client, and cannot end a stream whose client has stopped reading.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Final, Literal

import structlog
from fastapi.sse import format_sse_event
from sqlalchemy import RowMapping
from starlette.responses import StreamingResponse
from starlette.types import Send

from swapshop_kit.problems import DatabaseUnavailable
from swapshop_receiver.notifications.feed import Feed, position_of
from swapshop_receiver.notifications.hub import Subscription
from swapshop_receiver.notifications.schemas import NotificationOut
from swapshop_receiver.notifications.timing import StreamTiming

COMMENT: Final = b": keep-alive\n\n"

Page = Sequence[RowMapping]
EndReason = Literal["expired", "draining"]

_log = structlog.get_logger()


class EventStream(StreamingResponse):
    """Sends chunks as they come; closes the connection of a client that stops reading.

    Args:
        chunks: closed when the response ends for any reason.
        write_seconds: time that the client may go without reading.
    """

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes], write_seconds: float) -> None:
        super().__init__(chunks, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._chunks = chunks
        self._write_seconds = write_seconds

    async def stream_response(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        async with aclosing(self._chunks) as chunks:
            try:
                async for chunk in chunks:
                    async with asyncio.timeout(self._write_seconds):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except TimeoutError:
                _log.info("stream.client_stalled")
                return  # the response has no end, so the server closes the connection
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def stream_events(
    feed: Feed,
    first_page: Page,
    subscription: Subscription,
    seconds_left: Callable[[], float],
    timing: StreamTiming,
) -> AsyncGenerator[bytes]:
    """Yield notifications as they appear, until the token expires or the process drains.

    Args:
        feed: the user's feed.
        first_page: the page already read from the feed.
        subscription: wakes this stream, and says when to end it.
        seconds_left: seconds until the access token expires; 0 once its session has ended.
        timing: intervals between comments and between reads.
    """
    loop = asyncio.get_running_loop()
    yield COMMENT  # shows the client at once that the stream is open
    comment_at = loop.time() + timing.comment
    page: Page = first_page
    has_failed = False
    while True:
        for row in page:
            yield _encode(row)
        if loop.time() >= comment_at:
            yield COMMENT
            comment_at = loop.time() + timing.comment
        reason = _reason_to_end(subscription, seconds_left)
        if reason is not None:
            yield format_sse_event(event="end", data_str=f'{{"reason":"{reason}"}}')
            return
        page = []
        if has_failed or not feed.is_behind:
            pause = timing.database_retry if has_failed else timing.comment
            await subscription.wait(min(pause, comment_at - loop.time(), seconds_left()))
        if subscription.take() or has_failed or feed.is_behind:
            try:
                page, has_failed = await feed.next_page(), False
            except DatabaseUnavailable:
                has_failed = True


def _reason_to_end(
    subscription: Subscription, seconds_left: Callable[[], float]
) -> EndReason | None:
    if subscription.is_closing:
        return "draining"
    return "expired" if seconds_left() <= 0 else None


def _encode(row: RowMapping) -> bytes:
    return format_sse_event(
        event="notification",
        data_str=NotificationOut.from_row(row).model_dump_json(),
        id=position_of(row).encode(),
    )
