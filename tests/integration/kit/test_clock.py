"""The database's clock: in UTC with microseconds, plus any offset."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.sample_table import samples
from swapshop_kit.database import Database
from swapshop_kit.dialect import utc_now
from swapshop_kit.ids import new_id

_NEAR = timedelta(seconds=30)  # for a machine that is busy with other tests


async def _now(database: Database, offset: timedelta = timedelta()) -> datetime:
    async def read(connection: AsyncConnection) -> datetime:
        return (await connection.execute(select(utc_now(offset)))).scalar_one()

    return await database.read(read)


async def test_it_is_the_time_in_utc(database: Database) -> None:
    now = await _now(database)

    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < _NEAR


async def test_it_has_microseconds_and_goes_forward(database: Database) -> None:
    moments = [await _now(database) for _ in range(20)]

    assert sorted(moments) == moments
    assert any(moment.microsecond % 1000 for moment in moments)


@pytest.mark.parametrize(
    "offset",
    [
        timedelta(microseconds=1),
        timedelta(microseconds=-1),
        timedelta(seconds=1.5),
        timedelta(seconds=-0.25),
        timedelta(minutes=10),
        timedelta(days=-90),
        timedelta(days=36_525),
        timedelta(days=-18_000, microseconds=7),
    ],
    ids=str,
)
async def test_an_offset_moves_it_exactly(database: Database, offset: timedelta) -> None:
    async def store(connection: AsyncConnection) -> tuple[timedelta, timedelta]:
        before = (await connection.execute(select(utc_now()))).scalar_one()
        moved = (await connection.execute(select(utc_now(offset)))).scalar_one()
        after = (await connection.execute(select(utc_now()))).scalar_one()
        return moved - before, moved - after

    ahead_of_before, ahead_of_after = await database.read(store)
    assert ahead_of_after <= offset <= ahead_of_before
    assert ahead_of_before - ahead_of_after < _NEAR


async def test_two_offsets_in_one_statement_are_told_apart(database: Database) -> None:
    hour = timedelta(hours=1)
    query = select(utc_now(-hour), utc_now(), utc_now(hour))

    async def read(connection: AsyncConnection) -> tuple[datetime, datetime, datetime]:
        earlier, now, later = (await connection.execute(query)).one()
        return earlier, now, later

    earlier, now, later = await database.read(read)
    assert abs(now - earlier - hour) < timedelta(seconds=1)
    assert abs(later - now - hour) < timedelta(seconds=1)


async def test_the_same_statement_takes_another_offset(database: Database) -> None:
    moments = [await _now(database, timedelta(days=days)) for days in (1, 2, 0, -3, 1)]
    days = [round((moment - datetime.now(UTC)) / timedelta(days=1)) for moment in moments]

    assert days == [1, 2, 0, -3, 1]


async def test_rows_get_it_and_compare_with_it(database: Database) -> None:
    async def store(connection: AsyncConnection) -> list[int]:
        minute = timedelta(minutes=1)
        for number, at in enumerate((utc_now(-minute), utc_now(), utc_now(minute))):
            values = {"id": new_id(), "number": number, "at": at}
            await connection.execute(samples.insert().values(values))
        await connection.execute(
            samples.update().where(samples.c.number == 0).values(at=utc_now(-2 * minute))
        )
        past = select(samples.c.number).where(samples.c.at <= utc_now())
        recent = past.where(samples.c.at > utc_now(-minute / 2)).order_by(samples.c.at)
        return list(await connection.scalars(past.order_by(samples.c.at))) + list(
            await connection.scalars(recent)
        )

    assert await database.transaction(store) == [0, 1, 1]


async def test_a_stored_moment_equals_the_one_read(database: Database) -> None:
    async def store(connection: AsyncConnection) -> tuple[datetime | None, datetime]:
        now = (await connection.execute(select(utc_now()))).scalar_one()
        await connection.execute(samples.insert().values(id=new_id(), at=now))
        return await connection.scalar(select(samples.c.at)), now

    stored, now = await database.transaction(store)
    assert stored == now
