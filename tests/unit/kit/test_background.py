"""Background work ends with its block; a failure of either ends both and is raised unwrapped."""

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


async def fail_with(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


def failed(*, explicitly: bool) -> Exception:
    """Return an error that was raised while another was handled."""
    try:
        try:
            raise KeyError("first")
        except KeyError as first:
            if explicitly:
                raise ValueError("second") from first
            raise ValueError("second")  # noqa: B904 - what is tested
    except ValueError as second:
        return second


@pytest.mark.parametrize("explicitly", [True, False])
@pytest.mark.parametrize("of_block", [True, False])
async def test_an_error_keeps_what_it_came_from(of_block: bool, explicitly: bool) -> None:
    error = failed(explicitly=explicitly)
    before = error.__cause__, error.__context__, error.__suppress_context__
    assert isinstance(before[1], KeyError)
    with pytest.raises(ValueError, match="second"):
        async with in_background(forever() if of_block else fail_with(error), "work"):
            await (fail_with(error) if of_block else forever())
    assert (error.__cause__, error.__context__, error.__suppress_context__) == before


async def test_a_block_that_is_cancelled_is_cancelled() -> None:
    async def block() -> None:
        async with in_background(forever(), "work"):
            await forever()

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
