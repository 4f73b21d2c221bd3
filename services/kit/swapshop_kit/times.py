"""Times in JSON: RFC 3339 in UTC with microseconds, such as 2026-01-02T03:04:05.000006Z."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import PlainSerializer


def to_rfc3339(at: datetime) -> str:
    """Format an aware datetime with microseconds and Z."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


UtcTimestamp = Annotated[datetime, PlainSerializer(to_rfc3339, return_type=str, when_used="json")]
