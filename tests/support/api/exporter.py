"""An exporter over both schemas, and rows of notifications as old as a test wants them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.orders import insert_orders
from swapshop_api.exporter.container import open_engine
from swapshop_api.exporter.domain import CHUNK_ROWS, LONG_SECONDS, Exporter
from swapshop_api.exporter.figures import (
    LATENCY_BUCKETS,
    Claims,
    Deadlines,
    Figures,
    Latencies,
    Losses,
    Snapshot,
)
from swapshop_api.exporter.metrics import PipelineCollector
from swapshop_api.settings import ExporterSettings
from swapshop_kit.database import Database
from swapshop_kit.dialect import utc_now
from swapshop_kit.ids import new_id
from swapshop_receiver.notifications.models import notifications

ERRORS = "swapshop_pipeline_collect_errors_total"
UNACCOUNTED = "swapshop_orders_unaccounted"
WITHOUT_DELIVERY = "swapshop_orders_processed_without_delivery"
LATENCY = "swapshop_order_notification_latency_seconds"
POLLER_AGE = "swapshop_poller_last_success_age_seconds"
DEADLINES = "swapshop_order_notification_deadlines_total"
COUNTERS = (
    "swapshop_deliveries_leased_total",
    "swapshop_deliveries_delivered_total",
    "swapshop_lease_expirations_total",
    "swapshop_dead_letters_total",
)

Samples = Mapping[str, float]
"""By name, with the values of the labels in braces after it."""


def exporter_settings(url: str, schema: str, **changes: Any) -> ExporterSettings:
    """Settings of an exporter that is patient with a busy machine."""
    values: dict[str, Any] = {"snapshot_seconds": 30, "host": "127.0.0.1"} | changes
    return ExporterSettings(database_url=SecretStr(url), notifications_schema=schema, **values)


@dataclass
class Watch:
    """An exporter whose snapshots are taken when a test says so."""

    database: Database
    chunk_rows: int = CHUNK_ROWS
    interval_seconds: float = 30
    losses_seconds: float = LONG_SECONDS
    clock: Callable[[], float] = time.monotonic
    collector: PipelineCollector = field(default_factory=PipelineCollector)
    exporter: Exporter = field(init=False)

    def __post_init__(self) -> None:
        self.exporter = Exporter(
            self.database,
            self.collector,
            self.interval_seconds,
            chunk_rows=self.chunk_rows,
            losses_seconds=self.losses_seconds,
            clock=self.clock,
        )

    def shown(self) -> Samples:
        """The current result of a scrape."""
        return {
            sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value
            for metric in self.collector.collect()
            for sample in metric.samples
        }

    async def look(self) -> Samples:
        """Take a snapshot, which succeeds, and return what a scrape shows."""
        assert await self.exporter.collect()
        return self.shown()


def watch_url(url: str, schema: str, **more: Any) -> Watch:
    """Make an exporter of a schema and its neighbour; its database is the caller's to close."""
    return Watch(Database(open_engine(exporter_settings(url, schema))), **more)


def watch(database: Database, receiver: Database, **more: Any) -> Watch:
    """Make an exporter of both schemas; its database is the caller's to close."""
    url = database.engine.url.render_as_string(hide_password=False)
    return watch_url(url, Path(receiver.engine.url.database or "").stem, **more)


async def now_of(database: Database) -> datetime:
    """The database's present."""

    async def read(connection: AsyncConnection) -> datetime:
        return (await connection.execute(select(utc_now()))).scalar_one()

    return await database.read(read)


async def notify(receiver: Database, order_id: str, received_at: datetime | None = None) -> None:
    """Store an order's notification, by default now."""
    row = {
        "webhook_id": f"order-ready_{order_id}",
        "user_id": new_id(),
        "order_id": order_id,
        "evento": "ORDER_READY",
        "content_sha256": bytes(32),
        "payload": b"{}",
        "received_at": received_at or await now_of(receiver),
    }

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(insert(notifications), [row])

    await receiver.transaction(work)


async def order_and_notification(
    database: Database, receiver: Database, ago: timedelta, latency: timedelta | None
) -> str:
    """Insert an order created so long ago, and its notification unless the latency is None."""
    created_at = await now_of(database) - ago
    [order_id] = await insert_orders(
        database, [{"created_at": created_at, "estado": "PROCESSED", "processed_at": created_at}]
    )
    if latency is not None:
        await notify(receiver, order_id, created_at + latency)
    return order_id


async def remove(database: Database, table: Table, where: Any) -> None:
    """Delete rows behind everybody's back."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(delete(table).where(where))

    await database.transaction(work)


def snapshot_of_one_order() -> Snapshot:
    """A snapshot of one delivered order, for a collector to show."""
    figures = Figures(
        orders={"PENDING": 0, "PROCESSED": 1},
        blocked=0,
        deliveries={"READY": 0, "LEASED": 0, "DONE": 1, "DEAD": 0},
        late=0,
        given_up=0,
        oldest_age=0.0,
        claims=Claims(leased=1, delivered=1, taken_over=0),
        dead_letters={"conflict": 0, "malformed": 0, "exhausted": 0, "poison": 0},
        poller_age=12.5,
    )
    losses = Losses(unaccounted=0, without_delivery=0)
    counts = [0] * (len(LATENCY_BUCKETS) + 1)
    counts[LATENCY_BUCKETS.index(120)] = 1
    latencies = Latencies(counts=tuple(counts), seconds=119.5)
    return Snapshot(figures, losses, latencies, Deadlines(met=1), seconds=0.25)
