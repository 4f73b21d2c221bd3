"""The use case of operators who read the audit log."""

from swapshop_api.audit import store
from swapshop_api.audit.schemas import AuditEntryOut, AuditPage
from swapshop_kit.cursors import Cursor
from swapshop_kit.database import Database
from swapshop_kit.keyset import split_page


class AuditLog:
    """Reads the audit log; it is written in the transactions that it records.

    Args:
        database: of the schema ``swapshop``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_page(self, after: Cursor | None, limit: int) -> AuditPage:
        """Return a page of entries, newest first."""
        rows = await self._database.read(lambda c: store.list_page(c, after, limit))
        entries = [AuditEntryOut.model_validate(dict(row)) for row in rows]
        page, next_cursor = split_page(entries, limit, lambda entry: Cursor(entry.at, entry.id))
        return AuditPage(items=list(page), next_cursor=next_cursor)
