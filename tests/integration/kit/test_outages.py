"""A server that is away, silent or slow: a clear error in bounded time, and full recovery."""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

import pytest
import uvloop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from support.servers.processes import HOST, free_port
from support.skips import skipping_without_server
from support.stores.sample_table import METADATA, add_word, count_of, words_in
from support.stores.servers import DatabaseServer
from support.stores.servers import mariadb as private_mariadb
from support.waiting import until
from swapshop_kit.database import Database, create_engine
from swapshop_kit.migrations import is_ready
from swapshop_kit.mysql import Limits
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown

_BOUND = 12.0  # for a busy machine; every limit that applies here is shorter


@pytest.fixture(scope="module")
def server() -> Generator[DatabaseServer]:
    """Return a private server, since the tests stop it."""
    with skipping_without_server(), private_mariadb() as server, server.schema("outages"):
        yield server


@pytest.fixture
async def database(server: DatabaseServer) -> AsyncGenerator[Database]:
    database = Database(create_engine(server.url("outages"), limits=Limits(answer=0.5)))
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.drop_all)
        await connection.run_sync(METADATA.create_all)
    yield database
    await database.close()


async def _is_unavailable(attempt: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(_BOUND):
        with pytest.raises(DatabaseUnavailable):
            await attempt()


async def test_a_stopped_server_is_unavailable_and_found_again(
    server: DatabaseServer, database: Database
) -> None:
    await database.transaction(lambda connection: add_word(connection, "before"))
    server.kill()
    try:
        for _ in range(3):
            await _is_unavailable(lambda: database.read(count_of))
        assert not await is_ready(database, "0001")
    finally:
        server.start()

    await database.transaction(lambda connection: add_word(connection, "after"))
    assert await words_in(database) == {"before": 0, "after": 0}


async def test_a_server_that_dies_in_the_middle_of_a_query_is_unavailable(
    server: DatabaseServer, database: Database
) -> None:
    async def work(connection: AsyncConnection) -> None:
        await add_word(connection, "lost")
        server.kill()
        await count_of(connection)

    try:
        await _is_unavailable(lambda: database.transaction(work))
    finally:
        server.start()
    assert await words_in(database) == {}


async def test_a_silent_server_is_unavailable_and_found_again(
    server: DatabaseServer, database: Database
) -> None:
    await database.transaction(lambda connection: add_word(connection, "before"))
    with server.paused():
        await _is_unavailable(lambda: database.read(count_of))
        await _is_unavailable(lambda: database.read(count_of))

    await database.transaction(lambda connection: add_word(connection, "after"))
    assert await words_in(database) == {"before": 0, "after": 0}


async def test_a_server_that_falls_silent_at_the_commit_leaves_it_unknown(
    server: DatabaseServer, database: Database
) -> None:
    async def work(connection: AsyncConnection) -> None:
        await add_word(connection, "perhaps")
        server.pause()

    try:
        async with asyncio.timeout(_BOUND):
            with pytest.raises(OutcomeUnknown):
                await database.transaction(work)
    finally:
        server.resume()
    assert set(await words_in(database)) <= {"perhaps"}


async def test_a_caller_that_gives_up_on_a_silent_server_is_let_go(
    server: DatabaseServer, database: Database
) -> None:
    async def work(connection: AsyncConnection) -> None:
        await add_word(connection, "a")
        server.pause()
        await asyncio.Event().wait()

    try:
        async with asyncio.timeout(_BOUND):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await database.transaction(work)
    finally:
        server.resume()
    assert await words_in(database) == {}


async def test_a_statement_beyond_its_limit_is_ended_by_the_server(
    server: DatabaseServer, database: Database
) -> None:
    impatient = Database(create_engine(server.url("outages"), limits=Limits(statement=1)))
    runs: list[int] = []

    async def work(connection: AsyncConnection) -> None:
        runs.append(1)
        await add_word(connection, "a")
        # As a whole query, MySQL would end it without an error.
        await connection.execute(text("SELECT 1 FROM samples WHERE SLEEP(60)"))

    await _is_unavailable(lambda: impatient.transaction(work))
    assert runs == [1]
    assert await impatient.read(count_of) == 0
    await impatient.close()
    assert await words_in(database) == {}


async def test_a_server_that_refuses_writes_leaves_no_transaction_open(
    server: DatabaseServer, database: Database
) -> None:
    """The next caller of the connection would commit what read_only refused."""
    server.execute(
        "CREATE USER IF NOT EXISTS clerk IDENTIFIED BY 'made-up-password'",
        "GRANT SELECT, INSERT ON outages.* TO clerk",
    )
    url = database.engine.url.set(username="clerk")
    clerk = Database(create_engine(url.render_as_string(hide_password=False), pool_size=1))

    async def work(connection: AsyncConnection) -> None:
        await add_word(connection, "refused")
        server.execute("SET GLOBAL read_only = 1")

    try:
        with pytest.raises((OutcomeUnknown, DatabaseUnavailable)):
            await clerk.transaction(work)
        await _is_unavailable(
            lambda: clerk.transaction(lambda connection: add_word(connection, "x"))
        )
    finally:
        server.execute("SET GLOBAL read_only = 0")
    await clerk.transaction(lambda connection: add_word(connection, "next"))
    await clerk.close()

    assert await words_in(database) == {"next": 0}


async def test_a_commit_that_a_global_read_lock_holds_up_is_refused_and_undone(
    server: DatabaseServer, database: Database
) -> None:
    """A backup takes such a lock; MySQL has no other limit for a COMMIT."""
    waiting = Database(create_engine(server.url("outages"), limits=Limits(metadata_lock=1)))
    locker = Database(create_engine(server.url("outages")))
    runs: list[int] = []

    async def lock_all(connection: AsyncConnection) -> None:
        async def work(other: AsyncConnection) -> None:
            runs.append(1)
            await add_word(other, "refused")
            if len(runs) == 1:
                await connection.execute(text("FLUSH TABLES WITH READ LOCK"))

        await _is_unavailable(lambda: waiting.transaction(work))
        await connection.execute(text("UNLOCK TABLES"))

    await locker.read(lock_all)
    await waiting.transaction(lambda connection: add_word(connection, "next"))
    await locker.close()
    await waiting.close()
    assert await words_in(database) == {"next": 0}


@pytest.mark.parametrize(
    "url",
    [
        "mysql+asyncmy://swapshop:wrong@{host}:{port}/outages",
        "mysql+asyncmy://nobody:wrong@{host}:{port}/outages",
        "mysql+asyncmy://swapshop:made-up-password@{host}:{port}/not_yet_made",
        "mysql+asyncmy://swapshop:made-up-password@{host}:{nothing}/outages",
        "mysql+asyncmy://swapshop:made-up-password@no-such-host.invalid/outages",
    ],
)
async def test_what_cannot_be_reached_yet_is_unavailable(server: DatabaseServer, url: str) -> None:
    database = Database(create_engine(url.format(host=HOST, port=server.port, nothing=free_port())))
    await _is_unavailable(lambda: database.read(count_of))
    assert not await is_ready(database, "0001")
    await database.close()


def test_a_server_that_breaks_new_connections_is_unavailable() -> None:
    async def connect(database: Database) -> None:
        with pytest.raises(DatabaseUnavailable):
            await database.read(count_of)

    async def main(port: int) -> None:
        database = Database(create_engine(f"mysql+asyncmy://u:p@{HOST}:{port}/none", pool_size=50))
        for _ in range(20):  # many at once, so that some connections break before they are returned
            await asyncio.gather(*(connect(database) for _ in range(50)))
        await database.close()

    with socket.create_server((HOST, 0), backlog=50) as server:
        threading.Thread(target=_break_connections, args=(server,), daemon=True).start()
        uvloop.run(main(server.getsockname()[1]))  # as in the services
        server.shutdown(socket.SHUT_RDWR)


def _break_connections(server: socket.socket) -> None:
    """Accept and reset every connection until the server is shut down."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


async def test_a_schema_without_its_tables_is_unavailable(server: DatabaseServer) -> None:
    with server.schema("not_migrated") as url:
        database = Database(create_engine(url))
        await _is_unavailable(lambda: database.read(count_of))
        await database.close()


async def test_too_many_connections_are_unavailable(
    server: DatabaseServer, database: Database
) -> None:
    server.execute(
        "CREATE USER IF NOT EXISTS crowd IDENTIFIED BY 'made-up-password'"
        " WITH MAX_USER_CONNECTIONS 1",
        "GRANT SELECT ON outages.* TO crowd",
    )
    url = database.engine.url.set(username="crowd")
    crowd = Database(create_engine(url.render_as_string(hide_password=False), pool_size=2))

    async def hold(_: AsyncConnection) -> None:
        await _is_unavailable(lambda: crowd.read(count_of))

    await crowd.read(hold)
    await crowd.close()


async def test_a_file_that_cannot_be_opened_is_unavailable() -> None:
    threads = threading.active_count()
    database = Database(create_engine("sqlite+aiosqlite:////no/such/folder/shop.db"))
    await _is_unavailable(lambda: database.read(count_of))
    await database.close()
    # The driver ends the thread of a half-open connection later.
    await until(lambda: threading.active_count() <= threads)
