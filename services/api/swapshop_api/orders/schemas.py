"""JSON of orders; the field names are Spanish, as the store's clients know them."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from swapshop_kit.money import MAX_TOTAL, Amount, Price
from swapshop_kit.text import Line
from swapshop_kit.times import UtcTimestamp

Estado = Literal["PENDING", "PROCESSED"]


class OrderLineIn(BaseModel):
    """A line as the customer orders it."""

    model_config = ConfigDict(extra="forbid")

    producto: Line
    talla: Line | None = None
    color: Line | None = None
    cantidad: Annotated[int, Field(strict=True, ge=1, le=1000)]
    precio_unitario: Price


class OrderIn(BaseModel):
    """An order as the customer places it."""

    model_config = ConfigDict(extra="forbid")

    cliente: Line
    items: Annotated[list[OrderLineIn], Field(min_length=1, max_length=100)]

    @property
    def total(self) -> Decimal:
        """The sum of the lines."""
        return sum((line.cantidad * line.precio_unitario for line in self.items), Decimal(0))

    @model_validator(mode="after")
    def _check_total(self) -> Self:
        if self.total > MAX_TOTAL:
            raise PydanticCustomError("total_too_large", "the total is too large")
        return self


class OrderLine(BaseModel):
    """A line of an order."""

    producto: str
    talla: str | None
    color: str | None
    cantidad: int
    precio_unitario: Amount


class OrderOut(BaseModel):
    """An order; ``total`` is the sum of the lines, computed by the server."""

    id: str
    cliente: str
    items: list[OrderLine]
    total: Amount
    estado: Estado
    created_at: UtcTimestamp
    processed_at: UtcTimestamp | None


class OrderPage(BaseModel):
    """A page of orders, newest first."""

    items: list[OrderOut]
    next_cursor: str | None
