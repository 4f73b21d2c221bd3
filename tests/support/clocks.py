"""A database whose clock a test sets."""

import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import event
from sqlalchemy.engine import Connection

from swapshop_kit.database import Database


@dataclass
class DatabaseClock:
    """What the sessions of an engine take for the present, on MariaDB and MySQL."""

    ahead: timedelta = timedelta()
    """How far ahead of this machine's clock; negative for behind."""

    def govern(self, database: Database) -> "DatabaseClock":
        """Set the clock of every transaction of this database that begins from now on."""

        @event.listens_for(database.engine.sync_engine, "begin")
        def begin(connection: Connection) -> None:
            now = time.time() + self.ahead.total_seconds()
            connection.exec_driver_sql(f"SET timestamp = {now:.6f}")

        return self
