"""HTTP of notifications."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request, Response

from swapshop_kit.addresses import TrustedProxies, site_network
from swapshop_kit.cursors import DEFAULT_PAGE_SIZE, CursorText, PageSize
from swapshop_kit.ids import CANONICAL_UUID
from swapshop_kit.problems import (
    DatabaseUnavailable,
    Forbidden,
    KeysUnavailable,
    NotFound,
    OutcomeUnknown,
    Unauthenticated,
    responses,
)
from swapshop_kit.provided import provided
from swapshop_kit.web import router
from swapshop_receiver.dependencies import Caller
from swapshop_receiver.notifications.domain import (
    Notifications,
    inboxes_of,
    read_cursor,
    resume_from,
)
from swapshop_receiver.notifications.hub import StreamHub, Subscription
from swapshop_receiver.notifications.problems import (
    NetworkStreamsTaken,
    StreamsUnavailable,
    TooManyStreams,
)
from swapshop_receiver.notifications.schemas import MarkedRead, NotificationOut, NotificationPage
from swapshop_receiver.notifications.stream import EventStream

public_router = router(prefix="/api/notifications", tag="notifications")

NotificationCases = Annotated[Notifications, provided(Notifications)]

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
    notifications: NotificationCases,
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
    return await notifications.list_page(
        caller, user_id, after=read_cursor(cursor), limit=limit, only_unread=unread
    )


@public_router.post(
    "/{id}/read",
    responses=responses(
        Unauthenticated, NotFound, DatabaseUnavailable, OutcomeUnknown, KeysUnavailable
    ),
)
async def mark_read(
    notifications: NotificationCases,
    caller: Caller,
    webhook_id: Annotated[str, Path(alias="id")],
) -> NotificationOut:
    """Mark one of the caller's notifications as read; a repetition changes nothing."""
    return await notifications.mark_read(caller, webhook_id)


@public_router.post(
    "/read-all",
    responses=responses(Unauthenticated, DatabaseUnavailable, OutcomeUnknown, KeysUnavailable),
)
async def mark_all_read(notifications: NotificationCases, caller: Caller) -> MarkedRead:
    """Mark all of the caller's notifications as read; a repetition changes nothing."""
    return MarkedRead(marked=await notifications.mark_all_read(caller))


async def _subscription(
    request: Request,
    caller: Caller,
    hub: Annotated[StreamHub, provided(StreamHub)],
    proxies: Annotated[TrustedProxies, provided(TrustedProxies)],
) -> AsyncGenerator[Subscription]:
    network = site_network(proxies.address_of(request.scope))
    own, *shared = inboxes_of(caller)
    subscription = hub.subscribe(own, network, caller.sid, shared)
    try:
        yield subscription
    finally:
        hub.unsubscribe(subscription)


OpenSubscription = Annotated[Subscription, Depends(_subscription)]
"""The place of the caller's stream in the hub, held until the answer has ended."""


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
    notifications: NotificationCases,
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
    chunks = await notifications.open_stream(caller, subscription, start)
    return EventStream(chunks, notifications.timing.write)
