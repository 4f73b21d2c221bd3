"""Connections to MySQL and MariaDB: how they are opened, limited, checked and closed."""

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
    """Times in seconds; a healthy database reaches none of them.

    A client that vanishes without closing its connection holds its locks for at most
    ``statement`` + ``idle``.
    """

    connect: float = 3
    """Time-out for name lookup, connection, TLS and authentication together."""
    answer: float = 10
    """Read time-out; after it the connection is closed. Ignored if ``statement`` is None."""
    statement: int | None = 8
    """Time-out of a statement in the server: in MariaDB of any, in MySQL of a SELECT. None, for
    migrations, sets no limit."""
    row_lock: int = 3
    metadata_lock: int = 3
    """A COMMIT also waits this long while another session holds a global read lock."""
    idle: int = 30
    """The server ends a session, and its transaction, that is silent or reads no answer."""
    check: float = 2
    """Minimum time between two checks of the server's role on a pooled connection."""

    @property
    def pooled(self) -> float:
        """Time in the pool after which an idle connection is not used again."""
        return self.idle * 2 / 3


def create_mysql(
    url: str, tls: ssl.SSLContext | None, pool_size: int, limits: Limits
) -> AsyncEngine:
    """Create an engine for ``mysql+asyncmy://``; see ``create_engine``."""
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
    """Close the connection and the pooled ones: the host name may lead to another server now."""
    if leaves_primary(context.original_exception):
        context.is_disconnect = True


class _PoolChecks:
    """Prepares a new connection, and checks each connection that leaves the pool."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def prepare(self, dbapi_connection: Any, _: ConnectionPoolEntry) -> None:
        """Set the session's variables."""
        limits = self._limits
        cursor = dbapi_connection.cursor()
        cursor.execute("SELECT VERSION()")
        is_mariadb = "mariadb" in str(cursor.fetchone()[0]).lower()
        # MySQL limits only SELECT, in milliseconds; MariaDB every statement, in seconds
        name, unit = ("max_statement_time", 1) if is_mariadb else ("max_execution_time", 1000)
        cursor.execute(
            f"SET SESSION {_MODE}, {name} = {(limits.statement or 0) * unit}, "
            f"innodb_lock_wait_timeout = {limits.row_lock}, "
            f"lock_wait_timeout = {limits.metadata_lock}, wait_timeout = {limits.idle}, "
            f"net_read_timeout = {limits.idle}, net_write_timeout = {limits.idle}"
        )
        cursor.close()

    def check(self, dbapi_connection: Any, record: ConnectionPoolEntry, _: object) -> None:
        """Make the pool replace a connection that is old, broken or not to the primary.

        A new one is not checked: a read-only server may be the only one that can be reached.
        """
        now, info = time.monotonic(), record.info
        is_new, idle_seconds = "used_at" not in info, now - info.get("used_at", now)
        info["used_at"] = now
        if idle_seconds > self._limits.pooled:
            raise DisconnectionError("idle so long that the server may have closed it")
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
        raise InvalidatePoolError("the connection was lost while it was idle") from error
    if is_read_only:
        raise InvalidatePoolError("the server takes no writes")


_Connect = Callable[..., Awaitable[Any]]
_open: Final = cast("_Connect", asyncmy.connect)  # pyright: ignore[reportUnknownMemberType] - untyped


def _connector(url: str, tls: ssl.SSLContext | None, seconds: float) -> _Connect:
    """Return a function that opens a connection of the driver within a time-out.

    The driver limits only the connect call, not the name lookup or TLS.
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
                    # asyncmy reports a uvloop connection that broke before its first use like this
                    raise ConnectionResetError("the connection broke while opening") from error
                except OperationalError as error:
                    if not known or isinstance(error.__cause__, ssl.SSLError):
                        raise

    return connect


def _verify_as(tls: ssl.SSLContext, host: str) -> None:
    """Verify the certificate of the host although the connection is to an address."""
    wrap_bio = tls.wrap_bio

    def wrap(incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, **_: object) -> ssl.SSLObject:
        return wrap_bio(incoming, outgoing, server_hostname=host)

    tls.wrap_bio = wrap  # pyright: ignore[reportAttributeAccessIssue] - of a client, by keyword
