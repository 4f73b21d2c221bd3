"""A MySQL or MariaDB, and a Redis, of one's own in place of SQLite and the embedded Valkey."""

import ssl
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from swapshop_kit.database import create_engine
from swapshop_kit.problems import DatabaseUnavailable

API_SCHEMA: Final = "swapshop"
RECEIVER_SCHEMA: Final = "notifications"


class ServerUrlRefused(Exception):
    """DATABASE_URL is not the URL of a MySQL or MariaDB server."""

    def __init__(self) -> None:
        super().__init__("DATABASE_URL must be mysql://user:password@host:port")


async def make_schemas(database_url: str, *, tls: ssl.SSLContext | None = None) -> tuple[str, str]:
    """Make the schemas on a server unless they are there; return the URLs of both.

    Args:
        database_url: ``mysql://user:password@host:port``, of a user who may create schemas.
        tls: as of ``create_engine``.

    Raises:
        ServerUrlRefused: it is of another form.
        DatabaseUnavailable: the server cannot be reached, or refuses.
    """
    server = _server_url(database_url)
    engine = create_engine(server.render_as_string(hide_password=False), tls=tls, pool_size=1)
    try:
        async with engine.connect() as connection:
            for schema in (API_SCHEMA, RECEIVER_SCHEMA):
                await connection.execute(text(f"CREATE DATABASE IF NOT EXISTS {schema}"))
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseUnavailable from error
    finally:
        await engine.dispose()
    api, receiver = (server.set(database=name) for name in (API_SCHEMA, RECEIVER_SCHEMA))
    return api.render_as_string(hide_password=False), receiver.render_as_string(hide_password=False)


def _server_url(database_url: str) -> URL:
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError) as error:
        raise ServerUrlRefused from error
    if url.get_backend_name() not in ("mysql", "mariadb") or url.database or not url.host:
        raise ServerUrlRefused
    return url.set(drivername="mysql+asyncmy")
