"""Housekeeping: runs daily; it can be stopped at any time, and two runs can overlap."""

from typing import Final

import structlog

from swapshop_api.housekeeping.store import RULES, Rule, purge_batch
from swapshop_kit.database import Database, DuplicateKey

BATCH_SIZE: Final = 1000

_log = structlog.get_logger()


async def keep_house(database: Database, batch_size: int = BATCH_SIZE) -> dict[str, int]:
    """Purge expired rows, one batch in each transaction; return the number deleted by table.

    Raises:
        DatabaseUnavailable: the batches before stay purged; run it again.
    """
    purged: dict[str, int] = {}
    for rule in RULES:
        name = str(rule.table.name)  # quoted_name is a str subclass that the JSON encoder rejects
        purged[name] = purged.get(name, 0) + await _purge(database, rule, batch_size)
    _log.info("housekeeping.done", **purged)
    return purged


async def _purge(database: Database, rule: Rule, batch_size: int) -> int:
    count = 0
    while True:
        try:
            deleted = await database.transaction(lambda c: purge_batch(c, rule, batch_size))
        except DuplicateKey:
            continue  # another run inserted the row of a total first; the next try adds to it
        count += deleted
        if deleted < batch_size:
            return count
