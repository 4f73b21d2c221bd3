"""What one stream still has to send: the rows whose ids it has not sent yet."""

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
"""Rows that one step gives at most."""

KEYS: Final = 1000
"""Keys that one step compares with what was given."""

ReadKeys = Callable[[datetime, Cursor | None, int], Awaitable[Sequence[Cursor]]]
"""Reads the keys of rows received since a time and after a key, oldest first, at most so many."""

ReadRows = Callable[[Sequence[str]], Awaitable[Sequence[RowMapping]]]
"""Reads the rows of these webhook ids, oldest first."""


def position_of(row: RowMapping) -> Cursor:
    """Return a row's place among its user's notifications."""
    return Cursor(at=row["received_at"], id=row["webhook_id"])


class Feed:
    """Gives each notification of a user once, in whatever order the rows become visible.

    Rows commit out of order, and the database's clock may be set or change with a failover. So
    every pass looks at the keys of all rows that can have become visible since the feed began,
    and gives those not given yet. A stream ends with its access token, so these are about 20
    minutes of one user's notifications.

    Args:
        read_keys: reads a page of keys.
        read_rows: reads rows by their ids.
        cursor: a row that a former stream gave, if there was one.
        now: the database's clock.
        known: keys of rows that are not to be given.
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
        # No row that is still to become visible was received before it.
        self._floor = now - LOOK_BACK
        # The clock may have been put back since the cursor's row was received.
        self._since = self._floor if cursor is None else min(cursor.at, now) - LOOK_BACK
        self._given = {key.id: key.at for key in known}
        self._after: Cursor | None = None
        self.is_behind = True
        """False when a pass has reached the end."""

    @property
    def remembered(self) -> int:
        """How many rows the feed remembers."""
        return len(self._given)

    async def next_page(self) -> Sequence[RowMapping]:
        """Read on in this pass, or begin one; a page may be empty before the pass ends.

        Returns:
            Rows not given yet; a stream can be resumed from the position of each.

        Raises:
            DatabaseUnavailable: the next call reads the same page.
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
        # A new stream gives the last minute, and besides only what becomes visible from now on.
        window = now - LOOK_BACK, now - WINDOW
        return now, await store.list_keys_between(connection, inboxes, *window)

    now, known = await database.read(begin)
    return Feed(read_keys, read_rows, cursor, now, known)
