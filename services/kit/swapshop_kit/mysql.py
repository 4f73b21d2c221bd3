"""Connections to MySQL and MariaDB: how they are made, limited, checked and given up."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import asyncmy
from asyncmy.errors import Error, OperationalError
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from swapshop_kit.dialect import READ_ONLY, leaves_primary
from swapshop_kit.name_lookup import Addresses

_DEFAULT_PORT: Final = 3306

_MODE: Final = (
    "sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ZERO_DATE,NO_ZERO_IN_DATE', time_zone = '+00:00'"
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Times in seconds; none is reached while the database is well.

    A client that vanishes without a word keeps its locks for at most ``statement`` + ``idle``.
    """

    connect: float = 3
    """For looking the server up, connecting, TLS and signing in, all together."""
    answer: float = 10
    """A server that stays silent longer counts as away; its connection is thrown away."""
    statement: int | None = 8
    """The server ends a statement that takes longer: MariaDB any, MySQL a SELECT. None, for
    migrations: neither statements nor answers have a limit."""
    row_lock: int = 3
    metadata_lock: int = 3
    """A COMMIT waits so long too, while somebody holds a global read lock."""
    idle: int = 30
    """The server ends a session, and so its transaction, that is silent or takes no answer."""
    check: float = 2
    """A pooled connection is asked for the server's role if that was not done for so long."""

    @property
    def pooled(self) -> float:
        """A connection that was idle in the pool for longer is not used again."""
        return self.idle * 2 / 3


def create_mysql(
    url: str, tls: ssl.SSLContext | None, pool_size: int, limits: Limits
) -> AsyncEngine:
    """Make an engine for ``mysql+asyncmy://``; parameters as of ``create_engine``."""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=3,
        pool_recycle=1800,
        pool_reset_on_return=None,  # every transaction ends in COMMIT, ROLLBACK or close
        isolation_level="READ COMMITTED",
        connect_args={
            "async_creator_fn": _connector(url, tls, limits.connect),
            "read_timeout": limits.answer if limits.statement else None,
            **({"ssl": tls} if tls else {}),
        },
    )
    pool = _PoolChecks(limits)
    event.listen(engine.sync_engine, "connect", pool.prepare)
    event.listen(engine.sync_engine, "checkout", pool.check)
    event.listen(engine.sync_engine, "handle_error", _leave_primary)
    return engine


def _leave_primary(context: ExceptionContext) -> None:
    """Close the connection and all that are pooled: the service may lead elsewhere by now."""
    if leaves_primary(context.original_exception):
        context.is_disconnect = True


class _PoolChecks:
    """What is done with a connection when it is made, and whenever it leaves the pool."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def prepare(self, dbapi_connection: Any, _: ConnectionPoolEntry) -> None:
        """Set the session up."""
        limits = self._limits
        cursor = dbapi_connection.cursor()
        cursor.execute("SELECT VERSION()")
        is_mariadb = "mariadb" in str(cursor.fetchone()[0]).lower()
        # MySQL limits SELECT alone, in milliseconds; MariaDB every statement, in seconds
        name, unit = ("max_statement_time", 1) if is_mariadb else ("max_execution_time", 1000)
        cursor.execute(
            f"SET SESSION {_MODE}, {name} = {(limits.statement or 0) * unit}, "
            f"innodb_lock_wait_timeout = {limits.row_lock}, "
            f"lock_wait_timeout = {limits.metadata_lock}, wait_timeout = {limits.idle}, "
            f"net_read_timeout = {limits.idle}, net_write_timeout = {limits.idle}"
        )
        cursor.close()

    def check(self, dbapi_connection: Any, record: ConnectionPoolEntry, _: object) -> None:
        """Let the pool make another connection if this one is old, dead or leads to no primary.

        A new one is used as it is: a read-only server may be all that can be reached just now.
        """
        now, info = time.monotonic(), record.info
        is_new, idle_seconds = "used_at" not in info, now - info.get("used_at", now)
        info["used_at"] = now
        if idle_seconds > self._limits.pooled:
            raise DisconnectionError("idle for so long that the server may have closed it")
        if not is_new and now - info["checked_at"] >= self._limits.check:
            _check_role(dbapi_connection)
            is_new = True
        if is_new:
            info["checked_at"] = now


def _check_role(dbapi_connection: Any) -> None:
    try:
        cursor = dbapi_connection.cursor()
        cursor.execute(f"SELECT {READ_ONLY}")
        (is_read_only,) = cursor.fetchone()
        cursor.close()
    except Error as error:
        raise InvalidatePoolError("lost while it was idle") from error
    if is_read_only:
        raise InvalidatePoolError("the server takes no writes")


_Connect = Callable[..., Awaitable[Any]]
_open: Final = cast("_Connect", asyncmy.connect)  # pyright: ignore[reportUnknownMemberType] - untyped


def _connector(url: str, tls: ssl.SSLContext | None, seconds: float) -> _Connect:
    """Return what makes a connection of the driver, all within a time.

    The driver limits connecting alone, but neither the lookup of a name nor TLS.
    """
    host = make_url(url).host or "localhost"
    addresses = Addresses(host, make_url(url).port or _DEFAULT_PORT)
    if tls:
        _verify_as(tls, host)

    async def connect(**options: Any) -> Any:
        async with asyncio.timeout(seconds):
            known = list(await addresses.current())
            while True:
                address = known.pop(0)
                try:
                    return await _open(**{**options, "host": address})
                except RuntimeError as error:
                    # how asyncmy reports that uvloop's connection broke before its first use
                    raise ConnectionResetError("the connection broke while it was made") from error
                except OperationalError as error:
                    if not known or isinstance(error.__cause__, ssl.SSLError):
                        raise

    return connect


def _verify_as(tls: ssl.SSLContext, host: str) -> None:
    """Make connections to an address expect the certificate of the host."""
    wrap_bio = tls.wrap_bio

    def wrap(incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, **_: object) -> ssl.SSLObject:
        return wrap_bio(incoming, outgoing, server_hostname=host)

    tls.wrap_bio = wrap  # pyright: ignore[reportAttributeAccessIssue] - of a client, by keyword
