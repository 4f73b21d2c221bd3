"""Work that goes on beside a block."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None], name: str) -> AsyncGenerator[None]:
    """Run work while a block lasts, and cancel it at the block's end.

    Args:
        work: fails only by a defect.
        name: of its task.

    Raises:
        Exception: the block's own, or the work's, which ends the block at once; as it is, in no
            group of one, and with what it came from.
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
            first.__context__ = context  # which the raise overwrites with the group
