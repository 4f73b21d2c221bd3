"""The index of notifications by their time, for the exporter."""

from sqlalchemy import Index

from swapshop_kit.migrations import create_indexes

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_indexes(
        "notifications",
        Index("ix_notifications_received", "received_at", "order_id", "evento"),
    )
