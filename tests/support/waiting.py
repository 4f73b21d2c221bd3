"""Waiting for a condition instead of for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx

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


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.2) -> float:
    """Wait for a condition and return after how many seconds it held.

    Where it asks over HTTP and is not answered, or by an error, it does not hold yet.

    Raises:
        TimeoutError: it did not hold in time; its cause is the last request's failure.
    """
    begin = time.monotonic()
    while True:
        failure = None
        try:
            if condition():
                return time.monotonic() - begin
        except httpx.HTTPError as error:
            failure = error
        if time.monotonic() - begin > seconds:
            raise TimeoutError(f"not within {seconds} s") from failure
        time.sleep(every)
