import asyncio

import pytest

from swapshop_api.exporter.container import running
from swapshop_api.exporter.domain import Exporter
from swapshop_api.exporter.metrics import PipelineCollector
from swapshop_kit.database import Database, create_engine


class Scripted(Exporter):
    """Ends its snapshots as it is told."""

    def __init__(self, error: Exception | None) -> None:
        engine = create_engine("sqlite+aiosqlite:///unused.db")
        super().__init__(Database(engine), PipelineCollector(), 15)
        self._error = error

    async def run(self) -> None:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()


async def test_snapshots_end_with_the_block() -> None:
    async with running(Scripted(None)):
        pass
    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"exporter"})


async def test_a_bug_in_a_snapshot_ends_the_process_rather_than_showing_old_figures() -> None:
    with pytest.raises(ExceptionGroup) as ended:
        async with running(Scripted(ZeroDivisionError("a bug"))):
            await asyncio.Event().wait()
    assert ended.group_contains(ZeroDivisionError)
