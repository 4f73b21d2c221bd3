"""The events that the api announces, as the receiver accepts, stores and shows them."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from swapshop_kit import strict_json
from swapshop_kit.ids import CANONICAL_UUID
from swapshop_kit.money import StatedTotal
from swapshop_kit.times import UtcTimestamp

ORDER_READY: Final = "ORDER_READY"

_is_timestamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII).fullmatch


def _read_timestamp(value: Any) -> datetime:
    """Accept only the form in which SwapShop writes times."""
    if isinstance(value, str) and _is_timestamp(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:  # the 31st of February has the right form too
            pass
    raise PydanticCustomError("string_pattern_mismatch", "must be a time")


Uuid = Annotated[str, StringConstraints(strict=True, pattern=f"^{CANONICAL_UUID}$")]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=120)]
Timestamp = Annotated[
    UtcTimestamp,
    BeforeValidator(_read_timestamp),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class OrderReady(BaseModel):
    """An order was processed and waits for its customer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    evento: Literal["ORDER_READY"]
    order_id: Uuid
    user_id: Uuid
    cliente: Text
    total: StatedTotal
    color: Text | None
    """The colour that all lines share, else null."""
    created_at: Timestamp
    processed_at: Timestamp

    @classmethod
    def from_json(cls, body: bytes) -> "OrderReady":
        """Read an event from its exact bytes.

        Raises:
            JSONRefusedError: see ``strict_json.loads``.
            ValidationError: a field is missing, unknown or refused.
        """
        return cls.model_validate(strict_json.loads(body))
