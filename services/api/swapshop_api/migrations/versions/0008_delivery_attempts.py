"""The table ``delivery_attempts``."""

from sqlalchemy import Column, Index, Integer, String

from swapshop_kit.dialect import Identifier, OpaqueText, UtcTime
from swapshop_kit.migrations import create_table

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    create_table(
        "delivery_attempts",
        Column("delivery_id", Identifier(), primary_key=True),
        Column("lease_token", Identifier(), primary_key=True),
        Column("claimed_at", UtcTime(), nullable=False),
        Column("reported_at", UtcTime()),
        Column("outcome", OpaqueText(16)),
        Column("status", Integer),
        Column("error", String(200)),
        Index("ix_attempts_claimed", "claimed_at"),
    )
