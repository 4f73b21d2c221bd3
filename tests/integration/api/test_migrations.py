"""The api's schema: what its models say, wherever a migration died on the way there."""

import asyncio
import re
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from support.servers.python_programs import run_python
from support.stores.interruptions import interrupted_engines, kill_connection
from support.stores.servers import DatabaseServer
from support.stores.statements import is_running
from support.waiting import until
from swapshop_api.audit.models import audit
from swapshop_api.auth.models import refresh_families, refresh_tokens, users
from swapshop_api.container import MIGRATIONS
from swapshop_api.dispatch.models import deliveries, delivery_attempts, leases
from swapshop_api.housekeeping.models import totals
from swapshop_api.orders.models import order_items, orders
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id
from swapshop_kit.migrations import VERSION_TABLE, head_of, is_ready, migrate, read_version
from swapshop_kit.problems import DatabaseUnavailable

TABLES = (
    users,
    refresh_families,
    refresh_tokens,
    orders,
    order_items,
    deliveries,
    leases,
    delivery_attempts,
    audit,
    totals,
)
on_mariadb = pytest.mark.parametrize("schema_url", ["mariadb"], indirect=True)
_MIGRATE = """
    import asyncio
    from swapshop_api.container import MIGRATIONS
    from swapshop_kit.migrations import migrate

    print(asyncio.run(migrate({url!r}, MIGRATIONS)))
"""

Structure = dict[str, Any]


def _new_schema(kind: str, request: pytest.FixtureRequest, folder: Path) -> Generator[str]:
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / new_id()}.db"
        return
    server: DatabaseServer = request.getfixturevalue("mariadb_server")
    with server.schema(f"swapshop_{new_id()[-12:]}") as url:
        # so that what create_all makes has the collation that the migrations ask for
        server.execute(f"ALTER DATABASE {url.rpartition('/')[2]} COLLATE utf8mb4_bin")
        yield url


@pytest.fixture(params=["sqlite", "mariadb"])
def schema_url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """A schema without a table, on each database in turn."""
    yield from _new_schema(request.param, request, tmp_path)


@pytest.fixture
def modelled_url(schema_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """Another one like it."""
    kind = "sqlite" if schema_url.startswith("sqlite") else "mariadb"
    yield from _new_schema(kind, request, tmp_path)


@pytest.fixture
async def schema(schema_url: str) -> AsyncGenerator[Database]:
    database = Database(create_engine(schema_url))
    yield database
    await database.close()


async def structure_of(database: Database) -> Structure:
    """Every table with its columns, keys and indexes, as the database tells them."""

    def look(connection: Connection) -> Structure:
        inspector = inspect(connection)
        return {
            name: {
                "columns": [
                    (column["name"], repr(column["type"]), column["nullable"], column["default"])
                    for column in inspector.get_columns(name)
                ],
                "primary key": inspector.get_pk_constraint(name)["constrained_columns"],
                "foreign keys": [
                    (key["constrained_columns"], key["referred_table"], key.get("options"))
                    for key in inspector.get_foreign_keys(name)
                ],
                "unique": sorted(
                    (str(key["name"]), key["column_names"])
                    for key in inspector.get_unique_constraints(name)
                ),
                "indexes": sorted(
                    (str(index["name"]), index["column_names"], bool(index["unique"]))
                    for index in inspector.get_indexes(name)
                ),
                "options": {
                    option: value
                    for option, value in inspector.get_table_options(name).items()
                    if option in ("mysql_engine", "mysql_collate", "mysql_default charset")
                },
            }
            for name in sorted(inspector.get_table_names())
            if name != VERSION_TABLE
        }

    async def read(connection: AsyncConnection) -> Structure:
        return await connection.run_sync(look)

    return await database.read(read)


async def modelled(url: str) -> Structure:
    """The structure that the models make by themselves."""
    wanted = MetaData()
    for table in TABLES:
        table.to_metadata(wanted)
    database = Database(create_engine(url))

    async def create(connection: AsyncConnection) -> None:
        await connection.run_sync(wanted.create_all)

    await database.transaction(create)
    structure = await structure_of(database)
    await database.close()
    return structure


async def test_the_schema_is_what_the_models_say(
    schema_url: str, modelled_url: str, schema: Database
) -> None:
    assert await migrate(schema_url, MIGRATIONS) == head_of(MIGRATIONS)
    assert await structure_of(schema) == await modelled(modelled_url)
    assert await is_ready(schema, head_of(MIGRATIONS))


async def test_migrating_again_changes_nothing(schema_url: str, schema: Database) -> None:
    await migrate(schema_url, MIGRATIONS)
    before = await structure_of(schema)
    assert await migrate(schema_url, MIGRATIONS) == head_of(MIGRATIONS)
    assert await structure_of(schema) == before


def test_the_revisions_are_one_line_and_named_by_their_number() -> None:
    revisions = list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())[::-1]
    numbers = [revision.revision for revision in revisions]
    assert numbers == [f"{number:04}" for number in range(1, len(revisions) + 1)]
    assert [revision.down_revision for revision in revisions] == [None, *numbers[:-1]]
    for revision in revisions:
        assert re.fullmatch(rf"{revision.revision}_[a-z0-9_]+\.py", Path(revision.path).name)


@on_mariadb
async def test_killed_after_each_change_it_is_finished_by_the_next_run(
    schema_url: str, modelled_url: str, schema: Database
) -> None:
    """Each run dies right after it has made one table or index: every state on the way is met."""
    admin = create_engine(schema_url)
    wanted = await modelled(modelled_url)

    async def size() -> int:
        query = "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()"
        async with admin.connect() as connection:
            return int((await connection.exec_driver_sql(query)).scalar_one())

    found, last = await size(), ""

    async def die(_number: int, statement: str, driver: Any) -> None:
        nonlocal last
        before, last = last, statement.strip()
        # reset first: our own look at the schema comes by here as well
        if before.startswith("CREATE") and await size() > found:
            await kill_connection(admin, driver)

    deaths = 0
    while True:
        with interrupted_engines(Engine, die):
            try:
                await migrate(schema_url, MIGRATIONS)
            except DatabaseUnavailable:
                deaths += 1
            else:
                break
        assert not await is_ready(schema, head_of(MIGRATIONS))
        found = await size()
    await admin.dispose()
    indexes = sum(len(table["indexes"]) for table in wanted.values())
    unique = sum(len(table["unique"]) for table in wanted.values())
    # a unique key comes with its table; the version table is one more
    assert deaths == len(TABLES) + 1 + indexes - unique
    assert await structure_of(schema) == wanted


async def test_a_migration_that_dies_on_sqlite_leaves_nothing(tmp_path: Path) -> None:
    """There it is one transaction."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'swapshop.db'}"
    database = Database(create_engine(url))
    statements = 0

    class Died(Exception):
        pass

    for at in (*range(1, 10), *range(10, 1000, 7)):

        async def die(number: int, _statement: str, _driver: Any, at: int = at) -> None:
            nonlocal statements
            statements = max(statements, number)
            if number == at:
                raise Died

        with interrupted_engines(Engine, die):
            try:
                await migrate(url, MIGRATIONS)
            except Died:
                pass
            else:
                break
        assert await structure_of(database) == {}
        assert await read_version(database) == ""
    assert statements > len(TABLES)
    assert (await structure_of(database)).keys() == {table.name for table in TABLES}
    await database.close()


async def test_two_at_once_take_turns(schema_url: str, modelled_url: str, schema: Database) -> None:
    program = _MIGRATE.format(url=schema_url)
    ended = await asyncio.gather(*(asyncio.to_thread(run_python, program) for _ in range(2)))
    assert [output.splitlines()[-1] for output in ended] == [head_of(MIGRATIONS)] * 2
    assert await structure_of(schema) == await modelled(modelled_url)


async def set_version(database: Database, version: str) -> None:
    async def work(connection: AsyncConnection) -> None:
        statement = text(f"UPDATE {VERSION_TABLE} SET version_num = :version")  # noqa: S608 - a constant of ours
        await connection.execute(statement, {"version": version})

    await database.transaction(work)


async def test_a_newer_schema_stays_untouched(schema_url: str, schema: Database) -> None:
    await migrate(schema_url, MIGRATIONS)
    before = await structure_of(schema)
    await set_version(schema, "9999")
    assert await migrate(schema_url, MIGRATIONS) == "9999"
    assert await read_version(schema) == "9999"
    assert await structure_of(schema) == before
    assert await is_ready(schema, head_of(MIGRATIONS))


@on_mariadb
async def test_a_schema_that_becomes_newer_while_we_wait_stays_untouched(
    schema_url: str, schema: Database
) -> None:
    """The next release's migration holds the lock; ours waits, and then has nothing to do."""
    await migrate(schema_url, MIGRATIONS)
    lock = {"name": f"swapshop.migrate.{schema.engine.url.database}"}

    async def is_waiting() -> bool:
        async with schema.engine.connect() as connection:
            return await is_running(connection, f"SELECT GET_LOCK('{lock['name']}'")

    async with schema.engine.connect() as newer:
        await newer.execute(text("SELECT GET_LOCK(:name, 0)"), lock)
        ours = asyncio.create_task(migrate(schema_url, MIGRATIONS))
        await until(is_waiting)
        await set_version(schema, "9999")
        await newer.execute(text("SELECT RELEASE_LOCK(:name)"), lock)
    assert await ours == "9999"
    assert await read_version(schema) == "9999"
