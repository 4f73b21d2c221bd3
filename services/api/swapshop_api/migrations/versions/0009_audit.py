"""The table ``audit``."""

from sqlalchemy import Column, Index, String

from swapshop_kit.dialect import Identifier, OpaqueText, UtcTime
from swapshop_kit.migrations import create_table

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    create_table(
        "audit",
        Column("id", Identifier(), primary_key=True),
        Column("at", UtcTime(), nullable=False),
        Column("actor", OpaqueText(64), nullable=False),
        Column("action", OpaqueText(64), nullable=False),
        Column("subject", OpaqueText(64), nullable=False),
        Column("detail", String(200)),
        Index("ix_audit_at", "at"),
    )
