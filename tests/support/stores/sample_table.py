"""A table with every column type of the kit, for tests that need no service."""

from typing import Final

from sqlalchemy import Column, Integer, MetaData, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_kit.database import Database
from swapshop_kit.dialect import Identifier, LongText, MediumBlob, OpaqueText, UtcTime
from swapshop_kit.ids import new_id

METADATA: Final = MetaData()
samples: Final = Table(
    "samples",
    METADATA,
    Column("id", Identifier(), primary_key=True),
    Column("word", OpaqueText(64), unique=True),
    Column("at", UtcTime()),
    Column("number", Integer()),
    Column("raw", MediumBlob),
    Column("note", LongText),
    mysql_engine="InnoDB",
)


async def add_word(connection: AsyncConnection, word: str, number: int = 0) -> str:
    """Inserts a row and returns its id."""
    id_ = new_id()
    await connection.execute(samples.insert().values(id=id_, word=word, number=number))
    return id_


async def add_to(connection: AsyncConnection, word: str, amount: int) -> None:
    """Adds to a row's number; the row stays locked until the transaction ends."""
    row = samples.c.word == word
    await connection.execute(samples.update().where(row).values(number=samples.c.number + amount))


async def words_in(database: Database) -> dict[str, int]:
    """The committed words and their numbers."""

    async def read(connection: AsyncConnection) -> dict[str, int]:
        rows = await connection.execute(select(samples.c.word, samples.c.number))
        return {row.word: row.number for row in rows}

    return await database.read(read)


async def count_of(connection: AsyncConnection) -> int:
    """How many rows this transaction sees."""
    return await connection.scalar(select(func.count()).select_from(samples)) or 0
