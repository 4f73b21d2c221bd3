"""Work beside a block ends with it; what fails, ends both, and is raised as it is."""

import asyncio

import pytest

from swapshop_kit.background import in_background


async def forever() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    raise ZeroDivisionError


async def test_the_work_ends_with_the_block() -> None:
    before = asyncio.all_tasks()
    async with in_background(forever(), "work"):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_work_that_fails_ends_the_block() -> None:
    with pytest.raises(ZeroDivisionError):
        async with in_background(broken(), "work"):
            await forever()


@pytest.mark.parametrize("error", [KeyError("own"), ExceptionGroup("own", [KeyError()])])
async def test_an_error_of_the_block_is_raised_as_it_is(error: Exception) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(type(error)) as raised:
        async with in_background(forever(), "work"):
            raise error
    assert raised.value is error
    assert asyncio.all_tasks() == before


async def test_a_block_that_is_cancelled_is_cancelled() -> None:
    async def block() -> None:
        async with in_background(forever(), "work"):
            await forever()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
