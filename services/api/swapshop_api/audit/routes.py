"""The audit, for operators."""

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit import store
from swapshop_api.audit.schemas import AuditEntryOut, AuditPage
from swapshop_api.dependencies import ContainerDep, Operator
from swapshop_kit.cursors import DEFAULT_PAGE_SIZE, Cursor, CursorText, PageSize, decode_cursor
from swapshop_kit.keyset import split_page
from swapshop_kit.problems import DatabaseUnavailable, Forbidden, Unauthenticated, responses
from swapshop_kit.web import router

public_router = router(prefix="/api/audit", tag="operator")


@public_router.get("", responses=responses(Unauthenticated, Forbidden, DatabaseUnavailable))
async def list_audit(
    container: ContainerDep,
    _: Operator,
    limit: PageSize = DEFAULT_PAGE_SIZE,
    cursor: CursorText = None,
) -> AuditPage:
    """List what operators and the system did, newest first."""
    after = decode_cursor(cursor)

    async def read(connection: AsyncConnection) -> AuditPage:
        rows = await store.list_page(connection, after, limit)
        entries = [AuditEntryOut.model_validate(dict(row)) for row in rows]
        page, next_cursor = split_page(entries, limit, lambda entry: Cursor(entry.at, entry.id))
        return AuditPage(items=list(page), next_cursor=next_cursor)

    return await container.database.read(read)
