"""The table ``leases``."""

from sqlalchemy import Column, Index

from swapshop_kit.dialect import Identifier, OpaqueText, UtcTime
from swapshop_kit.migrations import create_table

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    create_table(
        "leases",
        Column("token", Identifier(), primary_key=True),
        Column("client", OpaqueText(64), nullable=False),
        Column("created_at", UtcTime(), nullable=False),
        Column("expires_at", UtcTime(), nullable=False),
        Index("ix_leases_created", "created_at"),
    )
