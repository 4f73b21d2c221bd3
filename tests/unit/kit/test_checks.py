"""Health checks: each has its own time-out."""

import asyncio

import pytest

from swapshop_kit.checks import within
from swapshop_kit.problems import DatabaseUnavailable


async def _up() -> bool:
    return True


async def _down() -> bool:
    return False


async def _hang() -> bool:
    await asyncio.Event().wait()
    return True


async def _lose() -> bool:
    raise DatabaseUnavailable


async def _break() -> bool:
    raise KeyError("defect")


async def test_a_checks_answer_is_passed_on() -> None:
    assert await within(5, _up)()
    assert not await within(5, _down)()


async def test_a_check_that_takes_too_long_says_no() -> None:
    async with asyncio.timeout(5):
        assert not await within(0.01, _hang)()


async def test_a_database_lost_midway_says_no() -> None:
    assert not await within(5, _lose)()


async def test_a_defect_is_not_taken_for_an_outage() -> None:
    with pytest.raises(KeyError):
        await within(5, _break)()
