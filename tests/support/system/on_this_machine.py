"""SwapShop as processes on this machine, on new stores of whatever servers it has."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from support.servers.processes import ServerMissingError, ServerStartError
from support.stores.servers import given_or_private_database, given_or_private_redis, valkey
from support.system.separate_processes import System, migrate_both, migrated_schemas
from swapshop_kit.problems import DatabaseUnavailable


@contextmanager
def migrated_system(folder: Path) -> Generator[tuple[System, str]]:
    """The services, none of them started yet, and the names of their stores.

    Args:
        folder: of logs, keys and whatever the stores keep.

    Raises:
        ServerStartError: a server did not start, or one given from outside refuses.
    """
    with ExitStack() as stack:
        try:
            prepared = _prepare(stack, folder)
        except (OSError, SQLAlchemyError, DatabaseUnavailable) as error:
            raise ServerStartError(f"{type(error).__name__}: {error}") from error
        yield prepared


def _prepare(stack: ExitStack, folder: Path) -> tuple[System, str]:
    try:
        redis = stack.enter_context(given_or_private_redis())
        schemas = migrated_schemas(stack.enter_context(given_or_private_database()))
        urls = stack.enter_context(schemas)
        names = "MariaDB or MySQL, and Redis"
    except ServerMissingError:
        stack.close()
        redis = stack.enter_context(valkey())
        files = [
            f"sqlite+aiosqlite:///{folder / name}.db" for name in ("swapshop", "notifications")
        ]
        urls = migrate_both(*files)
        names = "SQLite and Valkey"
    return System(folder, *urls, redis.url), names
