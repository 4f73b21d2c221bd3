"""What an exporter owns, made and closed in one place."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from swapshop_api import __version__
from swapshop_api.container import MIGRATIONS
from swapshop_api.exporter.domain import LONG_SECONDS, Exporter
from swapshop_api.exporter.metrics import PipelineCollector
from swapshop_api.exporter.models import SCHEMA
from swapshop_api.settings import ExporterSettings
from swapshop_kit.background import in_background
from swapshop_kit.build_info import report_build
from swapshop_kit.checks import CHECK_SECONDS, within
from swapshop_kit.database import Database, create_engine
from swapshop_kit.health import Health, operations_router
from swapshop_kit.migrations import head_of, is_ready
from swapshop_kit.mysql import Limits
from swapshop_kit.web import create_app

TITLE: Final = "SwapShop exporter"
POOL_SIZE: Final = 2
"""A snapshot, and the check of readiness."""


@dataclass
class ExporterContainer:
    """What the process owns."""

    exporter: Exporter
    health: Health

    def drain(self) -> None:
        """Begin to stop: unready from now on."""
        self.health.draining = True


@asynccontextmanager
async def open_exporter(
    settings: ExporterSettings, registry: CollectorRegistry = REGISTRY
) -> AsyncGenerator[ExporterContainer]:
    """Make an exporter that takes snapshots all through the block; waits for nothing.

    Args:
        settings: of the process.
        registry: that shows the figures.
    """
    async with AsyncExitStack() as stack:
        database = Database(open_engine(settings))
        stack.push_async_callback(database.close)
        collector = PipelineCollector()
        registry.register(collector)
        stack.callback(registry.unregister, collector)
        report_build("exporter", __version__)
        exporter = Exporter(database, collector, settings.snapshot_seconds)
        # a defect that ends the snapshots ends the process: figures would grow old
        await stack.enter_async_context(in_background(exporter.run(), "exporter"))
        head = head_of(MIGRATIONS)
        check = within(CHECK_SECONDS, lambda: is_ready(database, head))
        yield ExporterContainer(exporter, Health(required={"database": check}))


def open_engine(settings: ExporterSettings) -> AsyncEngine:
    """Make an engine that sees both schemas, and whose statements may take a minute.

    In SQLite the schema of notifications is the file ``NAME.db`` beside the database's own.
    """
    engine = create_engine(
        settings.database_url.get_secret_value(),
        tls=settings.database_tls_context(),
        pool_size=POOL_SIZE,
        limits=Limits(statement=round(LONG_SECONDS), answer=LONG_SECONDS + 5),
    )
    name = settings.notifications_schema
    if engine.dialect.name == "sqlite":
        _attach(engine, Path(engine.url.database or "").with_name(f"{name}.db"))
        return engine  # in which the file stands under our own name
    return engine.execution_options(schema_translate_map={SCHEMA: name})


def _attach(engine: AsyncEngine, file: Path) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def attach(dbapi_connection: Any, _: object) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute(f"ATTACH DATABASE ? AS {SCHEMA}", (str(file),))
        cursor.close()


def operations_app(container: ExporterContainer) -> FastAPI:
    """Make what Kubernetes and Prometheus call; there is nothing else."""
    return create_app(TITLE, __version__, [operations_router(container.health)])
