"""The columns of the receiver's table that the exporter reads; a test holds them to its model."""

from typing import Final

from sqlalchemy import Column, MetaData, Table

from swapshop_kit.dialect import Identifier, OpaqueText, UtcTime

SCHEMA: Final = "notifications"
"""Stands for the schema of the receiver, whatever its name is in a deployment."""

notifications: Final = Table(
    "notifications",
    MetaData(),
    Column("webhook_id", OpaqueText(64), primary_key=True),
    Column("order_id", Identifier(), nullable=False),
    Column("evento", OpaqueText(32), nullable=False),
    Column("received_at", UtcTime(), nullable=False),
    schema=SCHEMA,
)
