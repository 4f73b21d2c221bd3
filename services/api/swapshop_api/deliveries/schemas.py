"""JSON of deliveries: the way of orders to their customers, as people see it."""

from typing import Literal

from pydantic import BaseModel, Field

from swapshop_api.dispatch.schemas import Outcome
from swapshop_kit.times import UtcTimestamp

State = Literal["READY", "LEASED", "DONE", "DEAD"]


class DeliveryOut(BaseModel):
    """A delivery as operators see it."""

    id: str
    webhook_id: str
    order_id: str
    event_type: str
    state: State
    created_at: UtcTimestamp
    next_attempt_at: UtcTimestamp
    lease_until: UtcTimestamp | None
    attempts: int
    aways: int
    last_status: int | None
    last_error: str | None
    done_at: UtcTimestamp | None


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    items: list[DeliveryOut]
    next_cursor: str | None


class AttemptOut(BaseModel):
    """One claim of a delivery; outcome and reported_at are null while no report came."""

    claimed_at: UtcTimestamp
    reported_at: UtcTimestamp | None
    outcome: Outcome | None
    status: int | None
    error: str | None


class DeliveryDetail(DeliveryOut):
    """A delivery with its attempts, oldest first."""

    attempt_log: list[AttemptOut]


class PipelineOut(BaseModel):
    """Where orders stand on their way."""

    pending: int = Field(description="Orders that wait to be dispatched.")
    blocked: int = Field(description="Orders that cannot be processed as they are.")
    ready: int = Field(description="Deliveries that wait for their next attempt.")
    in_flight: int = Field(description="Deliveries that a poller holds.")
    dead: int = Field(description="Deliveries that were given up.")
    oldest_age_seconds: float | None = Field(
        description="Age of the oldest order that is not notified and not given up."
    )


class TimelineEvent(BaseModel):
    """A step in the life of an order."""

    at: UtcTimestamp
    event: Literal["created", "processed", "attempt", "notified"]
    outcome: str | None = Field(
        default=None, description="Of an attempt: what came of it; null while it is not known."
    )
    status: int | None = Field(default=None, description="Of an attempt: the HTTP status.")
    error: str | None = Field(default=None, description="Of an attempt, for operators only.")


class Timeline(BaseModel):
    """The life of an order so far, oldest first."""

    items: list[TimelineEvent]
