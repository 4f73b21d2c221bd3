"""Tables of orders."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import BINARY, Column, ForeignKey, Index, Integer, Numeric, String, UniqueConstraint
from sqlmodel import Field

from swapshop_kit.dialect import Identifier, OpaqueText, UtcTime
from swapshop_kit.tables import Row, table_of

PENDING: Final = "PENDING"
PROCESSED: Final = "PROCESSED"


class Order(Row, table=True):
    """An order; it changes once, from PENDING to PROCESSED."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key", name="uq_orders_idempotency"),
        Index("ix_orders_estado", "estado", "created_at", "id"),
        Index("ix_orders_user_estado", "user_id", "estado", "created_at", "id"),
        Index("ix_orders_user", "user_id", "created_at", "id"),
        Index("ix_orders_created", "created_at", "id"),
    )

    id: str = Field(sa_column=Column(Identifier(), primary_key=True))
    user_id: str = Field(sa_column=Column(Identifier(), nullable=False))
    cliente: str = Field(sa_column=Column(String(120), nullable=False))
    total: Decimal = Field(sa_column=Column(Numeric(12, 2), nullable=False))
    estado: str = Field(sa_column=Column(OpaqueText(16), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    processed_at: datetime | None = Field(sa_column=Column(UtcTime()))
    blocked_at: datetime | None = Field(sa_column=Column(UtcTime()))
    idempotency_key: str | None = Field(sa_column=Column(OpaqueText(255)))
    fingerprint: bytes = Field(sa_column=Column(BINARY(32), nullable=False))
    traceparent: str | None = Field(sa_column=Column(OpaqueText(55)))


class OrderItem(Row, table=True):
    """One line of an order."""

    __tablename__ = "order_items"
    __table_args__ = (Index("ix_order_items_order", "order_id", "position"),)

    id: str = Field(sa_column=Column(Identifier(), primary_key=True))
    order_id: str = Field(
        sa_column=Column(Identifier(), ForeignKey("orders.id", ondelete="CASCADE"), nullable=False)
    )
    position: int = Field(sa_column=Column(Integer, nullable=False))
    producto: str = Field(sa_column=Column(String(120), nullable=False))
    talla: str | None = Field(sa_column=Column(String(120)))
    color: str | None = Field(sa_column=Column(String(120)))
    cantidad: int = Field(sa_column=Column(Integer, nullable=False))
    precio_unitario: Decimal = Field(sa_column=Column(Numeric(8, 2), nullable=False))


orders: Final = table_of(Order)
order_items: Final = table_of(OrderItem)
