"""Errors of the databases, and what each means for the transaction that met it."""

import sqlite3

import pytest
from asyncmy.errors import DataError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy import exc, select
from sqlalchemy.dialects import mysql, sqlite
from sqlmodel import Field

from swapshop_kit.dialect import Failure, OpaqueText, UtcTime, classify, force_index
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
        ([1213], Failure.DEADLOCK),
        ([1040, 1129, 1130, 1203, 1226], Failure.UNAVAILABLE),
        ([1044, 1045, 1049, 1142, 1146], Failure.UNAVAILABLE),
        ([1053, 1080, 1158, 1160, 1927], Failure.UNAVAILABLE),
        ([1290, 1836], Failure.UNAVAILABLE),
        ([1317, 1969, 3024, 4031], Failure.UNAVAILABLE),
        ([1021, 1037, 1041, 1114], Failure.UNAVAILABLE),
        ([2003, 2006, 2013], Failure.UNAVAILABLE),
        ([1054, 1064, 1406, 1364, 1452, 9999], Failure.DEFECT),
    ],
)
def test_codes_of_mysql_and_mariadb(codes: list[int], failure: Failure) -> None:
    for code in codes:
        for kind in (OperationalError, ProgrammingError, DataError, IntegrityError):
            assert classify(_wrapped(kind(code, "told so"))) is failure, code


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
