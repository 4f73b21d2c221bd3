"""What an exporter's process does when its snapshots meet a defect."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from support.exporter import exporter_settings
from swapshop_api.exporter.container import open_exporter


async def test_a_defect_ends_the_process_rather_than_showing_old_figures(tmp_path: Path) -> None:
    settings = exporter_settings(f"sqlite+aiosqlite:///{tmp_path / 'swapshop.db'}", "notifications")
    # what validation would never let through stands for a defect
    broken = settings.model_copy(update={"snapshot_seconds": "soon"})
    with pytest.raises(TypeError):
        async with open_exporter(broken, CollectorRegistry()):
            await asyncio.Event().wait()
