"""Tables of the dispatch: what is to be delivered, who holds it, and what came of each try."""

from datetime import datetime
from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, String, UniqueConstraint
from sqlmodel import Field

from swapshop_kit.dialect import Identifier, MediumBlob, OpaqueText, UtcTime
from swapshop_kit.tables import Row, table_of

READY: Final = "READY"
LEASED: Final = "LEASED"
DONE: Final = "DONE"
DEAD: Final = "DEAD"


class Delivery(Row, table=True):
    """A notification on its way: READY → LEASED → DONE | READY | DEAD."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", name="uq_deliveries_webhook"),
        UniqueConstraint("order_id", "event_type", name="uq_deliveries_event"),
        Index("ix_deliveries_due", "state", "next_attempt_at", "id"),
        Index("ix_deliveries_lease", "state", "lease_until"),
        Index("ix_deliveries_state", "state", "id"),
        Index("ix_deliveries_done", "state", "done_at"),
        Index("ix_deliveries_token", "lease_token"),
    )

    id: str = Field(sa_column=Column(Identifier(), primary_key=True))
    webhook_id: str = Field(sa_column=Column(OpaqueText(64), nullable=False))
    order_id: str = Field(sa_column=Column(Identifier(), nullable=False))
    event_type: str = Field(sa_column=Column(OpaqueText(32), nullable=False))
    payload: bytes = Field(sa_column=Column(MediumBlob, nullable=False))
    state: str = Field(sa_column=Column(OpaqueText(8), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    next_attempt_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    lease_token: str | None = Field(sa_column=Column(Identifier()))
    lease_until: datetime | None = Field(sa_column=Column(UtcTime()))
    unreported_claims: int = Field(sa_column=Column(Integer, nullable=False))
    attempts: int = Field(sa_column=Column(Integer, nullable=False))
    aways: int = Field(sa_column=Column(Integer, nullable=False))
    last_status: int | None = Field(sa_column=Column(Integer))
    last_error: str | None = Field(sa_column=Column(String(200)))
    done_at: datetime | None = Field(sa_column=Column(UtcTime()))
    traceparent: str | None = Field(sa_column=Column(OpaqueText(55)))


class Lease(Row, table=True):
    """A call of a poller that claimed deliveries; the newest one is also its heartbeat."""

    __tablename__ = "leases"
    __table_args__ = (Index("ix_leases_created", "created_at"),)

    token: str = Field(sa_column=Column(Identifier(), primary_key=True))
    client: str = Field(sa_column=Column(OpaqueText(64), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    received: bool | None = Field(sa_column=Column(Boolean))
    """Whether its poller confirmed the answer; None where the claim itself was counted, as by the
    release before this column."""


class DeliveryAttempt(Row, table=True):
    """One claim of a delivery, and its report once there is one."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (Index("ix_attempts_claimed", "claimed_at"),)

    delivery_id: str = Field(sa_column=Column(Identifier(), primary_key=True))
    lease_token: str = Field(sa_column=Column(Identifier(), primary_key=True))
    claimed_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    reported_at: datetime | None = Field(sa_column=Column(UtcTime()))
    outcome: str | None = Field(sa_column=Column(OpaqueText(16)))
    status: int | None = Field(sa_column=Column(Integer))
    error: str | None = Field(sa_column=Column(String(200)))
    took_over: bool | None = Field(sa_column=Column(Boolean))
    """Whether the claim before it had run out unreported; None in rows older than the column."""
    redriven: bool | None = Field(sa_column=Column(Boolean))
    """True once an operator sent the delivery again after this claim, which so ended."""


deliveries: Final = table_of(Delivery)
leases: Final = table_of(Lease)
delivery_attempts: Final = table_of(DeliveryAttempt)
