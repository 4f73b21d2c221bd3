"""Creates and cached reads per second on this machine: one api process, and k6 beside it.

On MariaDB or MySQL and Redis where they are installed or given (see tests/support/servers.py),
else on SQLite and Valkey. ``--seconds`` and ``--clients`` change the load.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import swapshop_api.container
from support.processes import ServerMissingError, running
from support.servers import given_or_private_database, given_or_private_redis, valkey
from support.stores import migrate_to_head
from support.system import System

SCRIPT = Path(__file__).parents[2] / "k6" / "bench.js"


@contextmanager
def stores(folder: Path) -> Generator[tuple[str, str, str]]:
    """The URLs of a database and a Redis, and their names."""
    with ExitStack() as stack:
        try:
            database = stack.enter_context(given_or_private_database())
            url = stack.enter_context(database.schema(f"bench_{os.getpid()}"))
            redis = stack.enter_context(given_or_private_redis())
            yield url, redis.url, "MariaDB or MySQL, and Redis"
        except ServerMissingError:
            redis = stack.enter_context(valkey())
            yield f"sqlite+aiosqlite:///{folder / 'swapshop.db'}", redis.url, "SQLite and Valkey"


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, stores(Path(name)) as (url, redis_url, names):
        folder = Path(name)
        migrate_to_head(url, swapshop_api.container.MIGRATIONS)
        system = System(folder, url, url, redis_url)
        with running(system.api(LOG_LEVEL="warning")):
            summary = folder / "summary.json"
            environment = {
                "URL": system.api_url,
                "SECONDS": str(arguments.seconds),
                "CLIENTS": str(arguments.clients),
                "SUMMARY": str(summary),
            }
            k6 = Path(sys.executable).with_name("k6")
            subprocess.run(  # noqa: S603 - our own script
                [k6, "run", "--quiet", "--no-usage-report", SCRIPT],
                env={**os.environ, **environment},
                check=True,
            )
            figures = json.loads(summary.read_text())
    print(f"{names}; {os.cpu_count()} cores shared with k6; Python {platform.python_version()}")
    print(f"{arguments.clients} clients, {arguments.seconds} s each")
    print(f"{'':14}{'per second':>12}{'median ms':>12}{'p99 ms':>10}")
    for row in ("creates", "reads"):
        found = figures[row]
        print(
            f"{row:14}{found['per_second']:12.0f}{found['median_ms']:12.2f}{found['p99_ms']:10.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
