"""Differences between MySQL, MariaDB and SQLite: column types, the clock, and error codes."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import (
    BINARY,
    BigInteger,
    Boolean,
    ColumnElement,
    Dialect,
    LargeBinary,
    Select,
    Table,
    Text,
    literal,
    types,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

# --- column types -----------------------------------------------------------------------------


class Identifier(types.TypeDecorator[str]):
    """A UUID: canonical text in Python, 16 bytes in the database. Both sort the same way."""

    impl = BINARY(16)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else UUID(value).bytes

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else str(UUID(bytes=value))


class OpaqueText(types.TypeDecorator[str]):
    """Text compared byte by byte: UTF-8 in VARBINARY, since collations equate different texts."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self.max_bytes = max_bytes

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(types.VARBINARY(self.max_bytes))
        return dialect.type_descriptor(LargeBinary())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else value.encode()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else value.decode()


class UtcTime(types.TypeDecorator[datetime]):
    """DATETIME(6) in UTC; an aware datetime in Python. Naive ones are refused."""

    impl = types.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(types.DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:  # astimezone would read it as local time
            raise ValueError(f"{value.isoformat()} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


MediumBlob: Final = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
LongText: Final = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


# --- the clock --------------------------------------------------------------------------------


class utc_now(FunctionElement[datetime]):  # noqa: N801 - named as SQL functions are
    """The database's current time in UTC, in microseconds, plus an offset.

    Args:
        offset: added to the current time; may be negative.
    """

    type = UtcTime()
    inherit_cache = True

    def __init__(self, offset: timedelta = timedelta()) -> None:
        microseconds = offset // timedelta(microseconds=1)
        super().__init__(*([literal(microseconds, BigInteger())] if microseconds else []))


@compiles(utc_now, "mysql")
@compiles(utc_now, "mariadb")
def _utc_now_mysql(element: utc_now, compiler: SQLCompiler, **options: Any) -> str:
    if not len(element.clauses):
        return "UTC_TIMESTAMP(6)"
    microseconds = compiler.process(element.clauses, **options)
    return f"(UTC_TIMESTAMP(6) + INTERVAL {microseconds} MICROSECOND)"


@compiles(utc_now, "sqlite")
def _utc_now_sqlite(element: utc_now, compiler: SQLCompiler, **options: Any) -> str:
    return f"swapshop_utc_now({compiler.process(element.clauses, **options) or 0})"


def sqlite_utc_now(microseconds: int) -> str:
    """Return SQLite's ``utc_now``: its own clock has only milliseconds."""
    now = datetime.now(UTC) + timedelta(microseconds=microseconds)
    return now.strftime("%Y-%m-%d %H:%M:%S.%f")


class microseconds_between(FunctionElement[int]):  # noqa: N801 - named as SQL functions are
    """The whole microseconds from one UtcTime column to another; negative if end is earlier.

    Args:
        start: the earlier time.
        end: the later time.
    """

    type = BigInteger()
    inherit_cache = True

    def __init__(self, start: ColumnElement[datetime], end: ColumnElement[datetime]) -> None:
        super().__init__(start, end)


@compiles(microseconds_between, "mysql")
@compiles(microseconds_between, "mariadb")
def _between_mysql(element: microseconds_between, compiler: SQLCompiler, **options: Any) -> str:
    return f"TIMESTAMPDIFF(MICROSECOND, {compiler.process(element.clauses, **options)})"


@compiles(microseconds_between, "sqlite")
def _between_sqlite(element: microseconds_between, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in element.clauses)

    def in_microseconds(time: str) -> str:
        # strftime would round the fraction, possibly up to the next second
        whole = f"strftime('%s', substr({time}, 1, 19))"
        return f"(CAST({whole} AS INTEGER) * 1000000 + CAST(substr({time}, 21) AS INTEGER))"

    return f"({in_microseconds(end)} - {in_microseconds(start)})"


SNAPSHOT: Final = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
"""Statements that begin a MySQL or MariaDB transaction on one snapshot of all tables. The level
applies only to this transaction; at another level the server warns and takes no snapshot."""


class is_read_only(FunctionElement[bool]):  # noqa: N801 - named as SQL functions are
    """Whether the server takes no writes, so another may have newer data. Always 0 in SQLite."""

    type = Boolean()
    inherit_cache = True


READ_ONLY: Final = "@@global.read_only OR @@global.innodb_read_only"
"""The condition in MySQL and MariaDB; super_read_only implies read_only."""


@compiles(is_read_only, "mysql")
@compiles(is_read_only, "mariadb")
def _is_read_only_mysql(*_: object, **__: object) -> str:
    return f"({READ_ONLY})"


@compiles(is_read_only, "sqlite")
def _is_read_only_sqlite(*_: object, **__: object) -> str:
    return "0"


# --- plans -------------------------------------------------------------------------------------


def force_index(query: Select[Any], table: Table, index: str) -> Select[Any]:
    """Force MySQL and MariaDB to read a table by an index; SQLite chooses it without a hint.

    For a keyset with a LIMIT their optimizers would use only the equality and then skip every
    newer row: hundreds of thousands for a page of twenty.
    """
    return query.with_hint(table, f"FORCE INDEX ({index})", "mysql")


# --- errors -----------------------------------------------------------------------------------


class Failure(Enum):
    """The meaning of a database error for its transaction."""

    DUPLICATE = auto()
    """A unique key already exists."""
    LOCK_TIMEOUT = auto()
    """A lock was not granted in time. ROLLBACK and retry."""
    DEADLOCK = auto()
    """Rolled back in favour of another transaction. ROLLBACK and retry."""
    NOT_PRIMARY = auto()
    """The server takes no writes, or is handing over its role. ROLLBACK and retry elsewhere."""
    UNAVAILABLE = auto()
    """The server is unreachable, full, shutting down or too slow."""
    DEFECT = auto()
    """Our statement is wrong."""


_DEADLOCK: Final = frozenset(
    {
        1213,  # deadlock; Galera: certification failed
        1020,  # MariaDB: the row has changed since this snapshot was taken
        3101,  # group replication: certification failed
    }
)
_TAKES_NO_WRITES: Final = frozenset(
    {
        *(1290, 1836, 1874, 1036),  # read_only and super_read_only, InnoDB read-only
        1792,  # transaction_read_only is the session's default
        3098,  # group replication: not a member that may write
        1047,  # Galera: not part of the primary component
    }
)
"""The server refuses before it changes anything, even at a COMMIT."""
_HANDS_OVER: Final = frozenset({3100, 3101})
"""Group replication: this member may have left the group."""
_MYSQL_UNAVAILABLE: Final = frozenset(
    {
        *(1040, 1129, 1135, 1203, 1226),  # too many connections, or failed ones
        *(1044, 1045, 1049, 1130, 1142, 1146),  # not granted or not migrated yet
        *(1053, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927),  # shutting down, connection ended
        3159,  # requires TLS
        *(1317, 1969, 3024, 3169, 4031),  # interrupted, or took too long
        *(1021, 1037, 1038, 1041, 1114, 1206, 1637),  # out of disk, memory or transactions
        *(1, 2, 3, 4, 5, 9, 20, 1016, 1023, 1024, 1026, 1030),  # files and storage engines
        *(1180, 1598),  # the engine or the binlog failed, possibly at a COMMIT
        *(2002, 2003, 2006, 2012, 2013, 2055),  # client errors: no answer
    }
)
_MYSQL_FAILURES: Final[Mapping[int, Failure]] = {
    1062: Failure.DUPLICATE,
    1205: Failure.LOCK_TIMEOUT,
    **dict.fromkeys(_MYSQL_UNAVAILABLE, Failure.UNAVAILABLE),
    **dict.fromkeys(_TAKES_NO_WRITES | _HANDS_OVER, Failure.NOT_PRIMARY),
    **dict.fromkeys(_DEADLOCK, Failure.DEADLOCK),
}
_VITESS_CODES: Final = frozenset({1105, 1317})
_VITESS_FAILOVER: Final = re.compile(
    r"not serving|no healthy tablet|reparent"
    r"|code = (?:Unavailable|FailedPrecondition|Aborted|ClusterEvent)",
    re.IGNORECASE,
)
"""Vitess uses one code for every tablet error, so only its text identifies a failover."""
_READ_ONLY: Final = re.compile(r"read.only", re.IGNORECASE)
_SQLITE_UNAVAILABLE: Final = ("disk I/O", "disk is full", "unable to open", "no such table")


def classify(error: Exception) -> Failure:
    """Return the meaning of an error of SQLAlchemy or its driver."""
    if isinstance(error, PoolTimeoutError | OSError | TimeoutError):
        return Failure.UNAVAILABLE
    if not isinstance(error, DBAPIError):
        return Failure.DEFECT
    original = cast("BaseException", error.orig)
    known = _classify_mysql(original)
    if known is not Failure.DEFECT:
        return known
    if error.connection_invalidated:
        return Failure.UNAVAILABLE
    return Failure.DEFECT if _code_of(original) is not None else _classify_sqlite(error)


def is_undone(error: Exception) -> bool:
    """Return whether a failed COMMIT certainly changed nothing, once its connection is closed."""
    failure = classify(error)
    if failure is Failure.NOT_PRIMARY and isinstance(error, DBAPIError):
        return _code_of(cast("BaseException", error.orig)) in _TAKES_NO_WRITES
    if failure is Failure.DEFECT:  # MySQL defers no constraint to the COMMIT
        return isinstance(error, DBAPIError) and _code_of(cast("BaseException", error.orig)) is None
    return failure in (Failure.DUPLICATE, Failure.LOCK_TIMEOUT, Failure.DEADLOCK)


def leaves_primary(original: BaseException) -> bool:
    """Return whether a driver's error means that another server may be the primary now."""
    return _classify_mysql(original) is Failure.NOT_PRIMARY or _code_of(original) in _HANDS_OVER


def _code_of(original: BaseException) -> int | None:
    code: Any = original.args[0] if original.args else None
    return code if isinstance(code, int) else None


def _classify_mysql(original: BaseException) -> Failure:
    code, message = _code_of(original), str(original)
    if code is None:
        return Failure.DEFECT
    if code in _VITESS_CODES and _VITESS_FAILOVER.search(message):
        return Failure.NOT_PRIMARY
    if code == 1290 and not _READ_ONLY.search(message):  # caused by another option
        return Failure.UNAVAILABLE
    return _MYSQL_FAILURES.get(code, Failure.DEFECT)


def _classify_sqlite(error: DBAPIError) -> Failure:
    message = str(error.orig)
    if isinstance(error, IntegrityError):
        return Failure.DUPLICATE if "UNIQUE constraint" in message else Failure.DEFECT
    if "database is locked" in message or "database table is locked" in message:
        return Failure.LOCK_TIMEOUT
    if any(words in message for words in _SQLITE_UNAVAILABLE):
        return Failure.UNAVAILABLE
    return Failure.DEFECT
