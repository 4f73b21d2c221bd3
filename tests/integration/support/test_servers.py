from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from support.servers.processes import ServerMissingError, ServerStartError, free_port
from support.stores.servers import (
    DatabaseServer,
    RedisServer,
    ValkeyProcess,
    database_server_program,
    mariadb,
    redis_server,
    redis_server_program,
    valkey,
)

RedisKind = Callable[[], AbstractContextManager[RedisServer]]


async def query(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


def client_of(server: RedisServer) -> Redis:
    """A client that gives up at once, where redis-py would try for seconds."""
    return Redis(
        host=server.host, port=server.port, socket_timeout=0.2, retry=Retry(NoBackoff(), 0)
    )


def need(program: str | None, name: str) -> None:
    if program is None:
        pytest.skip(f"no {name} on the PATH")


@pytest.fixture(params=[redis_server, valkey])
def kind(request: pytest.FixtureRequest) -> RedisKind:
    if request.param is redis_server:
        need(redis_server_program(), "redis-server")
    start: RedisKind = request.param
    return start


async def test_a_database_commits_durably_and_survives_a_kill() -> None:
    need(database_server_program(), "mariadbd or mysqld")
    with mariadb() as server, server.schema("shop") as url:
        server.execute(
            "CREATE TABLE shop.things (id INT PRIMARY KEY)", "INSERT INTO shop.things VALUES (7)"
        )
        server.kill()
        with pytest.raises((OSError, SQLAlchemyError)):
            await query(url, "SELECT 1")
        server.start()

        assert await query(url, "SELECT id FROM things") == [(7,)]
        assert await query(
            url,
            "SELECT @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin,"
            " @@character_set_server",
        ) == [(1, 1, 1, "utf8mb4")]


async def test_a_dropped_schema_is_gone(mariadb_server: DatabaseServer) -> None:
    with mariadb_server.schema("passing"):
        pass
    named = "SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'passing'"

    assert await query(mariadb_server.url(), named) == []


async def test_a_redis_answers_and_is_gone_after_a_kill(kind: RedisKind) -> None:
    with kind() as server:
        async with client_of(server) as client:
            assert await client.set("key", "value")
            server.kill()
            with pytest.raises((OSError, RedisError)):
                await client.get("key")
            server.start()
            assert await client.get("key") is None


async def test_a_paused_redis_does_not_answer(kind: RedisKind) -> None:
    with kind() as server:
        async with client_of(server) as client:
            with server.paused(), pytest.raises(RedisError):
                await client.get("key")
            assert await client.get("key") is None


def test_a_valkey_that_does_not_start_is_told_as_any_server(tmp_path: Path) -> None:
    (tmp_path / "dump.rdb").write_bytes(b"no dump")
    with pytest.raises(ServerStartError, match="died during startup"):
        ValkeyProcess(free_port(), tmp_path).start()


def test_a_server_given_from_outside_is_not_ours_to_kill() -> None:
    server = RedisServer("redis://localhost:6379/0")
    with pytest.raises(ServerMissingError):
        server.kill()


def test_each_kind_of_redis_has_a_url(redis_url: str) -> None:
    assert redis_url.startswith("redis://")
