"""What one stream still has to send, read from the database page by page."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping

from swapshop_kit.cursors import Cursor
from swapshop_kit.database import Database
from swapshop_receiver.notifications import store
from swapshop_receiver.notifications.timing import WINDOW

PAGE_SIZE: Final = 100

ReadPage = Callable[[datetime, Cursor | None, int], Awaitable[Sequence[RowMapping]]]
"""Reads rows received since a time and after a row, oldest first, at most so many."""


def position_of(row: RowMapping) -> Cursor:
    """Return a row's place among its user's notifications."""
    return Cursor(at=row["received_at"], id=row["webhook_id"])


class Feed:
    """Gives each notification of a user once, also one that commits after a later one.

    A row becomes visible up to 5 s after its ``received_at``. So every pass begins 60 s before
    the newest row given, and drops what was given already; the feed remembers no more than that.

    Args:
        read: reads a page.
        cursor: the newest row that a former stream gave, if there was one.
        now: the database's clock.
    """

    def __init__(self, read: ReadPage, cursor: Cursor | None, now: datetime) -> None:
        self._read = read
        # a cursor ahead of the clock, which was set back since, would hide what comes
        self._newest = cursor if cursor is not None and cursor.at <= now else None
        self._known_until = now if self._newest is None else self._newest.at
        self._given: dict[str, datetime] = {}
        self._pass_after: Cursor | None = None
        self._pass_since = self._known_until - WINDOW
        self.is_behind = True
        """False when a pass has reached the end."""

    @property
    def remembered(self) -> int:
        """How many rows the feed remembers to have given."""
        return len(self._given)

    async def next_page(self) -> list[tuple[RowMapping, Cursor]]:
        """Read on in this pass, or begin one; a page may be empty before the pass ends.

        Returns:
            Rows not given yet, each with the cursor to resume from after it.

        Raises:
            DatabaseUnavailable: the next call reads the same page.
        """
        rows = await self._read(self._pass_since, self._pass_after, PAGE_SIZE)
        page = [(row, self._give(row)) for row in rows if row["webhook_id"] not in self._given]
        self.is_behind = len(rows) == PAGE_SIZE
        self._pass_after = position_of(rows[-1]) if self.is_behind else None
        if not self.is_behind:
            self._pass_since = self._known_until - WINDOW
        self._forget()
        return page

    def _give(self, row: RowMapping) -> Cursor:
        position = position_of(row)
        self._given[position.id] = position.at
        self._known_until = max(self._known_until, position.at)
        if self._newest is None or (self._newest.at, self._newest.id) < (position.at, position.id):
            self._newest = position
        return self._newest

    def _forget(self) -> None:
        since = self._known_until - WINDOW
        self._given = {id_: at for id_, at in self._given.items() if at >= since}


async def open_feed(database: Database, user_id: str, cursor: Cursor | None) -> Feed:
    """Make the feed of a user; it holds no connection between its pages.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """

    async def read(since: datetime, after: Cursor | None, limit: int) -> Sequence[RowMapping]:
        return await database.read(
            lambda connection: store.list_since(connection, user_id, since, after, limit)
        )

    return Feed(read, cursor, now=await database.read(store.read_clock))
