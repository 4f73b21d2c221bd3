"""The table of notifications."""

from sqlalchemy import BINARY, Column, Index, UniqueConstraint

from swapshop_kit.dialect import Identifier, MediumBlob, OpaqueText, UtcTime
from swapshop_kit.migrations import create_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_table(
        "notifications",
        Column("webhook_id", OpaqueText(64), primary_key=True),
        Column("user_id", Identifier(), nullable=False),
        Column("order_id", Identifier(), nullable=False),
        Column("evento", OpaqueText(32), nullable=False),
        Column("content_sha256", BINARY(32), nullable=False),
        Column("payload", MediumBlob, nullable=False),
        Column("received_at", UtcTime(), nullable=False),
        Column("read_at", UtcTime()),
        UniqueConstraint("order_id", "evento", name="uq_notifications_event"),
        Index("ix_notifications_user", "user_id", "received_at", "webhook_id"),
        Index("ix_notifications_unread", "user_id", "read_at", "received_at", "webhook_id"),
    )
