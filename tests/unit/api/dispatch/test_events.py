"""The bytes that are frozen when an order is promoted or blocked."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.api.orders import stored_line, texts
from swapshop_api.dispatch.events import (
    EVENTS,
    MAX_EVENT_BYTES,
    CannotPromote,
    OrderReady,
    common_color,
    freeze_blocked,
    freeze_ready,
)
from swapshop_api.orders.domain import as_created
from swapshop_api.orders.schemas import OrderOut
from swapshop_kit.webhook_events import webhook_id
from swapshop_receiver.events import OPERATORS, OrderBlocked

ORDER_ID = "0198c0de-0000-7000-8000-000000000001"
USER_ID = "0198c0de-0000-7000-8000-000000000002"
CREATED_AT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
PROCESSED_AT = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)


def frozen(**changes: Any) -> bytes:
    values: dict[str, Any] = {
        "order_id": ORDER_ID,
        "user_id": USER_ID,
        "cliente": "Lucía",
        "total": Decimal("21.00"),
        "lines": [stored_line(color="azul")],
        "created_at": CREATED_AT,
        "processed_at": PROCESSED_AT,
    }
    return freeze_ready(**(values | changes))


def test_the_event_is_written_once_and_for_all() -> None:
    assert frozen().decode() == (
        '{"evento":"ORDER_READY",'
        '"order_id":"0198c0de-0000-7000-8000-000000000001",'
        '"user_id":"0198c0de-0000-7000-8000-000000000002",'
        '"cliente":"Lucía","total":21.0,"color":"azul",'
        '"created_at":"2026-01-02T03:04:05.000006Z","processed_at":"2026-01-02T03:05:00.000000Z"}'
    )


def test_the_webhook_id_is_derived_from_the_order() -> None:
    assert webhook_id("ORDER_READY", ORDER_ID) == f"order-ready_{ORDER_ID}"
    assert max(len(webhook_id(event_type, ORDER_ID)) for event_type in EVENTS) <= 64


@pytest.mark.parametrize(
    ("colors", "common"),
    [
        (["azul"], "azul"),
        (["azul", "azul"], "azul"),
        (["azul", "rojo"], None),
        (["azul", "Azul"], None),
        (["azul", None], None),
        ([None, None], None),
    ],
)
def test_the_event_has_the_colour_that_all_lines_share(
    colors: list[str | None], common: str | None
) -> None:
    lines = [stored_line(color=color) for color in colors]
    event = json.loads(frozen(lines=lines, total=Decimal(21) * len(colors)))

    assert common_color(lines) == common
    assert event["color"] == common


@given(texts, st.none() | texts, st.integers(1, 1000), st.integers(1, 99_999_999))
def test_any_valid_order_has_an_event(
    cliente: str, color: str | None, cantidad: int, cents: int
) -> None:
    price = Decimal(cents) / 100
    lines = [stored_line(color=color, cantidad=cantidad, precio_unitario=price)]

    body = frozen(cliente=cliente, lines=lines, total=price * cantidad)

    assert OrderReady.model_validate_json(body).cliente == cliente
    assert len(body) < MAX_EVENT_BYTES


@pytest.mark.parametrize("character", ["👗", "ñ", '"', "\\"])
def test_the_largest_legal_order_has_an_event_below_4_kib(character: str) -> None:
    text = character * 120
    line = stored_line(
        producto=text, talla=text, color=text, cantidad=999, precio_unitario=Decimal("99999.99")
    )

    body = frozen(cliente=text, lines=[line] * 100, total=Decimal("99999.99") * 999 * 100)

    assert json.loads(body)["cliente"] == text
    assert len(body) < MAX_EVENT_BYTES


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lines": []}, "the order has no lines"),
        ({"total": Decimal("21.01")}, "the total is not the sum of the lines"),
        ({"total": Decimal(0)}, "the total is not the sum of the lines"),
        ({"cliente": ""}, "the order is not valid"),
        ({"cliente": "x" * 121}, "the order is not valid"),
        ({"lines": [stored_line(color="x" * 4000)]}, "the event is too large"),
    ],
)
def test_an_order_that_contradicts_itself_has_no_event(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(CannotPromote, match=reason):
        frozen(**changes)


@given(texts | st.just("") | st.just("x" * 121), st.text(max_size=200))
def test_any_order_can_be_announced_as_blocked(cliente: str, reason: str) -> None:
    body = freeze_blocked(
        order_id=ORDER_ID,
        cliente=cliente,
        reason=reason,
        created_at=CREATED_AT,
        blocked_at=PROCESSED_AT,
    )

    assert json.loads(body) == {
        "evento": "ORDER_BLOCKED",
        "order_id": ORDER_ID,
        "cliente": cliente if 1 <= len(cliente) <= 120 else None,
        "reason": reason,
        "created_at": "2026-01-02T03:04:05.000006Z",
        "blocked_at": "2026-01-02T03:05:00.000000Z",
    }
    assert len(body) < MAX_EVENT_BYTES
    assert OrderBlocked.from_json(body).inbox == OPERATORS


def test_an_order_is_answered_as_created_whatever_became_of_it() -> None:
    created = OrderOut(
        id=ORDER_ID,
        cliente="Lucía",
        items=[stored_line()],
        total=Decimal("21.00"),
        estado="PENDING",
        created_at=CREATED_AT,
        processed_at=None,
    )
    processed = created.model_copy(update={"estado": "PROCESSED", "processed_at": PROCESSED_AT})

    assert as_created(processed) == created
    assert as_created(created) == created
    assert processed.estado == "PROCESSED"
