"""The rows that one stream still has to send: those whose ids it has not sent yet."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_kit.cursors import Cursor
from swapshop_kit.database import Database
from swapshop_receiver.notifications import store
from swapshop_receiver.notifications.timing import LOOK_BACK, WINDOW

PAGE_SIZE: Final = 100
"""Maximum rows of a page."""

KEYS: Final = 1000
"""Keys that are compared with the rows already returned, in each page."""

ReadKeys = Callable[[datetime, Cursor | None, int], Awaitable[Sequence[Cursor]]]
"""Reads keys of rows received since a time and after a key, oldest first, up to a limit."""

ReadRows = Callable[[Sequence[str]], Awaitable[Sequence[RowMapping]]]
"""Reads the rows of these webhook ids, oldest first."""


def position_of(row: RowMapping) -> Cursor:
    """Return a row's place among its user's notifications."""
    return Cursor(at=row["received_at"], id=row["webhook_id"])


class Feed:
    """Returns each notification of a user once, in whatever order the rows become visible.

    Rows commit out of order, and the database's clock may be set or change with a failover. So
    every pass looks at the keys of all rows that can have become visible since the feed began,
    and returns those not returned yet. A stream ends with its access token, so these are about 20
    minutes of one user's notifications.

    Args:
        read_keys: reads a page of keys.
        read_rows: reads rows by their ids.
        cursor: the last row that an earlier stream sent; None for a new stream.
        now: the current time by the database's clock.
        known: keys of rows to leave out.
    """

    def __init__(
        self,
        read_keys: ReadKeys,
        read_rows: ReadRows,
        cursor: Cursor | None,
        now: datetime,
        known: Sequence[Cursor] = (),
    ) -> None:
        self._read_keys = read_keys
        self._read_rows = read_rows
        # No row that becomes visible later was received before this time.
        self._floor = now - LOOK_BACK
        # The clock may have been put back since the cursor's row was received.
        self._since = self._floor if cursor is None else min(cursor.at, now) - LOOK_BACK
        self._given = {key.id: key.at for key in known}
        self._after: Cursor | None = None
        self.is_behind = True
        """Whether this pass has more pages."""

    @property
    def remembered(self) -> int:
        """Number of rows that the feed remembers."""
        return len(self._given)

    async def next_page(self) -> Sequence[RowMapping]:
        """Read the next page of this pass, or begin a new pass; a page can be empty.

        Returns:
            Rows not returned yet; a stream can resume from the position of any of them.

        Raises:
            DatabaseUnavailable: the page was not read; the next call reads it again.
        """
        keys = await self._read_keys(self._since, self._after, KEYS)
        new = [key for key in keys if key.id not in self._given]
        page = new[:PAGE_SIZE]
        rows = await self._read_rows([key.id for key in page]) if page else ()
        self._given.update((key.id, key.at) for key in page)
        if len(new) > PAGE_SIZE:
            self._after = page[-1]
        else:
            self._after = keys[-1] if len(keys) == KEYS else None
        self.is_behind = self._after is not None
        if not self.is_behind and self._since < self._floor:
            self._forget_before(self._floor)
        return rows

    def _forget_before(self, floor: datetime) -> None:
        self._since = floor
        self._given = {id_: at for id_, at in self._given.items() if at >= floor}


async def open_feed(database: Database, inboxes: Sequence[str], cursor: Cursor | None) -> Feed:
    """Make the feed of some inboxes; it holds no connection between its pages.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """

    async def read_keys(since: datetime, after: Cursor | None, limit: int) -> Sequence[Cursor]:
        return await database.read(
            lambda connection: store.list_keys_since(connection, inboxes, since, after, limit)
        )

    async def read_rows(webhook_ids: Sequence[str]) -> Sequence[RowMapping]:
        return await database.read(
            lambda connection: store.list_rows(connection, inboxes, webhook_ids)
        )

    async def begin(connection: AsyncConnection) -> tuple[datetime, Sequence[Cursor]]:
        now = await store.read_clock(connection)
        if cursor is not None:
            return now, ()
        # A new stream sends the last minute, and then only what becomes visible from now on.
        window = now - LOOK_BACK, now - WINDOW
        return now, await store.list_keys_between(connection, inboxes, *window)

    now, known = await database.read(begin)
    return Feed(read_keys, read_rows, cursor, now, known)
