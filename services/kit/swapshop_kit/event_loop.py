"""Measure the lag of the event loop: a blocking call delays every request."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Final

from prometheus_client import Histogram

from swapshop_kit.background import in_background

LAG: Final = Histogram(
    "swapshop_event_loop_lag_seconds",
    "How much later than asked a timer of the event loop fired.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
INTERVAL_SECONDS: Final = 0.25


def watching_event_loop(
    interval_seconds: float = INTERVAL_SECONDS,
) -> AbstractAsyncContextManager[None]:
    """Measure the lag during a block.

    Args:
        interval_seconds: pause between two measurements.
    """
    return in_background(_measure(interval_seconds), "event-loop-lag")


async def _measure(interval_seconds: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + interval_seconds
        await asyncio.sleep(interval_seconds)
        LAG.observe(max(0.0, loop.time() - due))
