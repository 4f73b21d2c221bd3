"""The table ``deliveries``."""

from sqlalchemy import Column, Index, Integer, String, UniqueConstraint

from swapshop_kit.dialect import Identifier, MediumBlob, OpaqueText, UtcTime
from swapshop_kit.migrations import create_table

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    create_table(
        "deliveries",
        Column("id", Identifier(), primary_key=True),
        Column("webhook_id", OpaqueText(64), nullable=False),
        Column("order_id", Identifier(), nullable=False),
        Column("event_type", OpaqueText(32), nullable=False),
        Column("payload", MediumBlob, nullable=False),
        Column("state", OpaqueText(8), nullable=False),
        Column("created_at", UtcTime(), nullable=False),
        Column("next_attempt_at", UtcTime(), nullable=False),
        Column("lease_token", Identifier()),
        Column("lease_until", UtcTime()),
        Column("unreported_claims", Integer, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("aways", Integer, nullable=False),
        Column("last_status", Integer),
        Column("last_error", String(200)),
        Column("done_at", UtcTime()),
        Column("traceparent", OpaqueText(55)),
        UniqueConstraint("webhook_id", name="uq_deliveries_webhook"),
        UniqueConstraint("order_id", "event_type", name="uq_deliveries_event"),
        Index("ix_deliveries_due", "state", "next_attempt_at", "id"),
        Index("ix_deliveries_lease", "state", "lease_until"),
        Index("ix_deliveries_state", "state", "id"),
        Index("ix_deliveries_done", "state", "done_at"),
        Index("ix_deliveries_token", "lease_token"),
    )
