"""What an exporter opens, and what its process does when its snapshots meet a defect."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select

from support.api.exporter import exporter_settings
from swapshop_api.exporter.container import open_engine, open_exporter
from swapshop_api.exporter.models import notifications
from swapshop_kit.database import Database


async def test_a_defect_ends_the_process_rather_than_showing_old_figures(tmp_path: Path) -> None:
    settings = exporter_settings(f"sqlite+aiosqlite:///{tmp_path / 'swapshop.db'}", "notifications")
    # what validation would never let through stands for a defect
    broken = settings.model_copy(update={"snapshot_seconds": "soon"})
    with pytest.raises(TypeError):
        async with open_exporter(broken, CollectorRegistry()):
            await asyncio.Event().wait()


@pytest.mark.parametrize("schema", ["notifications", "main", "1abc", "table"])
async def test_in_sqlite_a_schema_is_the_file_of_its_name(tmp_path: Path, schema: str) -> None:
    with closing(sqlite3.connect(tmp_path / f"{schema}.db")) as file:
        file.execute("CREATE TABLE notifications AS SELECT 'order-ready_1' AS webhook_id")
    url = f"sqlite+aiosqlite:///{tmp_path / 'swapshop.db'}"
    database = Database(open_engine(exporter_settings(url, schema)))
    count = select(func.count()).select_from(notifications)
    assert await database.read(lambda connection: connection.scalar(count)) == 1
    await database.close()
