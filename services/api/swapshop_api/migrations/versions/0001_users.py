"""The table ``users``."""

from sqlalchemy import Column, String, UniqueConstraint

from swapshop_kit.dialect import Identifier, OpaqueText, UtcTime
from swapshop_kit.migrations import create_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_table(
        "users",
        Column("id", Identifier(), primary_key=True),
        Column("nombre", String(120), nullable=False),
        Column("email", OpaqueText(254), nullable=False),
        Column("password_hash", OpaqueText(255), nullable=False),
        Column("rol", OpaqueText(16), nullable=False),
        Column("created_at", UtcTime(), nullable=False),
        UniqueConstraint("email", name="uq_users_email"),
    )
