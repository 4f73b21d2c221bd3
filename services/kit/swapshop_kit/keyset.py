"""Keyset pagination: each page begins after the last row of the previous one."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_

from swapshop_kit.cursors import Cursor

Row = TypeVar("Row")


def newest_first(
    query: Select[Any],
    at: ColumnElement[Any],
    id_: ColumnElement[Any],
    after: Cursor | None,
    limit: int,
) -> Select[Any]:
    """Order a query by time and id, newest first, and fetch one row more than a page.

    The comparison is written out because MySQL uses no index for ``(a, b) < (x, y)``.
    """
    if after is not None:
        query = query.where(and_(at <= after.at, or_(at < after.at, id_ < after.id)))
    return query.order_by(at.desc(), id_.desc()).limit(limit + 1)


def split_page(
    rows: Sequence[Row], limit: int, cursor_of: Callable[[Row], Cursor]
) -> tuple[Sequence[Row], str | None]:
    """Return the page and, if there are more rows, the cursor of the next page."""
    page = rows[:limit]
    return page, cursor_of(page[-1]).encode() if len(rows) > limit else None
