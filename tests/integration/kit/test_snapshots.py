"""A snapshot reads one state, whatever is committed meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.sample_table import add_word, count_of, samples
from swapshop_kit.database import Database
from swapshop_kit.dialect import microseconds_between
from swapshop_kit.ids import new_id
from swapshop_kit.problems import DatabaseUnavailable


async def test_a_snapshot_does_not_see_what_commits_after_its_begin(database: Database) -> None:
    """On MySQL and MariaDB not even in its first statement; in SQLite not after that one."""

    async def read(connection: AsyncConnection) -> list[int]:
        counts: list[int] = []
        if connection.dialect.name == "sqlite":
            counts.append(await count_of(connection))
        for word in ("one", "two"):
            await database.transaction(lambda other, word=word: add_word(other, word))
            counts.append(await count_of(connection))
        return counts

    assert set(await database.snapshot(read)) == {0}
    assert await database.read(count_of) == 2


async def test_the_next_transaction_of_the_connection_is_an_ordinary_one(
    database: Database,
) -> None:
    for word in ("one", "two"):
        assert await database.snapshot(count_of) == (0 if word == "one" else 1)
        await database.transaction(lambda connection, word=word: add_word(connection, word))


async def test_on_mysql_a_snapshot_cannot_write(mariadb: Database) -> None:
    with pytest.raises(DatabaseUnavailable) as refused:
        await mariadb.snapshot(lambda connection: add_word(connection, "one"))
    assert "READ ONLY" in str(refused.value.__cause__)
    assert await mariadb.read(count_of) == 0


@pytest.mark.parametrize("microseconds", [0, 1, -1, 999_999, 1_000_000, 86_400_000_001])
@pytest.mark.parametrize("fraction", [0, 400, 999_600])
async def test_microseconds_between_are_exact(
    database: Database, microseconds: int, fraction: int
) -> None:
    """Rounded to milliseconds, 59.9996 s would fall into the next minute."""
    start = datetime(2026, 2, 28, 23, 59, 59, fraction, tzinfo=UTC)
    end = start + timedelta(microseconds=microseconds)
    first, second = samples.alias("first"), samples.alias("second")
    both = first.join(second, first.c.word != second.c.word)
    between = microseconds_between(first.c.at, second.c.at)
    query = select(between).select_from(both).where(first.c.word == "start")

    async def work(connection: AsyncConnection) -> int:
        rows = [("start", start), ("end", end)]
        await connection.execute(
            insert(samples), [{"id": new_id(), "word": word, "at": at} for word, at in rows]
        )
        return (await connection.execute(query)).scalar_one()

    assert await database.transaction(work) == microseconds
