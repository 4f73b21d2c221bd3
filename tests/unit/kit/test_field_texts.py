"""Texts of field errors: each one fits the context that pydantic provides."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from swapshop_kit.money import Price
from swapshop_kit.problem_texts import FIELD_TEXTS
from swapshop_kit.problems import FieldError
from swapshop_kit.text import Line
from swapshop_kit.web import field_errors


class _Colour(Enum):
    RED = "rojo"
    BLUE = "azul"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    a: int = 1


class _Required(BaseModel):
    a: int


_strict_text = Annotated[str, Field(strict=True, min_length=2, max_length=3, pattern="^a")]

_PROVOKED: list[tuple[str, Any, Any, str]] = [
    ("missing", _Required, {}, "is missing"),
    ("extra_forbidden", _Closed, {"b": 1}, "is not a known field"),
    ("model_attributes_type", _Required, b"{}", "must be a JSON object"),
    ("model_type", _Required, [], "must be a JSON object"),
    ("dict_type", dict[str, int], [], "must be a JSON object"),
    ("list_type", list[int], {}, "must be a list"),
    ("too_short", Annotated[list[int], Field(min_length=1)], [], "must have at least 1 items"),
    ("too_long", Annotated[list[int], Field(max_length=1)], [1, 2], "must have at most 1 items"),
    ("string_type", _strict_text, 1, "must be text"),
    ("string_too_short", _strict_text, "a", "must have at least 2 characters"),
    ("string_too_long", _strict_text, "abcd", "must have at most 3 characters"),
    ("string_pattern_mismatch", _strict_text, "bb", "has the wrong form"),
    ("text_hidden_character", Line, "a\u200bb", "contains an invisible or control character"),
    ("int_type", Annotated[int, Field(strict=True)], True, "must be a whole number"),
    ("int_parsing", int, "x", "must be a whole number"),
    ("int_from_float", int, 1.5, "must be a whole number"),
    ("bool_parsing", bool, "x", "must be true or false"),
    ("money_number", Price, "1", "must be a number"),
    ("decimal_max_places", Price, Decimal("1.001"), "must have at most 2 decimals"),
    ("greater_than", Price, 0, "must be greater than 0"),
    ("greater_than_equal", Annotated[int, Field(ge=1)], 0, "must be at least 1"),
    ("less_than_equal", Annotated[int, Field(le=1000)], 1001, "must be at most 1000"),
    ("enum", _Colour, "verde", "must be one of: 'rojo' or 'azul'"),
    ("literal_error", Literal["a", "b", "c"], "x", "must be one of: 'a', 'b' or 'c'"),
]


def _provoke(kind: Any, value: object) -> FieldError:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value, from_attributes=isinstance(value, bytes))
    error = refused.value.errors()[0]
    return field_errors([{**error, "loc": ("body", *error["loc"])}])[0]


@pytest.mark.parametrize(
    ("code", "kind", "value", "english"), _PROVOKED, ids=[code for code, *_ in _PROVOKED]
)
def test_an_error_of_pydantic_reads_well_in_both_languages(
    code: str, kind: object, value: object, english: str
) -> None:
    error = _provoke(kind, value)
    spanish = error.render("es")

    assert error.render("en").model_dump() == {
        "field": error.field,
        "code": code,
        "message": english,
    }
    assert spanish.code == code
    assert spanish.message not in ("", english, FIELD_TEXTS["invalid"]["es"])
    assert " or " not in spanish.message
    assert "{" not in spanish.message


def test_every_text_with_a_blank_to_fill_was_provoked() -> None:
    blank = {code for code, texts in FIELD_TEXTS.items() if "{" in texts["es"] + texts["en"]}

    assert blank <= {code for code, *_ in _PROVOKED}


def test_every_text_is_there_in_both_languages() -> None:
    for code, texts in FIELD_TEXTS.items():
        assert texts.keys() == {"es", "en"}, code
        assert texts["es"] != texts["en"], code


@pytest.mark.parametrize("code", sorted(FIELD_TEXTS))
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_text_without_its_context_reads_as_invalid(
    code: str, language: Literal["es", "en"]
) -> None:
    texts = FIELD_TEXTS[code][language]
    expected = FIELD_TEXTS["invalid"][language] if "{" in texts else texts

    assert FieldError("x", code).render(language).message == expected


@given(st.text(), st.none() | st.dictionaries(st.text(), st.integers()))
def test_any_code_and_context_can_be_told(code: str, context: dict[str, int] | None) -> None:
    assert FieldError("x", code, context).render("es").message


def test_the_path_leaves_out_where_the_request_holds_it() -> None:
    errors = field_errors(
        [
            {"type": "missing", "loc": ("body",)},
            {"type": "missing", "loc": ("body", "items", 0, "cantidad")},
            {"type": "int_parsing", "loc": ("query", "limit")},
            {"type": "json_invalid", "loc": ("body", 17), "ctx": {"error": "secret"}},
        ]
    )

    assert [(error.field, error.code) for error in errors] == [
        ("body", "missing"),
        ("items.0.cantidad", "missing"),
        ("limit", "int_parsing"),
        ("body", "json_invalid"),
    ]


def test_a_thousand_errors_are_not_all_told() -> None:
    assert len(field_errors([{"type": "missing", "loc": ("body", "x")}] * 1000)) == 50
