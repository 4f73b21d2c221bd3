"""Housekeeping: run daily, safe to end at any moment and to run twice at once."""

from typing import Final

import structlog

from swapshop_api.housekeeping.store import RULES, Rule, purge_batch
from swapshop_kit.database import Database, DuplicateKey

BATCH_SIZE: Final = 1000

_log = structlog.get_logger()


async def keep_house(database: Database, batch_size: int = BATCH_SIZE) -> dict[str, int]:
    """Purge what has expired, a batch a transaction; return the rows deleted by table.

    Raises:
        DatabaseUnavailable: what was purged before stays purged; run it again.
    """
    purged: dict[str, int] = {}
    for rule in RULES:
        name = str(rule.table.name)  # SQLAlchemy's own kind of str is none to a JSON writer
        purged[name] = purged.get(name, 0) + await _purge(database, rule, batch_size)
    _log.info("housekeeping.done", **purged)
    return purged


async def _purge(database: Database, rule: Rule, batch_size: int) -> int:
    count = 0
    while True:
        try:
            deleted = await database.transaction(lambda c: purge_batch(c, rule, batch_size))
        except DuplicateKey:
            continue  # another run made the row of a total first; it can be added to now
        count += deleted
        if deleted < batch_size:
            return count
