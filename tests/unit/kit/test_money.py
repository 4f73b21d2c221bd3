"""Money: exact from one JSON number to another."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from swapshop_kit import strict_json
from swapshop_kit.money import MAX_PRICE, MAX_TOTAL, Amount, Price, StatedTotal


class _Line(BaseModel):
    precio: Price


class _Total(BaseModel):
    total: Amount


class _Stated(BaseModel):
    total: StatedTotal


def _read(number: str) -> Decimal:
    return _Line.model_validate(strict_json.loads(f'{{"precio": {number}}}'.encode())).precio


@given(st.decimals(Decimal("0.01"), MAX_PRICE, places=2))
@example(Decimal("0.01"))
@example(MAX_PRICE)
def test_a_price_survives_json_both_ways(price: Decimal) -> None:
    read = _read(f"{price:f}")
    written = _Line(precio=read).model_dump_json().encode()

    assert read == price
    assert strict_json.loads(written)["precio"] == price


@given(st.integers(1, 999_999))
def test_a_whole_number_is_a_price(number: int) -> None:
    assert _read(str(number)) == Decimal(number)


@given(st.decimals(0, MAX_TOTAL, places=2))
@example(MAX_TOTAL)
@example(Decimal("9999999999.98"))
def test_a_total_is_written_with_every_digit(total: Decimal) -> None:
    written = _Total(total=total).model_dump_json().encode()

    assert strict_json.loads(written)["total"] == total


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("true", "money_number"),
        ("false", "money_number"),
        ("null", "money_number"),
        ('"1"', "money_number"),
        ('"1.50"', "money_number"),
        ("[1]", "money_number"),
        ("{}", "money_number"),
        ("1.001", "decimal_max_places"),
        ("0.001", "decimal_max_places"),
        ("0", "greater_than"),
        ("0.00", "greater_than"),
        ("-0.0", "greater_than"),
        ("-1", "greater_than"),
        ("-0.01", "greater_than"),
        ("1000000", "less_than_equal"),
        ("999999.991", "less_than_equal"),
        ("1000000.00", "less_than_equal"),
        ("9" * 64, "less_than_equal"),
    ],
)
def test_what_is_no_price_is_refused(number: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _read(number)

    assert [error["type"] for error in refused.value.errors()][:1] == [code]


@given(st.decimals(0, MAX_TOTAL, places=2))
@example(MAX_TOTAL)
@example(Decimal(0))
def test_a_total_that_another_service_wrote_is_read_exactly(total: Decimal) -> None:
    body = _Total(total=total).model_dump_json().encode()

    assert _Stated.model_validate(strict_json.loads(body)).total == total


@pytest.mark.parametrize("number", ["-0.01", "1.001", "10000000000", '"1"', "true", "null"])
def test_what_no_service_writes_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        _Stated.model_validate(strict_json.loads(f'{{"total": {number}}}'.encode()))


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), Decimal("Infinity"), b"1"])
def test_what_strict_json_never_gives_is_refused_too(value: object) -> None:
    with pytest.raises(ValidationError):
        _Line.model_validate({"precio": value})


def test_the_schema_says_number() -> None:
    assert _Line.model_json_schema()["properties"]["precio"]["type"] == "number"
    schema = _Total.model_json_schema(mode="serialization")
    assert schema["properties"]["total"]["type"] == "number"
