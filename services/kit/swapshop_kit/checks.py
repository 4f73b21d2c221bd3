"""Health checks of the dependencies that services share; each has its own time-out."""

import asyncio
from typing import Any, Final

import structlog
from redis.asyncio import Redis

from swapshop_kit.database import Database, is_durable
from swapshop_kit.health import Check, State
from swapshop_kit.metrics import report_durability
from swapshop_kit.migrations import state_of
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_kit.redis import REDIS_ERRORS, is_up

CHECK_SECONDS: Final = 2.0
"""Time-out of a check; a dependency that takes longer counts as away."""

_log = structlog.get_logger()


def database_check(name: str, database: Database, head: str) -> Check:
    """Return a check that the database answers, is at least at ``head``, and takes writes.

    Its first success also reports the database's durability under ``name``, with a warning if a
    COMMIT would not survive a power cut.
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


def redis_check(redis: Redis) -> Check:
    """Return a check that Redis answers.

    Its first success also logs a warning if a full Redis would drop keys without an expiry: the
    rate limits are such keys.
    """
    is_reported = False

    async def check() -> bool:
        nonlocal is_reported
        up = await is_up(redis)
        if up and not is_reported:
            is_reported = True
            await _report_eviction(redis)
        return up

    return check


async def _report_eviction(redis: Redis) -> None:
    try:
        memory: dict[str, Any] = await redis.info("memory")  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
    except REDIS_ERRORS:
        return  # a user with the chart's grants cannot ask
    policy = str(memory.get("maxmemory_policy", ""))
    if policy.startswith("allkeys-"):
        _log.warning("redis.evicts_rate_limits", maxmemory_policy=policy, use="volatile-lfu")


def within(seconds: float, check: Check) -> Check:
    """Return the check with a time-out; it is False on a time-out or a lost connection."""

    async def bounded() -> bool | State:
        try:
            async with asyncio.timeout(seconds):
                return await check()
        except (TimeoutError, DatabaseUnavailable):
            return False

    return bounded
