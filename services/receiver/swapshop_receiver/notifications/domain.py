"""The use cases of those who read notifications: their own, and operators also a shared inbox."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_kit import security_events
from swapshop_kit.access_tokens import AccessTokenVerifier, Claims
from swapshop_kit.cursors import Cursor, decode_cursor
from swapshop_kit.database import Database
from swapshop_kit.keyset import split_page
from swapshop_kit.problems import Forbidden, NotFound
from swapshop_kit.webhook_signatures import is_webhook_id
from swapshop_receiver.events import OPERATORS
from swapshop_receiver.notifications import store
from swapshop_receiver.notifications.feed import open_feed, position_of
from swapshop_receiver.notifications.hub import Subscription
from swapshop_receiver.notifications.schemas import NotificationOut, NotificationPage
from swapshop_receiver.notifications.stream import stream_events
from swapshop_receiver.notifications.timing import StreamTiming


def inboxes_of(caller: Claims) -> tuple[str, ...]:
    """Return the inboxes of a caller: their own first, then the one that operators share."""
    return (caller.sub, OPERATORS) if caller.is_operator else (caller.sub,)


def inboxes_to_list(caller: Claims, user_id: str | None) -> tuple[str, ...]:
    """Return the inboxes whose notifications to list.

    Args:
        caller: the user who asks.
        user_id: the owner of the list; None for the caller's own.

    Raises:
        Forbidden: the caller named a user and is not an operator.
    """
    if user_id is None:
        return inboxes_of(caller)
    if not caller.is_operator:
        raise Forbidden
    return (user_id,)


def read_cursor(text: str | None) -> Cursor | None:
    """Read a cursor of notifications, whose ids are webhook ids.

    Raises:
        InvalidRequest: not a valid cursor.
    """
    return decode_cursor(text, is_webhook_id)


def resume_from(cursor: str | None, last_event_id: str | None) -> Cursor | None:
    """Return where a stream resumes; Last-Event-ID is newer than the cursor in the URL.

    Raises:
        InvalidRequest: not a valid cursor.
    """
    return read_cursor(last_event_id or cursor)


@dataclass
class Notifications:
    """The use cases of customers, and of operators who look at a customer's list.

    Args:
        database: of the schema ``notifications``.
        tokens: knows which sessions have ended.
        timing: of streams.
        clock: seconds since the epoch, to which the expiry of a token is compared.
    """

    database: Database
    tokens: AccessTokenVerifier
    timing: StreamTiming
    clock: Callable[[], float]

    async def list_page(
        self,
        caller: Claims,
        user_id: str | None,
        *,
        after: Cursor | None,
        limit: int,
        only_unread: bool,
    ) -> NotificationPage:
        """Return a page of notifications, newest first; another's list is recorded in the log.

        Raises:
            Forbidden: the caller named a user and is not an operator.
        """
        inboxes = inboxes_to_list(caller, user_id)

        async def read(connection: AsyncConnection) -> NotificationPage:
            rows = await store.list_page(
                connection, inboxes, after=after, limit=limit, only_unread=only_unread
            )
            page, next_cursor = split_page(rows, limit, position_of)
            return NotificationPage(
                items=[NotificationOut.from_row(row) for row in page],
                next_cursor=next_cursor,
                unread=await store.count_unread(connection, inboxes),
            )

        listed = await self.database.read(read)
        if user_id is not None and user_id != caller.sub:
            security_events.record("audit", action="notifications.read", subject=user_id)
        return listed

    async def mark_read(self, caller: Claims, webhook_id: str) -> NotificationOut:
        """Mark a notification of the caller as read; the first time counts.

        Raises:
            NotFound: the caller has no such notification.
        """
        if not is_webhook_id(webhook_id):
            raise NotFound
        inboxes = inboxes_of(caller)
        row = await self.database.transaction(lambda c: store.mark_read(c, inboxes, webhook_id))
        if row is None:
            raise NotFound
        return NotificationOut.from_row(row)

    async def mark_all_read(self, caller: Claims) -> int:
        """Mark all notifications of the caller as read; return how many were unread."""
        inboxes = inboxes_of(caller)
        return await self.database.transaction(lambda c: store.mark_all_read(c, inboxes))

    async def open_stream(
        self, caller: Claims, subscription: Subscription, start: Cursor | None
    ) -> AsyncGenerator[bytes]:
        """Return the chunks of the caller's stream, once the first page has been read.

        Args:
            caller: whose notifications are sent, until the token expires or its session ends.
            subscription: wakes the stream.
            start: where an earlier stream ended; None for a new one.

        Raises:
            DatabaseUnavailable: the first page cannot be read.
        """
        feed = await open_feed(self.database, inboxes_of(caller), start)
        first_page = await feed.next_page()

        def seconds_left() -> float:
            return 0 if self.tokens.has_ended(caller) else caller.exp - self.clock()

        return stream_events(
            feed, first_page, subscription, seconds_left=seconds_left, timing=self.timing
        )
