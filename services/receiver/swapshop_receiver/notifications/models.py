"""The table of notifications."""

from datetime import datetime
from typing import Final

from sqlalchemy import BINARY, Column, Index, UniqueConstraint
from sqlmodel import Field

from swapshop_kit.dialect import Identifier, MediumBlob, OpaqueText, UtcTime
from swapshop_kit.tables import Row, table_of


class Notification(Row, table=True):
    """An event that was announced to a user or to all operators; never purged."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("order_id", "evento", name="uq_notifications_event"),
        Index("ix_notifications_user", "user_id", "received_at", "webhook_id"),
        Index("ix_notifications_unread", "user_id", "read_at", "received_at", "webhook_id"),
        Index("ix_notifications_received", "received_at", "order_id", "evento"),
    )

    webhook_id: str = Field(sa_column=Column(OpaqueText(64), primary_key=True))
    user_id: str = Field(sa_column=Column(Identifier(), nullable=False))
    """The inbox: the user's id, or the id of the inbox that operators share."""
    order_id: str = Field(sa_column=Column(Identifier(), nullable=False))
    evento: str = Field(sa_column=Column(OpaqueText(32), nullable=False))
    content_sha256: bytes = Field(sa_column=Column(BINARY(32), nullable=False))
    payload: bytes = Field(sa_column=Column(MediumBlob, nullable=False))
    """The exact bytes that were signed."""
    received_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    """The database's clock when the row was inserted: up to 5 s before others can see it."""
    read_at: datetime | None = Field(sa_column=Column(UtcTime()))


notifications: Final = table_of(Notification)
