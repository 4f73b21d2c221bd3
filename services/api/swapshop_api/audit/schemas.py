"""JSON of the audit."""

from pydantic import BaseModel

from swapshop_kit.times import UtcTimestamp


class AuditEntryOut(BaseModel):
    """Who did what to which thing, when."""

    id: str
    at: UtcTimestamp
    actor: str
    action: str
    subject: str
    detail: str | None


class AuditPage(BaseModel):
    """A page of the audit, newest first."""

    items: list[AuditEntryOut]
    next_cursor: str | None
