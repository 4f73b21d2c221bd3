"""Every connection has the same settings: isolation, strictness and limits."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.sample_table import add_to, add_word, samples, words_in
from swapshop_kit.database import Database, create_engine, is_durable
from swapshop_kit.migrations import LIMITS as MIGRATION_LIMITS
from swapshop_kit.mysql import Limits


async def _variables(database: Database) -> dict[str, str]:
    async def read(connection: AsyncConnection) -> dict[str, str]:
        rows = await connection.execute(text("SHOW SESSION VARIABLES"))
        return {row[0]: row[1] for row in rows}

    return await database.read(read)


def _isolation(variables: dict[str, str]) -> str:
    return variables.get("transaction_isolation") or variables["tx_isolation"]


def _statement_seconds(variables: dict[str, str]) -> float:
    if "max_statement_time" in variables:
        return float(variables["max_statement_time"])
    return int(variables["max_execution_time"]) / 1000


async def test_the_session_of_mysql_is_strict_and_bounded(mariadb: Database) -> None:
    variables = await _variables(mariadb)

    assert _isolation(variables) == "READ-COMMITTED"
    assert variables["time_zone"] == "+00:00"
    assert variables["innodb_lock_wait_timeout"] == "3"
    assert variables["lock_wait_timeout"] == "3"
    assert _statement_seconds(variables) == 8
    assert variables["autocommit"] == "OFF"
    assert variables["character_set_connection"] == "utf8mb4"
    assert set(variables["sql_mode"].split(",")) == {
        "STRICT_ALL_TABLES",
        "NO_ENGINE_SUBSTITUTION",
        "ERROR_FOR_DIVISION_BY_ZERO",
        "NO_ZERO_DATE",
        "NO_ZERO_IN_DATE",
    }


async def test_a_migration_has_no_limit_but_is_as_strict(mariadb_url: str) -> None:
    database = Database(create_engine(mariadb_url, limits=MIGRATION_LIMITS))
    variables = await _variables(database)
    await database.close()

    assert _statement_seconds(variables) == 0
    assert "STRICT_ALL_TABLES" in variables["sql_mode"]


@pytest.mark.parametrize("limits", [Limits(), MIGRATION_LIMITS])
async def test_a_session_whose_client_vanished_is_ended_within_45_s(
    mariadb_url: str, limits: Limits
) -> None:
    database = Database(create_engine(mariadb_url, limits=limits))
    variables = await _variables(database)
    await database.close()

    for name in ("wait_timeout", "net_read_timeout", "net_write_timeout"):
        # a client may vanish just as a statement begins
        assert int(variables[name]) + (limits.statement or 0) <= 45
    assert limits.pooled < int(variables["wait_timeout"])


async def test_every_connection_of_the_pool_is_set_up(mariadb: Database) -> None:
    together = asyncio.Barrier(5)

    async def read(connection: AsyncConnection) -> tuple[int, int]:
        await together.wait()
        query = text("SELECT CONNECTION_ID(), @@innodb_lock_wait_timeout")
        row = (await connection.execute(query)).one()
        return row[0], row[1]

    rows = await asyncio.gather(*(mariadb.read(read) for _ in range(5)))
    assert len({connection_id for connection_id, _ in rows}) == 5
    assert {seconds for _, seconds in rows} == {3}


async def test_each_statement_sees_what_others_committed(mariadb: Database) -> None:
    async def count_twice(connection: AsyncConnection) -> tuple[int, int]:
        count = text("SELECT COUNT(*) FROM samples")
        first = await connection.scalar(count)
        await mariadb.transaction(lambda other: add_word(other, "between"))
        second = await connection.scalar(count)
        return first or 0, second or 0

    assert await mariadb.read(count_twice) == (0, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO samples (id, number) VALUES (UUID(), 99999999999)",
        "INSERT INTO samples (id, number) VALUES ('short', 'many')",
        "INSERT INTO samples (id, at) VALUES ('short', '0000-00-00')",
        "INSERT INTO samples (id, at) VALUES ('short', '2026-02-30')",
        "INSERT INTO samples (number) VALUES (1)",
        "INSERT INTO samples (id, number) VALUES ('short', 1 / 0)",
    ],
)
async def test_a_value_that_does_not_fit_is_refused(mariadb: Database, statement: str) -> None:
    with pytest.raises(DBAPIError):
        await mariadb.transaction(lambda connection: connection.execute(text(statement)))


async def test_sqlite_is_durable_checks_keys_and_waits_for_locks(sqlite: Database) -> None:
    async def read(connection: AsyncConnection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [await connection.scalar(text(f"PRAGMA {name}")) for name in names]

    assert await sqlite.read(read) == ["wal", 2, 1, 5000]
    assert await is_durable(sqlite)


async def test_a_read_of_sqlite_does_not_wait_for_a_writer(sqlite: Database) -> None:
    await sqlite.transaction(lambda connection: add_word(connection, "before"))

    async def write(connection: AsyncConnection) -> dict[str, int]:
        await add_to(connection, "before", 5)
        return await words_in(sqlite)

    assert await sqlite.transaction(write) == {"before": 0}
    assert await words_in(sqlite) == {"before": 5}


async def test_writers_of_sqlite_wait_their_turn(sqlite: Database) -> None:
    await sqlite.transaction(lambda connection: add_word(connection, "count"))

    async def increment(connection: AsyncConnection) -> None:
        number = await connection.scalar(samples.select().with_only_columns(samples.c.number))
        await connection.execute(samples.update().values(number=(number or 0) + 1))

    await asyncio.gather(*(sqlite.transaction(increment) for _ in range(25)))
    assert await words_in(sqlite) == {"count": 25}
