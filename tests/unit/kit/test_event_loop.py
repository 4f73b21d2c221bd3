"""The lag of the event loop is measured only while something is served."""

import asyncio
import time

from prometheus_client import REGISTRY

from support.waiting import until
from swapshop_kit.event_loop import watching_event_loop

NAME = "swapshop_event_loop_lag_seconds"


def _measures() -> float:
    return REGISTRY.get_sample_value(f"{NAME}_count") or 0


def _at_most_100_ms() -> float:
    return REGISTRY.get_sample_value(f"{NAME}_bucket", {"le": "0.1"}) or 0


async def test_a_blocking_call_is_seen() -> None:
    before = _measures()
    async with watching_event_loop(0.001):
        await until(lambda: _measures() > before)
        late = _measures() - _at_most_100_ms()
        time.sleep(0.15)  # noqa: ASYNC251 - the very defect that is measured
        await until(lambda: _measures() - _at_most_100_ms() > late)


async def test_nothing_is_left_running_after_the_block() -> None:
    before = asyncio.all_tasks()
    async with watching_event_loop(0.001):
        assert len(asyncio.all_tasks()) == len(before) + 1
    assert asyncio.all_tasks() == before
