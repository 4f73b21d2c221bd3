"""The table ``refresh_families``."""

from sqlalchemy import Column, Index

from swapshop_kit.dialect import Identifier, UtcTime
from swapshop_kit.migrations import create_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_table(
        "refresh_families",
        Column("id", Identifier(), primary_key=True),
        Column("user_id", Identifier(), nullable=False),
        Column("created_at", UtcTime(), nullable=False),
        Column("expires_at", UtcTime(), nullable=False),
        Column("revoked_at", UtcTime()),
        Index("ix_refresh_families_user", "user_id"),
        Index("ix_refresh_families_expires", "expires_at"),
    )
