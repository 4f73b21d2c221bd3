"""JSON of the api's internal dispatch contract."""

import base64
import binascii
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MAX_RESULTS: Final = 50
"""Maximum results in a report."""

MAX_ERROR_LENGTH: Final = 200
"""Maximum characters of a result's error."""

MIN_STATUS: Final = 100
MAX_STATUS: Final = 599

MAX_RETRY_AFTER: Final = 86_400
"""Seconds; a larger Retry-After of the receiver is reduced to this."""


def _decode_base64(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("must be base64") from error


Base64Body = Annotated[bytes, BeforeValidator(_decode_base64)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AccessToken(_Message):
    """The answer of ``POST /internal/auth/token`` (RFC 6749 §5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    """Seconds."""


class LeaseRequest(_Message):
    """The body of ``POST /internal/dispatch/leases``."""

    lease_token: str
    """A UUID; repeating it returns the rows that still have it, and never claims more."""
    limit: int
    lease_seconds: int


class Delivery(_Message):
    """One webhook to send."""

    id: str
    webhook_id: str
    """The same at every attempt; the receiver uses it to detect duplicates."""
    event_type: str
    body: Base64Body
    """The exact bytes to sign and send."""
    attempts: int
    """Steps of the schedule used so far."""
    traceparent: str | None = None


class LeaseAnswer(_Message):
    """The answer of ``POST /internal/dispatch/leases``."""

    remaining_ms: int
    """Rest of the lease, by the database's clock, when the answer is written."""
    deliveries: list[Delivery]


class Outcome(StrEnum):
    """A report's outcome of one delivery; only the api decides on the next attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    """Uses one step of the schedule."""
    AWAY = "away"
    """The receiver is away; no step is used."""
    REJECTED = "rejected"
    """The receiver has other content under this id, so no attempt can succeed."""
    RELEASED = "released"
    """Returned unsent; no step is used."""


class Result(_Message):
    """The result of one leased delivery."""

    delivery_id: str
    outcome: Outcome
    status: int | None = Field(default=None, ge=MIN_STATUS, le=MAX_STATUS)
    """The receiver's HTTP status; None outside the range of HTTP (RFC 9110 §15)."""
    error: str | None = Field(default=None, max_length=MAX_ERROR_LENGTH)
    retry_after: int | None = Field(default=None, ge=0, le=MAX_RETRY_AFTER)
    """Delay in seconds that the receiver asked for."""


class Report(_Message):
    """The body of ``POST /internal/dispatch/leases/{lease_token}/results``."""

    results: list[Result] = Field(min_length=1, max_length=MAX_RESULTS)


class Acknowledgement(_Message):
    """Whether one result was applied or came too late."""

    delivery_id: str
    result: Literal["applied", "stale"]


class ReportAnswer(_Message):
    """The answer of ``POST /internal/dispatch/leases/{lease_token}/results``."""

    results: list[Acknowledgement]
