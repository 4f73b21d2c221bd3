"""The events that the api sends, as the receiver accepts, stores and shows them."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from swapshop_kit import strict_json
from swapshop_kit.ids import CANONICAL_UUID
from swapshop_kit.money import StatedTotal
from swapshop_kit.times import UtcTimestamp

OPERATORS: Final = "00000000-0000-0000-0000-000000000001"
"""The inbox that every operator reads; no user has this id, since users' ids have a version."""

_is_timestamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII).fullmatch


def _read_timestamp(value: Any) -> datetime:
    """Accept only the format in which SwapShop writes times."""
    if isinstance(value, str) and _is_timestamp(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:  # such as the 31st of February
            pass
    raise PydanticCustomError("string_pattern_mismatch", "must be a time")


Uuid = Annotated[str, StringConstraints(strict=True, pattern=f"^{CANONICAL_UUID}$")]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=120)]
Timestamp = Annotated[
    UtcTimestamp,
    BeforeValidator(_read_timestamp),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Read an event from its exact bytes.

        Raises:
            JSONRefusedError: see ``strict_json.loads``.
            ValidationError: a field is missing, unknown or refused.
        """
        return cls.model_validate(strict_json.loads(body))


class OrderReady(_Event):
    """An order was processed and waits for its customer."""

    evento: Literal["ORDER_READY"]
    order_id: Uuid
    user_id: Uuid
    cliente: Text
    total: StatedTotal
    color: Text | None
    """The colour that all lines share, else null."""
    created_at: Timestamp
    processed_at: Timestamp

    @property
    def inbox(self) -> str:
        """Whose notification it becomes: the customer's."""
        return self.user_id

    @property
    def essence(self) -> tuple[Any, ...]:
        """What cannot differ between two events of one kind for one order."""
        return (self.total,)


class OrderBlocked(_Event):
    """An order cannot be processed as it is stored; an operator has to repair it."""

    evento: Literal["ORDER_BLOCKED"]
    order_id: Uuid
    cliente: Text | None
    """Null if the stored name is not valid."""
    reason: Annotated[str, StringConstraints(strict=True, max_length=200)]
    created_at: Timestamp
    blocked_at: Timestamp

    @property
    def inbox(self) -> str:
        """Whose notification it becomes: every operator's."""
        return OPERATORS

    @property
    def essence(self) -> tuple[Any, ...]:
        """An order is blocked once, whatever the reason."""
        return ()


Event = OrderReady | OrderBlocked
EVENTS: Final[dict[str, type[Event]]] = {
    get_args(event.model_fields["evento"].annotation)[0]: event for event in get_args(Event)
}
"""Every event by its type; each has a webhook, whose path follows from the type."""


def stored_event(evento: str, payload: bytes) -> Event:
    """Read the event of a stored notification."""
    return EVENTS[evento].from_json(payload)
