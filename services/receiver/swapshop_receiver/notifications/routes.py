"""HTTP of notifications."""

from typing import Annotated, Any

from fastapi import Header, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_kit import security_events
from swapshop_kit.cursors import DEFAULT_PAGE_SIZE, CursorText, PageSize
from swapshop_kit.ids import CANONICAL_UUID
from swapshop_kit.keyset import split_page
from swapshop_kit.problems import (
    DatabaseUnavailable,
    Forbidden,
    KeysUnavailable,
    NotFound,
    OutcomeUnknown,
    Unauthenticated,
    responses,
)
from swapshop_kit.web import router
from swapshop_kit.webhook_signatures import is_webhook_id
from swapshop_receiver.dependencies import Caller, ContainerDep, OpenSubscription
from swapshop_receiver.notifications import store
from swapshop_receiver.notifications.domain import read_cursor, resume_from, whose_list
from swapshop_receiver.notifications.feed import open_feed, position_of
from swapshop_receiver.notifications.hub import (
    NetworkStreamsTaken,
    StreamsUnavailable,
    TooManyStreams,
)
from swapshop_receiver.notifications.schemas import MarkedRead, NotificationOut, NotificationPage
from swapshop_receiver.notifications.stream import EventStream, stream_events

public_router = router(prefix="/api/notifications", tag="notifications")

_EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events: `notification`, its data a NotificationOut and its id a cursor; "
        "`end`, its data `{reason: expired | draining}`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@public_router.get(
    "", responses=responses(Unauthenticated, Forbidden, DatabaseUnavailable, KeysUnavailable)
)
async def list_notifications(
    *,
    container: ContainerDep,
    caller: Caller,
    limit: PageSize = DEFAULT_PAGE_SIZE,
    cursor: CursorText = None,
    unread: Annotated[bool, Query(description="Only those not read yet.")] = False,
    user_id: Annotated[
        str | None,
        Query(pattern=f"^{CANONICAL_UUID}$", description="Another's list, for operators."),
    ] = None,
) -> NotificationPage:
    """List the caller's notifications, newest first."""
    owner, after = whose_list(caller, user_id), read_cursor(cursor)

    async def read(connection: AsyncConnection) -> NotificationPage:
        rows = await store.list_page(
            connection, owner, after=after, limit=limit, only_unread=unread
        )
        page, next_cursor = split_page(rows, limit, position_of)
        return NotificationPage(
            items=[NotificationOut.from_row(row) for row in page],
            next_cursor=next_cursor,
            unread=await store.count_unread(connection, owner),
        )

    listed = await container.database.read(read)
    if owner != caller.sub:
        security_events.record("audit", action="notifications.read", subject=owner)
    return listed


@public_router.post(
    "/{id}/read",
    responses=responses(
        Unauthenticated, NotFound, DatabaseUnavailable, OutcomeUnknown, KeysUnavailable
    ),
)
async def mark_read(
    container: ContainerDep,
    caller: Caller,
    webhook_id: Annotated[str, Path(alias="id")],
) -> NotificationOut:
    """Mark one of the caller's notifications as read; a repetition changes nothing."""
    if not is_webhook_id(webhook_id):
        raise NotFound
    row = await container.database.transaction(
        lambda connection: store.mark_read(connection, caller.sub, webhook_id)
    )
    if row is None:
        raise NotFound
    return NotificationOut.from_row(row)


@public_router.post(
    "/read-all",
    responses=responses(Unauthenticated, DatabaseUnavailable, OutcomeUnknown, KeysUnavailable),
)
async def mark_all_read(container: ContainerDep, caller: Caller) -> MarkedRead:
    """Mark all of the caller's notifications as read; a repetition changes nothing."""
    marked = await container.database.transaction(
        lambda connection: store.mark_all_read(connection, caller.sub)
    )
    return MarkedRead(marked=marked)


@public_router.get(
    "/stream",
    status_code=200,  # FastAPI finds no default in this class to document
    response_class=EventStream,
    responses=_EVENT_STREAM
    | responses(
        Unauthenticated,
        TooManyStreams,
        NetworkStreamsTaken,
        StreamsUnavailable,
        DatabaseUnavailable,
        KeysUnavailable,
    ),
)
async def stream_notifications(
    container: ContainerDep,
    caller: Caller,
    subscription: OpenSubscription,
    cursor: CursorText = None,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Stream the caller's notifications as they arrive, until the session or its token ends.

    Begins with those of the last 11 minutes before the cursor, or of the last 60 s without one:
    drop the ids that you have. Resume by the id of the last event, as Last-Event-ID or ``cursor``.
    """
    start = resume_from(cursor, last_event_id)
    feed = await open_feed(container.database, caller.sub, start)
    first_page = await feed.next_page()

    def seconds_left() -> float:
        return 0 if container.tokens.has_ended(caller) else caller.exp - container.clock()

    chunks = stream_events(
        feed,
        first_page,
        subscription,
        seconds_left=seconds_left,
        timing=container.timing,
    )
    return EventStream(chunks, container.timing.write)
