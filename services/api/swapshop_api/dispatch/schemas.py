"""JSON of the dispatch: what pollers exchange with the api."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from swapshop_kit.ids import CANONICAL_UUID

Id = Annotated[str, StringConstraints(strict=True, pattern=f"^{CANONICAL_UUID}$")]
Outcome = Literal["delivered", "retry", "away", "rejected", "released"]


class LeaseIn(BaseModel):
    """A poller asks for deliveries."""

    model_config = ConfigDict(extra="forbid")

    lease_token: Id = Field(description="A UUID of the poller's choice, the same when it repeats.")
    limit: Annotated[int, Field(strict=True, ge=1, le=100)]
    lease_seconds: Annotated[int, Field(strict=True, ge=20, le=300)]


class LeasedDelivery(BaseModel):
    """A delivery that the poller holds."""

    id: str
    webhook_id: str
    event_type: str
    body: str = Field(description="Base64 of the exact bytes to send and sign.")
    attempts: int
    traceparent: str | None


class LeaseOut(BaseModel):
    """The deliveries that carry the lease token."""

    remaining_ms: int = Field(
        description="How long the lease still holds, by the database's clock."
    )
    deliveries: list[LeasedDelivery]


class ResultIn(BaseModel):
    """What came of one delivery."""

    model_config = ConfigDict(extra="forbid")

    delivery_id: Id
    outcome: Outcome
    status: Annotated[int, Field(strict=True, ge=100, le=599)] | None = None
    error: Annotated[str, StringConstraints(strict=True, max_length=200)] | None = None
    retry_after: Annotated[int, Field(strict=True, ge=0)] | None = Field(
        default=None, description="Seconds, of a 429; clamped to 1..3600."
    )


class ResultsIn(BaseModel):
    """A poller's report."""

    model_config = ConfigDict(extra="forbid")

    results: Annotated[list[ResultIn], Field(min_length=1, max_length=50)]


class ResultOut(BaseModel):
    """Whether a result changed the delivery; a repeated report answers as the first time."""

    delivery_id: str
    result: Literal["applied", "stale"]


class ResultsOut(BaseModel):
    """An answer for each result, in their order."""

    results: list[ResultOut]
