"""Column types: values are read back unchanged, and compare and sort as in Python."""

import random
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.sample_table import add_word, samples
from swapshop_kit.database import Database
from swapshop_kit.dialect import Failure, classify
from swapshop_kit.ids import new_id

_WORDS = [
    *("A", "a", "A ", " A", "A\t", "A\0", "\0", ""),
    *(
        "á",
        "a\N{COMBINING ACUTE ACCENT}",
        "à",
        "ñ",
        "n",
        "ß",
        "ss",
        "SS",
        "\N{LATIN SMALL LETTER DOTLESS I}",
        "i",
    ),
    *("%", "_", "\\", "'", '"', "🧥", "🧦", "\N{NO-BREAK SPACE}", "x" * 64),
]


async def test_identifiers_sort_as_their_text(database: Database) -> None:
    ids = [str(uuid.UUID(int=random.getrandbits(128))) for _ in range(200)]
    ids += [new_id() for _ in range(20)]
    ids += [str(uuid.UUID(int=0)), str(uuid.UUID(int=2**128 - 1))]

    async def store(connection: AsyncConnection) -> list[str]:
        await connection.execute(samples.insert(), [{"id": each} for each in ids])
        return list(await connection.scalars(select(samples.c.id).order_by(samples.c.id)))

    assert await database.transaction(store) == sorted(ids)


async def test_identifiers_are_found_by_equality_and_range(database: Database) -> None:
    ids = sorted(new_id() for _ in range(5))

    async def store(connection: AsyncConnection) -> list[list[str]]:
        await connection.execute(samples.insert(), [{"id": each} for each in ids])
        queries = (samples.c.id == ids[2], samples.c.id < ids[2], samples.c.id.in_(ids[:2]))
        return [
            sorted(await connection.scalars(select(samples.c.id).where(query))) for query in queries
        ]

    assert await database.transaction(store) == [[ids[2]], ids[:2], ids[:2]]


async def test_what_is_no_uuid_never_reaches_the_database(database: Database) -> None:
    async def find(connection: AsyncConnection) -> None:
        await connection.execute(select(samples).where(samples.c.id == "no uuid"))

    with pytest.raises(StatementError, match="badly formed"):
        await database.read(find)


async def test_texts_that_a_collation_would_confuse_are_kept_apart(database: Database) -> None:
    async def store(connection: AsyncConnection) -> dict[str, list[str]]:
        for word in _WORDS:
            await add_word(connection, word)
        words = select(samples.c.word)
        return {
            word: list(await connection.scalars(words.where(samples.c.word == word)))
            for word in _WORDS
        }

    assert await database.transaction(store) == {word: [word] for word in _WORDS}


async def test_texts_sort_by_their_bytes(database: Database) -> None:
    async def store(connection: AsyncConnection) -> list[str]:
        for word in _WORDS:
            await add_word(connection, word)
        return list(await connection.scalars(select(samples.c.word).order_by(samples.c.word)))

    assert await database.transaction(store) == sorted(_WORDS, key=str.encode)


async def test_a_text_that_is_too_long_is_refused_and_not_cut(mariadb: Database) -> None:
    for word in ("x" * 65, "ñ" * 33):
        with pytest.raises(DBAPIError) as refused:
            await mariadb.transaction(lambda connection, word=word: add_word(connection, word))
        assert classify(refused.value) is Failure.DEFECT


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 1, 2, 3, 4, 5, 0, UTC),
        datetime(2026, 1, 2, 3, 4, 5, 1, UTC),
        datetime(2026, 1, 2, 3, 4, 5, 999_999, UTC),
        datetime(2026, 3, 29, 2, 30, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
        datetime(2026, 1, 1, 22, 0, 0, 5, timezone(timedelta(hours=-5))),
        None,
    ],
)
async def test_a_moment_survives_to_the_microsecond(
    database: Database, at: datetime | None
) -> None:
    async def store(connection: AsyncConnection) -> tuple[datetime | None, int]:
        await connection.execute(samples.insert().values(id=new_id(), at=at))
        read = await connection.scalar(select(samples.c.at))
        same = samples.c.at == at if at else samples.c.at.is_(None)
        found = (await connection.execute(select(samples.c.id).where(same))).all()
        return read, len(found)

    read, found = await database.transaction(store)
    assert (read, found) == (at, 1)
    assert read is None or read.utcoffset() == timedelta()


async def test_a_moment_without_a_time_zone_never_reaches_the_database(database: Database) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - what is refused

    async def store(connection: AsyncConnection) -> None:
        await connection.execute(samples.insert().values(id=new_id(), at=at))

    async def find(connection: AsyncConnection) -> None:
        await connection.execute(select(samples).where(samples.c.at <= at))

    for work in (store, find):
        with pytest.raises(StatementError, match="2026-01-02T03:04:05 has no time zone"):
            await database.transaction(work)


async def test_moments_sort_to_the_microsecond(database: Database) -> None:
    start = datetime(2026, 1, 2, 3, 4, 59, 999_990, UTC)
    moments = [start + timedelta(microseconds=number) for number in range(20)]
    shuffled = random.sample(moments, len(moments))

    async def store(connection: AsyncConnection) -> list[datetime]:
        rows = [{"id": new_id(), "at": at} for at in shuffled]
        await connection.execute(samples.insert(), rows)
        return list(await connection.scalars(select(samples.c.at).order_by(samples.c.at)))

    assert await database.transaction(store) == moments


async def test_bytes_and_long_texts_survive(database: Database) -> None:
    raw = random.randbytes(1_000_000)
    note = "ñ🧥\0'\\\"%" * 20_000

    async def store(connection: AsyncConnection) -> tuple[bytes, str]:
        await connection.execute(samples.insert().values(id=new_id(), raw=raw, note=note))
        row = (await connection.execute(select(samples.c.raw, samples.c.note))).one()
        return row.raw, row.note

    assert await database.transaction(store) == (raw, note)


async def test_nothing_is_nothing(database: Database) -> None:
    async def store(connection: AsyncConnection) -> tuple[object, ...]:
        await connection.execute(samples.insert().values(id=new_id()))
        row = (await connection.execute(select(samples))).one()
        return tuple(row)[1:]

    assert await database.transaction(store) == (None, None, None, None, None)
