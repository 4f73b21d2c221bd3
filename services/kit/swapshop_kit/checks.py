"""Health checks of the dependencies that services have in common; each bounds its own time."""

import asyncio
from typing import Final

import structlog

from swapshop_kit.database import Database, is_durable
from swapshop_kit.health import Check, State
from swapshop_kit.metrics import report_durability
from swapshop_kit.migrations import state_of
from swapshop_kit.problems import DatabaseUnavailable

CHECK_SECONDS: Final = 2.0
"""A dependency that takes longer to answer counts as away."""

_log = structlog.get_logger()


def database_check(name: str, database: Database, head: str) -> Check:
    """Check that the database answers, that its schema is at least at ``head``, and its role.

    The first time it does, its durability is reported under ``name``, with a warning if a COMMIT
    would not survive a power cut.
    """
    is_reported = False

    async def check() -> State:
        nonlocal is_reported
        state = await state_of(database, head)
        if state != "away" and not is_reported:
            await _report_durability(name, database)
            is_reported = True
        return state

    return within(CHECK_SECONDS, check)


async def _report_durability(name: str, database: Database) -> None:
    durable = await is_durable(database)
    report_durability(name, durable)
    if not durable:
        _log.warning("database.not_durable", pool=name)


def within(seconds: float, check: Check) -> Check:
    """Bound a check's time; one that takes longer, or loses the database midway, says no."""

    async def bounded() -> bool | State:
        try:
            async with asyncio.timeout(seconds):
                return await check()
        except (TimeoutError, DatabaseUnavailable):
            return False

    return bounded
