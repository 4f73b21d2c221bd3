"""The table ``orders``."""

from sqlalchemy import BINARY, Column, Index, Numeric, String, UniqueConstraint

from swapshop_kit.dialect import Identifier, OpaqueText, UtcTime
from swapshop_kit.migrations import create_table

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    create_table(
        "orders",
        Column("id", Identifier(), primary_key=True),
        Column("user_id", Identifier(), nullable=False),
        Column("cliente", String(120), nullable=False),
        Column("total", Numeric(12, 2), nullable=False),
        Column("estado", OpaqueText(16), nullable=False),
        Column("created_at", UtcTime(), nullable=False),
        Column("processed_at", UtcTime()),
        Column("blocked_at", UtcTime()),
        Column("idempotency_key", OpaqueText(255)),
        Column("fingerprint", BINARY(32), nullable=False),
        Column("traceparent", OpaqueText(55)),
        UniqueConstraint("user_id", "idempotency_key", name="uq_orders_idempotency"),
        Index("ix_orders_estado", "estado", "created_at", "id"),
        Index("ix_orders_user_estado", "user_id", "estado", "created_at", "id"),
        Index("ix_orders_user", "user_id", "created_at", "id"),
        Index("ix_orders_created", "created_at", "id"),
    )
