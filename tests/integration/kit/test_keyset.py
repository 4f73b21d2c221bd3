"""Keyset pagination: all pages together are all rows once, newest first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.sample_table import samples
from swapshop_kit.cursors import Cursor, decode_cursor
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id
from swapshop_kit.keyset import newest_first, split_page

_START = datetime(2026, 1, 2, 3, 4, 5, 999_990, UTC)


async def _page(
    database: Database, cursor: str | None, limit: int
) -> tuple[list[tuple[datetime, str]], str | None]:
    query = newest_first(
        select(samples.c.at, samples.c.id),
        samples.c.at,
        samples.c.id,
        decode_cursor(cursor),
        limit,
    )

    async def read(connection: AsyncConnection) -> list[Any]:
        return list(await connection.execute(query))

    rows, following = split_page(
        await database.read(read), limit, lambda row: Cursor(row.at, row.id)
    )
    return [(row.at, row.id) for row in rows], following


@pytest.mark.parametrize("limit", [1, 3, 12, 13, 100])
async def test_the_pages_are_all_rows_once_newest_first(database: Database, limit: int) -> None:
    # three rows per time, so that pages end between rows of the same time
    rows = [(_START + timedelta(microseconds=number // 3), new_id()) for number in range(12)]

    async def store(connection: AsyncConnection) -> None:
        values = [{"at": at, "id": id_} for at, id_ in rows]
        await connection.execute(samples.insert(), values)

    await database.transaction(store)
    seen: list[tuple[datetime, str]] = []
    cursor: str | None = None
    while True:
        page, cursor = await _page(database, cursor, limit)
        seen += page
        assert page
        assert len(page) == limit or cursor is None
        if cursor is None:
            break

    assert seen == sorted(rows, reverse=True)


async def test_an_empty_list_has_one_empty_page(database: Database) -> None:
    assert await _page(database, None, 10) == ([], None)


async def test_rows_that_come_meanwhile_move_no_page(database: Database) -> None:
    async def add(connection: AsyncConnection, start: int) -> None:
        values = [
            {"at": _START + timedelta(seconds=start + number), "id": new_id()}
            for number in range(4)
        ]
        await connection.execute(samples.insert(), values)

    await database.transaction(lambda connection: add(connection, 0))
    first, cursor = await _page(database, None, 2)
    await database.transaction(lambda connection: add(connection, 100))
    second, end = await _page(database, cursor, 10)

    assert [at for at, _ in first + second] == [
        _START + timedelta(seconds=seconds) for seconds in (3, 2, 1, 0)
    ]
    assert end is None
