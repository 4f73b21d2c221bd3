"""Which orders are accepted, to the letter of the body."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from support.api.orders import Json, line_json, order_json, valid_orders, write_order
from swapshop_api.orders.schemas import OrderIn
from swapshop_kit import strict_json
from swapshop_kit.text import normalize
from swapshop_kit.web import field_errors


def refusals(body: bytes) -> list[tuple[str, str]]:
    """Each refused field and why, as the answer tells it."""
    with pytest.raises(ValidationError) as caught:
        OrderIn.model_validate(strict_json.loads(body))
    # FastAPI puts "body" in front of the path
    errors = [{**error, "loc": ("body", *error["loc"])} for error in caught.value.errors()]
    return [(error.field, error.code) for error in field_errors(errors)]


def refusals_of(order: Any) -> list[tuple[str, str]]:
    return refusals(json.dumps(order).encode())


@given(valid_orders)
def test_a_valid_order_is_read_without_losing_a_cent(order: Json) -> None:
    read = OrderIn.model_validate(strict_json.loads(write_order(order)))

    assert read.cliente == normalize(order["cliente"])
    assert [(line.producto, line.cantidad, line.precio_unitario) for line in read.items] == [
        (normalize(line["producto"]), line["cantidad"], line["precio_unitario"])
        for line in order["items"]
    ]
    assert read.total == sum(
        (line["cantidad"] * line["precio_unitario"] for line in order["items"]), Decimal(0)
    )


@pytest.mark.parametrize("written", ["1", "1000"])
def test_a_quantity_is_a_whole_number_from_1_to_1000(written: str) -> None:
    body = json.dumps(order_json(line_json(cantidad=7))).replace("7", written)

    assert OrderIn.model_validate(strict_json.loads(body.encode())).items[0].cantidad == int(
        written
    )


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("true", "int_type"),
        ("false", "int_type"),
        ("1.0", "int_type"),
        ('"1"', "int_type"),
        ("null", "int_type"),
        ("[1]", "int_type"),
        ("0", "greater_than_equal"),
        ("-1", "greater_than_equal"),
        ("1001", "less_than_equal"),
        ("9" * 64, "less_than_equal"),
    ],
)
def test_any_other_quantity_is_refused(written: str, code: str) -> None:
    body = json.dumps(order_json(line_json(cantidad=7))).replace("7", written)

    assert refusals(body.encode()) == [("items.0.cantidad", code)]


@pytest.mark.parametrize("written", ["0.01", "999999.99", "1", "10.50", "1.000"])
def test_a_price_has_at_most_two_decimals(written: str) -> None:
    body = json.dumps(order_json(line_json(precio_unitario=7))).replace("7", written)

    read = OrderIn.model_validate(strict_json.loads(body.encode()))

    assert read.items[0].precio_unitario == Decimal(written)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("0", "greater_than"),
        ("0.00", "greater_than"),
        ("-0.01", "greater_than"),
        ("0.001", "decimal_max_places"),
        ("10.505", "decimal_max_places"),
        ("1000000", "less_than_equal"),
        ("999999.991", "less_than_equal"),
        ('"10.50"', "money_number"),
        ("true", "money_number"),
        ("null", "money_number"),
        ("{}", "money_number"),
    ],
)
def test_any_other_price_is_refused(written: str, code: str) -> None:
    body = json.dumps(order_json(line_json(precio_unitario=7))).replace("7", written)

    assert ("items.0.precio_unitario", code) in refusals(body.encode())


@pytest.mark.parametrize(
    ("lines", "code"), [(0, "too_short"), (101, "too_long"), (1000, "too_long")]
)
def test_an_order_has_1_to_100_lines(lines: int, code: str) -> None:
    assert refusals_of({"cliente": "Lucía", "items": [line_json()] * lines}) == [("items", code)]


def test_an_order_may_have_100_lines() -> None:
    order = {"cliente": "Lucía", "items": [line_json()] * 100}

    assert len(OrderIn.model_validate(order_from(order)).items) == 100


def order_from(order: Json) -> Any:
    return strict_json.loads(json.dumps(order).encode())


_TEXT_FIELDS = ["cliente", "items.0.producto", "items.0.talla", "items.0.color"]


def with_text(field: str, text: Any) -> Json:
    name = field.rpartition(".")[2]
    return order_json(cliente=text) if name == "cliente" else order_json(line_json(**{name: text}))


@pytest.mark.parametrize("field", _TEXT_FIELDS)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "string_too_short"),
        (" \t\n ", "string_too_short"),
        ("x" * 121, "string_too_long"),
        ("👗" * 121, "string_too_long"),
        ("a\x00b", "text_hidden_character"),
        ("a\nb", "text_hidden_character"),
        ("a\x7fb", "text_hidden_character"),
        ("a\u202eb", "text_hidden_character"),
        ("a\u2066b", "text_hidden_character"),
        ("a\u200bb", "text_hidden_character"),
        ("a\u200db", "text_hidden_character"),
        ("a\ufeffb", "text_hidden_character"),
        (1, "string_type"),
        (True, "string_type"),
        (["x"], "string_type"),
    ],
)
def test_a_text_that_breaks_the_rules_is_refused(field: str, text: Any, code: str) -> None:
    assert refusals_of(with_text(field, text)) == [(field, code)]


@pytest.mark.parametrize("field", _TEXT_FIELDS)
@pytest.mark.parametrize("text", ["x" * 120, f"  {'👗' * 120}\t", "Núñez & Söhne <3 'n' \"q\" \\"])
def test_a_text_is_trimmed_and_may_have_120_characters(field: str, text: str) -> None:
    read = OrderIn.model_validate(order_from(with_text(field, text)))

    *_, name = field.split(".")
    holder = read if name == "cliente" else read.items[0]
    assert getattr(holder, name) == text.strip()


def test_a_text_is_stored_composed() -> None:
    read = OrderIn.model_validate(order_from(order_json(cliente="Nun\u0303ez")))

    assert read.cliente == "N\u0075\u00f1ez"


@pytest.mark.parametrize(
    ("order", "refused"),
    [
        (order_json(estado="PROCESSED"), [("estado", "extra_forbidden")]),
        (order_json(total=1), [("total", "extra_forbidden")]),
        (order_json(line_json(id="1")), [("items.0.id", "extra_forbidden")]),
        ({"items": [line_json()]}, [("cliente", "missing")]),
        ({"cliente": "Lucía"}, [("items", "missing")]),
        (order_json({"producto": "x"}), [
            ("items.0.cantidad", "missing"), ("items.0.precio_unitario", "missing")
        ]),
        (order_json(items={}), [("items", "list_type")]),
        (order_json(items=[[]]), [("items.0", "model_type")]),
        ([], [("body", "model_type")]),
        (None, [("body", "model_type")]),
    ],
)  # fmt: skip
def test_fields_are_neither_unknown_nor_missing(order: Any, refused: list[tuple[str, str]]) -> None:
    assert refusals_of(order) == refused


def test_a_size_or_a_colour_may_be_null_or_absent() -> None:
    read = OrderIn.model_validate(order_from(order_json(line_json(talla=None))))

    assert (read.items[0].talla, read.items[0].color) == (None, None)


def test_a_total_beyond_its_column_is_refused() -> None:
    dear = line_json(cantidad=1000, precio_unitario=999999.99)

    assert refusals_of(order_json(*[dear] * 11)) == [("body", "total_too_large")]
    assert OrderIn.model_validate(order_from(order_json(*[dear] * 10))).total == Decimal(
        "9999999900.00"
    )
