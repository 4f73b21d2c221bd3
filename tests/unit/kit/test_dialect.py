"""Errors of the databases, and what each means for its transaction."""

import sqlite3

import pytest
from asyncmy.errors import DataError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy import exc, select
from sqlalchemy.dialects import mysql, sqlite
from sqlmodel import Field

from swapshop_kit.dialect import (
    Failure,
    OpaqueText,
    UtcTime,
    classify,
    force_index,
    is_read_only,
    is_undone,
    leaves_primary,
)
from swapshop_kit.tables import Row, table_of


class DialectSample(Row, table=True):
    __tablename__ = "dialect_sample"

    id: int = Field(primary_key=True)


def _wrapped(original: Exception, kind: type[exc.DBAPIError] = exc.OperationalError) -> Exception:
    return kind("SELECT 1", None, original)


@pytest.mark.parametrize(
    ("codes", "failure"),
    [
        ([1062], Failure.DUPLICATE),
        ([1205], Failure.LOCK_TIMEOUT),
        ([1213, 1020, 3101], Failure.DEADLOCK),
        ([1040, 1129, 1130, 1203, 1226], Failure.UNAVAILABLE),
        ([1044, 1045, 1049, 1142, 1146], Failure.UNAVAILABLE),
        ([1053, 1080, 1158, 1160, 1927], Failure.UNAVAILABLE),
        ([1836, 1874, 1036, 1792, 3098, 3100, 1047], Failure.NOT_PRIMARY),
        ([1290], Failure.UNAVAILABLE),
        ([1317, 1969, 3024, 4031], Failure.UNAVAILABLE),
        ([1021, 1037, 1041, 1114], Failure.UNAVAILABLE),
        ([1, 2, 3, 5, 20, 1016, 1024, 1026, 1030], Failure.UNAVAILABLE),
        ([1180, 1598], Failure.UNAVAILABLE),
        ([2003, 2006, 2013], Failure.UNAVAILABLE),
        ([1054, 1064, 1105, 1406, 1364, 1452, 9999], Failure.DEFECT),
    ],
)
def test_codes_of_mysql_and_mariadb(codes: list[int], failure: Failure) -> None:
    for code in codes:
        for kind in (OperationalError, ProgrammingError, DataError, IntegrityError):
            assert classify(_wrapped(kind(code, "told so"))) is failure, code


_READ_ONLY = (
    OperationalError(1290, "The MySQL server is running with the --super-read-only option so ..."),
    OperationalError(1290, "The MariaDB server is running with the --read-only option so ..."),
    OperationalError(1792, "Cannot execute statement in a READ ONLY transaction"),
    OperationalError(1836, "Running in read-only mode"),
    OperationalError(1874, "InnoDB is in read only mode."),
    OperationalError(3098, "The table does not comply with the requirements by an external plugin"),
    OperationalError(1047, "WSREP has not yet prepared node for application use"),
)
_HANDS_OVER = (
    OperationalError(3100, "Error on observer while running replication hook 'before_commit'."),
    OperationalError(1105, "target: shop.0.primary: primary is not serving, there is a reparent"),
    OperationalError(1105, "target: shop.0.primary: no healthy tablet available for 'keyspace'"),
    OperationalError(1105, "vttablet: rpc error: code = Unavailable desc = connection refused"),
    OperationalError(1105, "rpc error: code = FailedPrecondition desc = state NOT_SERVING"),
    OperationalError(1105, "vttablet: rpc error: code = Aborted desc = transaction 17: ended"),
    OperationalError(1317, "target: shop.0.primary: code = ClusterEvent desc = operation denied"),
)


@pytest.mark.parametrize("original", [*_READ_ONLY, *_HANDS_OVER])
def test_a_server_that_takes_no_writes_is_left(original: Exception) -> None:
    for is_lost in (False, True):
        error = exc.OperationalError("COMMIT", None, original, connection_invalidated=is_lost)
        assert classify(error) is Failure.NOT_PRIMARY
        assert leaves_primary(original)


def test_a_rollback_by_the_group_is_repeated_on_another_connection() -> None:
    original = OperationalError(3101, "Plugin instructed the server to rollback the transaction.")

    assert classify(_wrapped(original)) is Failure.DEADLOCK
    assert leaves_primary(original)


@pytest.mark.parametrize("code", [0, 1062, 1105, 1205, 1213, 1290, 1317, 2013, 9999])
def test_after_any_other_error_the_server_is_kept(code: int) -> None:
    assert not leaves_primary(OperationalError(code, "told so"))


@pytest.mark.parametrize(
    "original",
    [
        *_READ_ONLY,
        *(OperationalError(code, "told so") for code in (1020, 1062, 1205, 1213, 3101)),
    ],
)
def test_a_commit_that_the_server_refused_is_undone(original: Exception) -> None:
    for is_lost in (False, True):
        error = exc.DBAPIError("COMMIT", None, original, connection_invalidated=is_lost)
        assert is_undone(error)


@pytest.mark.parametrize(
    "error",
    [
        _wrapped(sqlite3.OperationalError("database is locked")),
        _wrapped(sqlite3.IntegrityError("FOREIGN KEY constraint failed"), exc.IntegrityError),
    ],
)
def test_a_commit_that_sqlite_refused_is_undone(error: Exception) -> None:
    assert is_undone(error)


@pytest.mark.parametrize(
    "error",
    [
        *(_wrapped(original) for original in _HANDS_OVER),
        *(
            _wrapped(OperationalError(code, "told so"))
            for code in (3, 1026, 1030, 1053, 1180, 1317, 1598, 2006, 2013, 4031, 9999)
        ),
        _wrapped(sqlite3.OperationalError("disk I/O error")),
        exc.OperationalError("COMMIT", None, OperationalError(0, "Not connected"), True),
        OSError("broken pipe"),
    ],
)
def test_any_other_commit_that_failed_may_have_been_done(error: Exception) -> None:
    assert not is_undone(error)


def test_the_servers_role_is_read_with_a_row() -> None:
    query = select(is_read_only())

    assert "@@global.read_only OR" in str(query.compile(dialect=mysql.dialect()))
    assert "SELECT 0" in str(query.compile(dialect=sqlite.dialect()))


@pytest.mark.parametrize(
    ("original", "kind", "failure"),
    [
        (
            sqlite3.IntegrityError("UNIQUE constraint failed: orders.id"),
            exc.IntegrityError,
            Failure.DUPLICATE,
        ),
        (
            sqlite3.IntegrityError("FOREIGN KEY constraint failed"),
            exc.IntegrityError,
            Failure.DEFECT,
        ),
        (
            sqlite3.IntegrityError("NOT NULL constraint failed: orders.id"),
            exc.IntegrityError,
            Failure.DEFECT,
        ),
        (
            sqlite3.OperationalError("database is locked"),
            exc.OperationalError,
            Failure.LOCK_TIMEOUT,
        ),
        (
            sqlite3.OperationalError("database table is locked: orders"),
            exc.OperationalError,
            Failure.LOCK_TIMEOUT,
        ),
        (sqlite3.OperationalError("disk I/O error"), exc.OperationalError, Failure.UNAVAILABLE),
        (
            sqlite3.OperationalError("database or disk is full"),
            exc.OperationalError,
            Failure.UNAVAILABLE,
        ),
        (
            sqlite3.OperationalError("unable to open database file"),
            exc.OperationalError,
            Failure.UNAVAILABLE,
        ),
        (
            sqlite3.OperationalError("no such table: schema_version"),
            exc.OperationalError,
            Failure.UNAVAILABLE,
        ),
        (
            sqlite3.OperationalError('near "SELEC": syntax error'),
            exc.OperationalError,
            Failure.DEFECT,
        ),
    ],
)
def test_messages_of_sqlite(
    original: Exception, kind: type[exc.DBAPIError], failure: Failure
) -> None:
    assert classify(_wrapped(original, kind)) is failure


@pytest.mark.parametrize(
    "error",
    [exc.TimeoutError("pool is full"), ConnectionResetError(), TimeoutError(), OSError("no route")],
)
def test_no_connection_is_unavailable(error: Exception) -> None:
    assert classify(error) is Failure.UNAVAILABLE


def test_a_lost_connection_is_unavailable_whatever_it_said() -> None:
    error = exc.DBAPIError(
        "COMMIT", None, OperationalError(0, "Not connected"), connection_invalidated=True
    )

    assert classify(error) is Failure.UNAVAILABLE


@pytest.mark.parametrize(
    "error", [exc.InvalidRequestError("closed"), ValueError("x"), _wrapped(OperationalError())]
)
def test_anything_else_is_a_defect_of_ours(error: Exception) -> None:
    assert classify(error) is Failure.DEFECT


def test_columns_are_declared_as_each_database_needs() -> None:
    assert _ddl(OpaqueText(255), mysql.dialect()) == "VARBINARY(255)"
    assert _ddl(OpaqueText(255), sqlite.dialect()) == "BLOB"
    assert _ddl(UtcTime(), mysql.dialect()) == "DATETIME(6)"
    assert _ddl(UtcTime(), sqlite.dialect()) == "DATETIME"


def test_an_index_is_forced_where_the_optimizer_needs_it() -> None:
    table = table_of(DialectSample)
    query = force_index(select(table.c.id), table, "ix_sample")

    assert "FORCE INDEX (ix_sample)" in str(query.compile(dialect=mysql.dialect()))
    assert "INDEX" not in str(query.compile(dialect=sqlite.dialect()))


def _ddl(kind: OpaqueText | UtcTime, dialect: object) -> str:
    return kind.compile(dialect=dialect)  # pyright: ignore[reportArgumentType] - untyped factories


def test_a_model_has_a_table() -> None:
    table = table_of(DialectSample)

    assert (table.name, table.c.keys()) == ("dialect_sample", ["id"])
