"""Waiting for a condition instead of for a time."""

import asyncio
from collections.abc import Awaitable, Callable

LIMIT_SECONDS = 60.0
POLL_SECONDS = 0.01


async def until(
    condition: Callable[[], Awaitable[bool] | bool], seconds: float = LIMIT_SECONDS
) -> None:
    """Returns when the condition holds; TimeoutError if it does not in time."""
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if await holds if isinstance(holds, Awaitable) else holds:
                return
            await asyncio.sleep(POLL_SECONDS)
