"""Measures the exporter with many delivered orders: its first pass, and one snapshot.

On MariaDB or MySQL, installed or given (see tests/support/stores/servers.py). ``--orders`` changes
the number of orders, in thousands.
"""

import argparse
import asyncio
import os
import platform
import sys
import time
from typing import Final

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

import swapshop_api.container
import swapshop_receiver.container
from support.stores.pairs import migrate_to_head
from support.stores.servers import DatabaseServer, given_or_private_database
from swapshop_api.exporter import store
from swapshop_api.exporter.container import open_engine
from swapshop_api.exporter.domain import Exporter
from swapshop_api.exporter.metrics import PipelineCollector
from swapshop_api.settings import ExporterSettings
from swapshop_kit.database import Database

PART: Final = 50
"""Thousands of orders that one statement inserts."""

ID: Final = "UNHEX(LPAD(HEX(n), 32, '0'))"
WEBHOOK: Final = "CONCAT('order-ready_', n)"
CREATED: Final = "('2026-01-01' + INTERVAL n * 7 SECOND)"
DONE: Final = f"({CREATED} + INTERVAL MOD(n, 150) * 1000003 MICROSECOND)"
ROWS: Final = {
    "orders": (
        "id, user_id, cliente, total, estado, created_at, processed_at, fingerprint",
        f"{ID}, {ID}, 'Lucía', 21.00, 'PROCESSED', {CREATED}, {DONE}, REPEAT('x', 32)",
    ),
    "deliveries": (
        (
            "id, webhook_id, order_id, event_type, payload, state, created_at, next_attempt_at,"
            " unreported_claims, attempts, aways, done_at"
        ),
        (
            f"{ID}, {WEBHOOK}, {ID}, 'ORDER_READY', REPEAT('x', 300), 'DONE', {CREATED}, {CREATED},"
            f" 0, 0, 0, {DONE}"
        ),
    ),
    "delivery_attempts": (
        "delivery_id, lease_token, claimed_at, reported_at, outcome, took_over",
        f"{ID}, {ID}, {CREATED}, {DONE}, 'delivered', 0",
    ),
    "notifications": (
        "webhook_id, user_id, order_id, evento, content_sha256, payload, received_at",
        f"{WEBHOOK}, {ID}, {ID}, 'ORDER_READY', REPEAT('x', 32), REPEAT('x', 300), {DONE}",
    ),
}


def fill(server: DatabaseServer, schema: str, receiver_schema: str, thousands: int) -> None:
    """Insert orders that were all delivered, one each seven seconds."""
    server.execute(
        f"USE `{schema}`",
        "CREATE TABLE thousand (n INT PRIMARY KEY) AS WITH RECURSIVE counted AS"
        " (SELECT 0 AS n UNION ALL SELECT n + 1 FROM counted WHERE n < 999) SELECT n FROM counted",
    )
    for table, (columns, values) in ROWS.items():
        name = f"`{receiver_schema if table == 'notifications' else schema}`.{table}"
        print(f"filling {table}", flush=True)
        for first in range(0, thousands, PART):
            server.execute(
                f"USE `{schema}`",
                f"INSERT INTO {name} ({columns}) SELECT {values} FROM"
                " (SELECT high.n * 1000 + low.n AS n FROM thousand low STRAIGHT_JOIN thousand high"
                f" WHERE high.n BETWEEN {first} AND {min(first + PART, thousands) - 1}) AS numbers",
            )
        server.execute(f"ANALYZE TABLE {name}")


async def measure(settings: ExporterSettings) -> None:
    """Print how long each part takes."""
    database = Database(open_engine(settings))
    collector = PipelineCollector()
    exporter = Exporter(database, collector, settings.snapshot_seconds)
    for name in ("first pass and first snapshot", *["next snapshot"] * 3):
        started = time.perf_counter()
        assert await exporter.collect()
        seconds = time.perf_counter() - started
        [own] = [
            sample.value
            for metric in collector.collect()
            for sample in metric.samples
            if sample.name == "swapshop_pipeline_collect_duration_seconds"
        ]
        print(f"{name}: {seconds:.2f} s, the snapshot {own:.2f} s of it")

    async def losses(connection: AsyncConnection) -> float:
        started = time.perf_counter()
        found = await store.count_losses(connection)
        assert (found.unaccounted, found.without_delivery) == (0, 0)
        return time.perf_counter() - started

    print(f"losses: {await database.snapshot(losses):.2f} s")
    await database.close()


def main() -> int:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1000, help="in thousands, at most 1000")
    thousands = parser.parse_args().orders
    schemas = f"bench_{os.getpid()}", f"bench_{os.getpid()}_notifications"
    with (
        given_or_private_database() as server,
        server.schema(schemas[0]) as url,
        server.schema(schemas[1]) as receiver_url,
    ):
        migrate_to_head(url, swapshop_api.container.MIGRATIONS)
        migrate_to_head(receiver_url, swapshop_receiver.container.MIGRATIONS)
        fill(server, *schemas, thousands)
        settings = ExporterSettings(
            database_url=SecretStr(url), notifications_schema=schemas[1], snapshot_seconds=60
        )
        asyncio.run(measure(settings))
    print(f"{thousands},000 orders, Python {platform.python_version()}, {os.cpu_count()} cores")
    return 0


if __name__ == "__main__":
    sys.exit(main())
