"""Run work in the background of a block."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None], name: str) -> AsyncGenerator[None]:
    """Run work during a block, and cancel it at the end of the block.

    Args:
        work: must not raise; if it does, the block ends at once.
        name: name of its task.

    Raises:
        Exception: the block's or the work's exception, unwrapped from the ExceptionGroup, with
            its context kept.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work, name=name)
            yield
            task.cancel()
    except BaseExceptionGroup as errors:
        first, *others = errors.exceptions
        if others:
            raise
        context = first.__context__
        try:
            raise first
        finally:
            first.__context__ = context  # the raise replaces it with the group
