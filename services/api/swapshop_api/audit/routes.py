"""The audit, for operators."""

from typing import Annotated

from swapshop_api.audit.domain import AuditLog
from swapshop_api.audit.schemas import AuditPage
from swapshop_api.dependencies import Operator
from swapshop_kit.cursors import DEFAULT_PAGE_SIZE, CursorText, PageSize, decode_cursor
from swapshop_kit.problems import DatabaseUnavailable, Forbidden, Unauthenticated, responses
from swapshop_kit.provided import provided
from swapshop_kit.web import router

public_router = router(prefix="/api/audit", tag="operator")


@public_router.get("", responses=responses(Unauthenticated, Forbidden, DatabaseUnavailable))
async def list_audit(
    audit: Annotated[AuditLog, provided(AuditLog)],
    _: Operator,
    limit: PageSize = DEFAULT_PAGE_SIZE,
    cursor: CursorText = None,
) -> AuditPage:
    """List what operators and the system did, newest first."""
    return await audit.list_page(decode_cursor(cursor), limit)
