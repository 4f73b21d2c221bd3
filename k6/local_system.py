"""SwapShop as processes on this machine, on stores of its own, for the time of a load test."""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import swapshop_api.container
import swapshop_receiver.container
from support.processes import ServerMissingError
from support.servers import given_or_private_database, given_or_private_redis, valkey
from support.stores import migrate_to_head
from support.system import System


@dataclass(frozen=True)
class Stores:
    """Where the data is, and what kinds of servers hold it."""

    api_url: str
    receiver_url: str
    redis_url: str
    names: str


@contextmanager
def stores(folder: Path) -> Generator[Stores]:
    """Two empty schemas and a Redis: see tests/support/servers.py; SQLite and Valkey otherwise."""
    with ExitStack() as stack:
        try:
            database = stack.enter_context(given_or_private_database())
            api, receiver = [
                stack.enter_context(database.schema(f"load_{name}_{os.getpid()}"))
                for name in ("api", "receiver")
            ]
            redis = stack.enter_context(given_or_private_redis())
            yield Stores(api, receiver, redis.url, "MariaDB or MySQL, and Redis")
        except ServerMissingError:
            redis = stack.enter_context(valkey())
            api, receiver = [
                f"sqlite+aiosqlite:///{folder / name}.db" for name in ("swapshop", "notifications")
            ]
            yield Stores(api, receiver, redis.url, "SQLite and Valkey")


@contextmanager
def migrated_system(folder: Path) -> Generator[tuple[System, str]]:
    """The services, none of them started yet, and the names of their stores.

    Args:
        folder: of logs, keys and whatever the stores keep.
    """
    with stores(folder) as found:
        migrate_to_head(found.api_url, swapshop_api.container.MIGRATIONS)
        migrate_to_head(found.receiver_url, swapshop_receiver.container.MIGRATIONS)
        yield System(folder, found.api_url, found.receiver_url, found.redis_url), found.names
