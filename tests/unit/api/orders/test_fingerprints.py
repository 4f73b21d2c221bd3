"""The fingerprint: the same for the same order however it is written, another for any other."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from support.api.orders import Json, line_json, order_json, read_order, valid_orders, write_order
from swapshop_api.orders.domain import fingerprint_of
from swapshop_api.orders.schemas import OrderIn, OrderLineIn
from swapshop_kit import strict_json


def fingerprint(body: bytes) -> bytes:
    return fingerprint_of(OrderIn.model_validate(strict_json.loads(body)))


@given(valid_orders, st.booleans(), st.booleans(), st.booleans())
def test_an_order_written_in_another_way_has_the_same_fingerprint(
    order: Json, spaced: bool, reverse: bool, decompose: bool
) -> None:
    other = write_order(order, spaced=spaced, reverse=reverse, decompose=decompose)

    assert fingerprint(other) == fingerprint(write_order(order))


def test_a_price_is_the_same_with_or_without_its_zeros() -> None:
    written = [b"10", b"10.0", b"10.00"]
    bodies = [
        b'{"cliente":"x","items":[{"producto":"y","cantidad":1,"precio_unitario":%b}]}' % price
        for price in written
    ]

    assert len({fingerprint(body) for body in bodies}) == 1


def _other_client(order: Json) -> None:
    order["cliente"] += "x"


def _other_product(order: Json) -> None:
    order["items"][-1]["producto"] += "x"


def _other_size(order: Json) -> None:
    order["items"][-1]["talla"] = (order["items"][-1].get("talla") or "") + "x"


def _other_colour(order: Json) -> None:
    order["items"][-1]["color"] = (order["items"][-1].get("color") or "") + "x"


def _other_quantity(order: Json) -> None:
    order["items"][-1]["cantidad"] ^= 1


def _other_price(order: Json) -> None:
    order["items"][-1]["precio_unitario"] -= Decimal("0.01")


def _one_line_more(order: Json) -> None:
    order["items"].append(order["items"][-1])


def _size_and_colour_changed_places(order: Json) -> None:
    line = order["items"][-1]
    line["talla"], line["color"] = f"{line['producto']}x", line["producto"]
    order["items"].insert(0, line | {"talla": line["color"], "color": line["talla"]})


@pytest.mark.parametrize(
    "change",
    [
        _other_client,
        _other_product,
        _other_size,
        _other_colour,
        _other_quantity,
        _other_price,
        _one_line_more,
        _size_and_colour_changed_places,
    ],
)
@given(order=valid_orders)
def test_any_change_of_the_order_changes_the_fingerprint(
    change: Callable[[Json], None], order: Json
) -> None:
    # where the change is legal: one more, or a cent less, of the smallest is not
    order["items"][-1] |= {"cantidad": 2, "precio_unitario": Decimal("0.02")}
    other = copy.deepcopy(order)
    change(other)

    assert fingerprint(write_order(other)) != fingerprint(write_order(order))


def test_the_order_of_the_lines_matters() -> None:
    first, second = line_json(producto="a"), line_json(producto="b")

    assert fingerprint_of(read_order(order_json(first, second))) != fingerprint_of(
        read_order(order_json(second, first))
    )


def test_a_fingerprint_is_the_same_in_every_release() -> None:
    """A replay may arrive at a newer release than the one that placed the order."""
    order = read_order(order_json(line_json(talla="M", color="azul"), cliente="Lucía"))

    assert (
        fingerprint_of(order).hex()
        == "1865118e9e05cbfdce81c81026f695dc3e2874f7af4129c292ead6f14c6ce0c3"
    )


class LaterLine(OrderLineIn):
    """A line with a field that a later release adds."""

    nota: str | None = None


class LaterOrder(OrderIn):
    """An order with fields that a later release adds."""

    items: Annotated[list[LaterLine], Field(min_length=1)]  # pyright: ignore[reportIncompatibleVariableOverride] - as a later release would have it
    regalo: bool = False


@given(valid_orders)
def test_a_field_that_a_later_release_adds_changes_no_fingerprint_of_before(order: Json) -> None:
    """A repeat during a rolling upgrade may meet the other release."""
    body = strict_json.loads(write_order(order))

    assert fingerprint_of(LaterOrder.model_validate(body)) == fingerprint_of(
        OrderIn.model_validate(body)
    )


@pytest.mark.parametrize("change", [{"regalo": True}, {"items": [line_json(nota="x")]}])
def test_a_field_that_a_later_release_adds_matters_once_it_is_used(change: Json) -> None:
    plain, changed = [
        LaterOrder.model_validate(strict_json.loads(json.dumps(body).encode()))
        for body in (order_json(line_json()), order_json(line_json()) | change)
    ]

    assert fingerprint_of(plain) != fingerprint_of(changed)


def test_a_fingerprint_without_size_and_colour_is_the_same_in_every_release() -> None:
    order = read_order(order_json(line_json(), cliente="Lucía"))

    assert (
        fingerprint_of(order).hex()
        == "af336e7460e97178eadcc1836a28c0a7de7f92102ecfc2912be98917b4c92274"
    )
