"""The table ``refresh_tokens``."""

from sqlalchemy import BINARY, Column, Index

from swapshop_kit.dialect import Identifier, UtcTime
from swapshop_kit.migrations import create_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    create_table(
        "refresh_tokens",
        Column("token_hash", BINARY(32), primary_key=True),
        Column("family_id", Identifier(), nullable=False),
        Column("used_at", UtcTime()),
        Column("nonce", BINARY(32)),
        Column("voided_at", UtcTime()),
        Column("expires_at", UtcTime(), nullable=False),
        Index("ix_refresh_tokens_family", "family_id"),
        Index("ix_refresh_tokens_expires", "expires_at"),
    )
