"""Money: exact decimals with at most two places; JSON numbers, never parsed as floats."""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_PRICE: Final = Decimal("999999.99")
MAX_TOTAL: Final = Decimal("9999999999.99")
"""The largest value of DECIMAL(12,2)."""


def _read_number(value: Any) -> Decimal:
    """Accept only JSON numbers; strings, booleans and floats are not amounts."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise PydanticCustomError("money_number", "must be a number")


Price = Annotated[
    Decimal,
    BeforeValidator(_read_number),
    Field(gt=0, le=MAX_PRICE, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 999999.99}),
]
"""A unit price in the store's currency, > 0, at most 999999.99, at most two decimals."""

Amount = Annotated[
    Decimal,
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 9999999999.99}),
]
"""A computed amount, at most two decimals; a double prints its 12 digits exactly."""

StatedTotal = Annotated[
    Decimal,
    BeforeValidator(_read_number),
    Field(ge=0, le=MAX_TOTAL, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 9999999999.99}),
]
"""An amount that another service computed: a JSON number with at most two decimals."""
