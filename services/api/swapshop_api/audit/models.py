"""The audit table: who did what to which thing, when."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, Index, String
from sqlmodel import Field

from swapshop_kit.dialect import Identifier, OpaqueText, UtcTime
from swapshop_kit.tables import Row, table_of

BLOCK_ACTION: Final = "order.blocked"
PROCESS_ACTION: Final = "order.processed"
DEAD_ACTION: Final = "delivery.dead"
REDRIVE_ACTION: Final = "delivery.redriven"


class AuditEntry(Row, table=True):
    """An audited action; kept for 90 days."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)

    id: str = Field(sa_column=Column(Identifier(), primary_key=True))
    at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    actor: str = Field(sa_column=Column(OpaqueText(64), nullable=False))
    action: str = Field(sa_column=Column(OpaqueText(64), nullable=False))
    subject: str = Field(sa_column=Column(OpaqueText(64), nullable=False))
    detail: str | None = Field(sa_column=Column(String(200)))


audit: Final = table_of(AuditEntry)
