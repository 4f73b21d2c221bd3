"""The events that the api announces: the frozen bytes that the receiver gets."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swapshop_api.orders.schemas import OrderLine
from swapshop_kit.money import Amount
from swapshop_kit.times import UtcTimestamp

EventName = Literal["ORDER_READY", "ORDER_BLOCKED"]
ORDER_READY: Final[EventName] = "ORDER_READY"
ORDER_BLOCKED: Final[EventName] = "ORDER_BLOCKED"

MAX_EVENT_BYTES: Final = 4096


class CannotPromote(Exception):
    """The stored order contradicts itself, so no correct event can be made from it."""


class OrderReady(BaseModel):
    """An order is ready: sent once to the receiver, without the order's lines."""

    model_config = ConfigDict(extra="forbid")

    evento: Literal["ORDER_READY"]
    order_id: str
    user_id: str
    cliente: str = Field(min_length=1, max_length=120)
    total: Amount
    color: str | None = Field(description="The lines' common colour, else null.")
    created_at: UtcTimestamp
    processed_at: UtcTimestamp


class OrderBlocked(BaseModel):
    """An order cannot be processed as it is stored: sent once to the receiver, for operators."""

    model_config = ConfigDict(extra="forbid")

    evento: Literal["ORDER_BLOCKED"]
    order_id: str
    cliente: str | None = Field(
        min_length=1, max_length=120, description="Null if the stored name is not valid."
    )
    reason: str = Field(max_length=200, description="As in the audit, in English.")
    created_at: UtcTimestamp
    blocked_at: UtcTimestamp


EVENTS: Final[dict[EventName, type[BaseModel]]] = {
    get_args(event.model_fields["evento"].annotation)[0]: event
    for event in (OrderReady, OrderBlocked)
}
"""Every event by its type."""


def common_color(lines: Sequence[OrderLine]) -> str | None:
    """Return the colour that all lines share, else None."""
    colors = {line.color for line in lines}
    return colors.pop() if len(colors) == 1 else None


def freeze_ready(
    *,
    order_id: str,
    user_id: str,
    cliente: str,
    total: Decimal,
    lines: Sequence[OrderLine],
    created_at: datetime,
    processed_at: datetime,
) -> bytes:
    """Return the bytes of ORDER_READY; every attempt sends and signs exactly these.

    Raises:
        CannotPromote: the order has no lines, its total is not their sum, or the event would be
            4 KiB or more.
    """
    if not lines:
        raise CannotPromote("the order has no lines")
    if sum((line.cantidad * line.precio_unitario for line in lines), Decimal(0)) != total:
        raise CannotPromote("the total is not the sum of the lines")
    try:
        event = OrderReady(
            evento=ORDER_READY,
            order_id=order_id,
            user_id=user_id,
            cliente=cliente,
            total=total,
            color=common_color(lines),
            created_at=created_at,
            processed_at=processed_at,
        )
    except ValidationError as error:
        raise CannotPromote("the order is not valid") from error
    body = event.model_dump_json().encode()
    if len(body) >= MAX_EVENT_BYTES:
        raise CannotPromote("the event is too large")
    return body


def freeze_blocked(
    *, order_id: str, cliente: str, reason: str, created_at: datetime, blocked_at: datetime
) -> bytes:
    """Return the bytes of ORDER_BLOCKED; there are some however broken the order is."""
    event = OrderBlocked(
        evento=ORDER_BLOCKED,
        order_id=order_id,
        cliente=cliente if 1 <= len(cliente) <= 120 else None,
        reason=reason,
        created_at=created_at,
        blocked_at=blocked_at,
    )
    return event.model_dump_json().encode()
