"""Transactions: committed as a whole or not at all, and retried after lock errors."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from support.stores.sample_table import add_to, add_word, count_of, words_in
from swapshop_kit.database import ATTEMPTS, Database, DuplicateKey, LockTimeout, create_engine
from swapshop_kit.dialect import Failure, classify
from swapshop_kit.problems import DatabaseUnavailable, NotFound

_DEADLOCK = 1213
_LOCK_TIMEOUT = 1205


class _Signals:
    """Work that gets an error of the server the first times it runs."""

    def __init__(self, code: int, times: int) -> None:
        self.code = code
        self.times = times
        self.runs = 0

    async def __call__(self, connection: AsyncConnection) -> str:
        self.runs += 1
        await add_word(connection, "once")
        if self.runs <= self.times:
            state = f"SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {self.code}"
            await connection.execute(text(state))
        return "done"


async def test_the_result_of_the_work_is_returned_and_committed(database: Database) -> None:
    async def work(connection: AsyncConnection) -> int:
        await add_word(connection, "a", 7)
        return 7

    assert await database.transaction(work) == 7
    assert await words_in(database) == {"a": 7}


@pytest.mark.parametrize("error", [NotFound(), ValueError("x"), asyncio.CancelledError()])
async def test_an_error_of_the_work_leaves_nothing_behind(
    database: Database, error: BaseException
) -> None:
    runs: list[int] = []

    async def work(connection: AsyncConnection) -> None:
        runs.append(1)
        await add_word(connection, "a")
        raise error

    with pytest.raises(type(error)):
        await database.transaction(work)
    assert runs == [1]
    assert await words_in(database) == {}


async def test_a_duplicate_is_told_from_other_errors_and_can_be_handled(
    database: Database,
) -> None:
    await database.transaction(lambda connection: add_word(connection, "a"))

    async def twice(connection: AsyncConnection) -> Failure:
        try:
            await add_word(connection, "a")
        except IntegrityError as error:
            await connection.rollback()
            await add_word(connection, "b")
            return classify(error)
        return Failure.DEFECT

    assert await database.transaction(twice) is Failure.DUPLICATE
    assert await words_in(database) == {"a": 0, "b": 0}


async def test_a_duplicate_that_nobody_handles_reaches_the_caller(database: Database) -> None:
    await database.transaction(lambda connection: add_word(connection, "a"))

    with pytest.raises(DuplicateKey):
        await database.transaction(lambda connection: add_word(connection, "a"))
    assert await words_in(database) == {"a": 0}


async def test_a_wrong_statement_is_a_defect_and_not_retried(database: Database) -> None:
    runs: list[int] = []

    async def work(connection: AsyncConnection) -> None:
        runs.append(1)
        await connection.execute(text("SELEC 1"))

    with pytest.raises((OperationalError, ProgrammingError)) as refused:
        await database.transaction(work)
    assert classify(refused.value) is Failure.DEFECT
    assert runs == [1]


@pytest.mark.parametrize("code", [_DEADLOCK, _LOCK_TIMEOUT])
async def test_a_lost_lock_runs_it_all_again(mariadb: Database, code: int) -> None:
    work = _Signals(code, times=ATTEMPTS - 1)

    assert await mariadb.transaction(work) == "done"
    assert work.runs == ATTEMPTS
    assert await words_in(mariadb) == {"once": 0}


@pytest.mark.parametrize("code", [_DEADLOCK, _LOCK_TIMEOUT])
async def test_a_lock_lost_three_times_is_unavailable(mariadb: Database, code: int) -> None:
    work = _Signals(code, times=ATTEMPTS)

    with pytest.raises(DatabaseUnavailable):
        await mariadb.transaction(work)
    assert work.runs == ATTEMPTS == 3
    assert await words_in(mariadb) == {}


async def test_a_lock_timeout_is_not_retried_when_the_caller_says_so(mariadb: Database) -> None:
    work = _Signals(_LOCK_TIMEOUT, times=1)

    with pytest.raises(LockTimeout):
        await mariadb.transaction(work, retry_lock_timeout=False)
    assert work.runs == 1
    assert await words_in(mariadb) == {}


async def test_a_deadlock_is_retried_even_then(mariadb: Database) -> None:
    work = _Signals(_DEADLOCK, times=1)

    assert await mariadb.transaction(work, retry_lock_timeout=False) == "done"
    assert work.runs == 2


@pytest.mark.parametrize("code", [1040, 1053, 1317, 1290])
async def test_a_server_that_cannot_now_is_unavailable_at_once(
    mariadb: Database, code: int
) -> None:
    work = _Signals(code, times=1)

    with pytest.raises(DatabaseUnavailable) as refused:
        await mariadb.transaction(work)
    assert not isinstance(refused.value, LockTimeout)
    assert work.runs == 1


async def test_two_transactions_that_deadlock_both_succeed(mariadb: Database) -> None:
    for word in ("left", "right"):
        await mariadb.transaction(lambda connection, word=word: add_word(connection, word))
    both_hold_one = asyncio.Barrier(2)
    runs: list[str] = []

    def crossing(first: str, second: str) -> Callable[[AsyncConnection], Awaitable[None]]:
        async def work(connection: AsyncConnection) -> None:
            runs.append(first)
            await add_to(connection, first, 1)
            if runs.count(first) == 1:
                await both_hold_one.wait()
            await add_to(connection, second, 1)

        return work

    await asyncio.gather(
        mariadb.transaction(crossing("left", "right")),
        mariadb.transaction(crossing("right", "left")),
    )
    assert len(runs) == 3
    assert await words_in(mariadb) == {"left": 2, "right": 2}


async def test_a_lock_that_is_not_granted_in_three_seconds_is_a_lock_timeout(
    mariadb: Database,
) -> None:
    await mariadb.transaction(lambda connection: add_word(connection, "a"))
    loop = asyncio.get_running_loop()

    async def hold(connection: AsyncConnection) -> float:
        await add_to(connection, "a", 1)
        started = loop.time()
        with pytest.raises(LockTimeout):
            await mariadb.transaction(
                lambda other: add_to(other, "a", 10), retry_lock_timeout=False
            )
        return loop.time() - started

    assert 2.5 < await mariadb.transaction(hold) < 20
    assert await words_in(mariadb) == {"a": 1}


async def test_a_lock_that_is_freed_meanwhile_is_had_at_the_second_try(mariadb: Database) -> None:
    await mariadb.transaction(lambda connection: add_word(connection, "a"))
    is_held, tried_twice = asyncio.Event(), asyncio.Event()
    tries: list[int] = []

    async def hold(connection: AsyncConnection) -> None:
        await add_to(connection, "a", 1)
        is_held.set()
        await tried_twice.wait()

    async def want(connection: AsyncConnection) -> None:
        tries.append(1)
        if len(tries) == 2:
            tried_twice.set()
        await add_to(connection, "a", 10)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(mariadb.transaction(hold))
        await is_held.wait()
        tasks.create_task(mariadb.transaction(want))
    assert len(tries) == 2
    assert await words_in(mariadb) == {"a": 11}


async def test_a_writer_of_sqlite_that_waits_five_seconds_is_a_lock_timeout(
    sqlite: Database,
) -> None:
    loop = asyncio.get_running_loop()

    async def hold(connection: AsyncConnection) -> float:
        await add_word(connection, "a")
        started = loop.time()
        with pytest.raises(LockTimeout):
            await sqlite.transaction(lambda other: add_word(other, "b"), retry_lock_timeout=False)
        return loop.time() - started

    assert 4.5 < await sqlite.transaction(hold) < 20
    assert await words_in(sqlite) == {"a": 0}


async def test_a_full_pool_is_unavailable_within_its_three_seconds(database_url: str) -> None:
    database = Database(create_engine(database_url, pool_size=1))
    loop = asyncio.get_running_loop()

    async def hold(_: AsyncConnection) -> float:
        started = loop.time()
        with pytest.raises(DatabaseUnavailable):
            await database.read(count_of)
        return loop.time() - started

    assert 2.5 < await database.read(hold) < 20
    assert isinstance(await database.read(count_of), int)
    await database.close()


async def test_a_refused_commit_does_not_reach_the_next_transaction(sqlite_url: str) -> None:
    """SQLite leaves the transaction open when COMMIT fails."""
    database = Database(create_engine(sqlite_url, pool_size=1))
    await database.transaction(_create_family)

    async def orphan(connection: AsyncConnection) -> None:
        await connection.execute(text("INSERT INTO children VALUES (1, 99)"))

    with pytest.raises(DBAPIError, match="FOREIGN KEY"):
        await database.transaction(orphan)

    async def count(connection: AsyncConnection) -> int | None:
        return await connection.scalar(text("SELECT COUNT(*) FROM children"))

    assert await database.transaction(count) == 0
    await database.close()


async def _create_family(connection: AsyncConnection) -> None:
    parents = "CREATE TABLE IF NOT EXISTS parents (id INTEGER PRIMARY KEY)"
    reference = "INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED"
    children = f"CREATE TABLE IF NOT EXISTS children (id INTEGER PRIMARY KEY, parent {reference})"
    for statement in (parents, children):
        await connection.execute(text(statement))
