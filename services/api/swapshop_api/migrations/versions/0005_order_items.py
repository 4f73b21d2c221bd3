"""The table ``order_items``."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Numeric, String

from swapshop_kit.dialect import Identifier
from swapshop_kit.migrations import create_table

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create_table(
        "order_items",
        Column("id", Identifier(), primary_key=True),
        Column(
            "order_id", Identifier(), ForeignKey("orders.id", ondelete="CASCADE"), nullable=False
        ),
        Column("position", Integer, nullable=False),
        Column("producto", String(120), nullable=False),
        Column("talla", String(120)),
        Column("color", String(120)),
        Column("cantidad", Integer, nullable=False),
        Column("precio_unitario", Numeric(8, 2), nullable=False),
        Index("ix_order_items_order", "order_id", "position"),
    )
