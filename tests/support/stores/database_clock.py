"""A database whose clock a test sets."""

import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import event
from sqlalchemy.engine import Connection

from swapshop_kit.database import Database
from swapshop_kit.dialect import sqlite_utc_now


@dataclass
class DatabaseClock:
    """The current time of an engine's sessions, until the test changes it."""

    ahead: timedelta = timedelta()
    """How far ahead of this machine's clock; negative for behind."""

    def govern(self, *databases: Database) -> "DatabaseClock":
        """Set the clock of every transaction of these databases that begins from now on."""
        for database in databases:
            event.listen(database.engine.sync_engine, "begin", self._set)
        return self

    def _set(self, connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            dbapi_connection = connection.connection.dbapi_connection
            assert dbapi_connection is not None
            dbapi_connection.create_function("swapshop_utc_now", 1, self._sqlite_utc_now)
        else:
            now = time.time() + self.ahead.total_seconds()
            connection.exec_driver_sql(f"SET timestamp = {now:.6f}")

    def _sqlite_utc_now(self, microseconds: int) -> str:
        return sqlite_utc_now(microseconds + self.ahead // timedelta(microseconds=1))
