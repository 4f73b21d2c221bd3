"""Strict JSON: values are parsed exactly, and ambiguous text is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swapshop_kit.strict_json import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_NUMBER_LENGTH,
    JSONRefusedError,
    check_elements,
    loads,
)

_texts = st.text(st.characters(exclude_categories=["Cs"]))
_scalars = st.none() | st.booleans() | st.integers(-(10**60), 10**60) | _texts
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)


def _dump(value: Any, *, ascii_only: bool = False) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode()


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@given(_values, st.booleans())
def test_every_value_without_fractions_reads_as_it_was_written(
    value: object, ascii_only: bool
) -> None:
    assert loads(_dump(value, ascii_only=ascii_only)) == value


@given(st.decimals(-(10**20), 10**20, places=12))
def test_a_fraction_keeps_its_own_digits(number: Decimal) -> None:
    read = loads(f"{number:f}".encode())

    assert isinstance(read, Decimal)
    assert str(read) == str(Decimal(f"{number:f}"))


def test_the_difference_between_one_and_one_point_zero_is_kept() -> None:
    read = loads(b"[1, 1.0, 0.10]")

    assert [type(number) for number in read] == [int, Decimal, Decimal]
    assert str(read[2]) == "0.10"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \n", id="blank"),
        pytest.param(b"nul", id="half a word"),
        pytest.param(b"{'a': 1}", id="single quotes"),
        pytest.param(b'{"a": 1,}', id="trailing comma"),
        pytest.param(b"[1] [2]", id="two values"),
        pytest.param(b"{} x", id="trailing garbage"),
        pytest.param(b'{"a": 1}\x00', id="trailing NUL"),
        pytest.param(b"// note\n{}", id="comment"),
        pytest.param(b"\xc2\xa0{}", id="no-break space is no JSON white space"),
        pytest.param(b'"a\x01b"', id="raw control character"),
        pytest.param(b'"a\nb"', id="raw line break"),
        pytest.param(b'"\\x41"', id="unknown escape"),
        pytest.param(b"01", id="leading zero"),
        pytest.param(b"+1", id="plus sign"),
        pytest.param(b".5", id="no digit before the point"),
        pytest.param(b"5.", id="no digit after the point"),
        pytest.param(b"0x10", id="hexadecimal"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b"[Infinity]", id="Infinity"),
        pytest.param(b'{"a": -Infinity}', id="-Infinity"),
        pytest.param(b"1e400", id="overflow"),
        pytest.param(b"1e2", id="exponent"),
        pytest.param(b"1.5E2", id="capital exponent"),
        pytest.param(b"1E-2", id="negative exponent"),
        pytest.param(b'{"a": 1, "a": 1}', id="same key twice"),
        pytest.param(b'{"a": 1, "\\u0061": 2}', id="same key twice, once escaped"),
        pytest.param(b'[{"x": {"": 1, "": 2}}]', id="same empty key twice, nested"),
        pytest.param(b'"\\ud800"', id="high surrogate"),
        pytest.param(b'"\\uDFFF"', id="low surrogate"),
        pytest.param(b'"\\ude00\\ud83d"', id="surrogates in the wrong order"),
        pytest.param(b'["\\ud83d", "\\ude00"]', id="a pair split over two strings"),
        pytest.param(b'{"\\ud800": 1}', id="surrogate in a key"),
        pytest.param(b'[[{"a": ["x\\udc00"]}]]', id="surrogate deep inside"),
        pytest.param(b'"\xed\xa0\x80"', id="surrogate encoded as UTF-8"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param(b'"\xc0\xaf"', id="overlong UTF-8"),
        pytest.param(b'"\xf4\x90\x80\x80"', id="beyond Unicode"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte-order mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param('{"a": 1}'.encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param('{"a": 1}'.encode("utf-32"), id="UTF-32"),
        pytest.param(b"1" * 5000, id="5000 digits"),
        pytest.param(b"-" + b"1" * MAX_NUMBER_LENGTH, id="integer one character too long"),
        pytest.param(b"0." + b"1" * MAX_NUMBER_LENGTH, id="fraction too long"),
        pytest.param(_nested(MAX_DEPTH + 1), id="one level too deep"),
        pytest.param(_nested(100_000), id="100,000 levels"),
        pytest.param(b"[" * 100_000, id="100,000 opening brackets"),
        pytest.param(b'{"a":' * 100_000, id="100,000 opening braces"),
        pytest.param(b'{"a":[' * 11 + b"]}" * 11, id="mixed nesting too deep"),
        pytest.param(b'["\\""' + b",[" * 21 + b"]" * 22, id="too deep after an escaped quote"),
    ],
)
def test_a_body_that_could_be_misread_is_refused(body: bytes) -> None:
    with pytest.raises(JSONRefusedError):
        loads(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b" \t\r\n{}\n", {}),
        (b"-0", 0),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        (b'"\\\\ud800"', "\\ud800"),
        (b'"\\u0000"', "\0"),
        (b'{"a": {"a": 1}}', {"a": {"a": 1}}),
        (b"9" * MAX_NUMBER_LENGTH, int("9" * MAX_NUMBER_LENGTH)),
        (_dump("[" * 50), "[" * 50),
        (_dump('"' + "[" * 50), '"' + "[" * 50),
        (_dump('\\"' + "{" * 50), '\\"' + "{" * 50),
        (_dump(["{[" * 50 + '"', "\\"]), ["{[" * 50 + '"', "\\"]),
        (_dump({'"[[[' * 9: "]]" * 30}), {'"[[[' * 9: "]]" * 30}),
    ],
)
def test_what_only_looks_odd_is_read(body: bytes, value: object) -> None:
    assert loads(body) == value


def test_twenty_levels_and_many_neighbours_are_read() -> None:
    assert loads(_nested(MAX_DEPTH)) is not None
    assert loads(_dump([[]] * 1000)) == [[]] * 1000


@given(st.binary() | _texts.map(str.encode))
@example(b'{"a":' + b"[" * 30)
def test_any_bytes_are_refused_or_read_as_every_parser_reads_them(body: bytes) -> None:
    try:
        value = loads(body)
    except JSONRefusedError:
        return
    assert json.loads(body, parse_float=Decimal) == value


_KIB_256 = 256 * 1024


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" + b"{}," * 80_000 + b"{}]", id="objects"),
        pytest.param(b"[" + b"1," * 120_000 + b"1]", id="integers"),
        pytest.param(b"[" + b"1.5," * 60_000 + b"1]", id="decimals"),
        pytest.param(_dump({str(number): 1 for number in range(26_000)}), id="unknown fields"),
        pytest.param(_dump(['\\"{}'] * 20_000), id="strings"),
        pytest.param(b'\\",' * (_KIB_256 // 3), id="escaped quotes outside strings"),
        pytest.param(b"[" + b"1," * MAX_ELEMENTS + b"1]", id="one element too many"),
    ],
)
def test_a_text_of_very_many_elements_is_refused_unparsed(body: bytes) -> None:
    with pytest.raises(JSONRefusedError):
        check_elements(body)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([1] * MAX_ELEMENTS, id="as many as allowed"),
        pytest.param(["," * _KIB_256], id="commas in a string"),
        pytest.param(['"{[,' * 20_000], id="escaped quotes in a string"),
        pytest.param(["\\" * 50_000 + ",{" * 50_000], id="backslashes before the end"),
        pytest.param([{"[{,": ',\\",' * 100}] * 300, id="in keys"),
    ],
)
def test_what_stands_in_strings_is_no_element(value: object) -> None:
    check_elements(_dump(value))


@given(_values)
def test_a_text_of_few_elements_passes(value: object) -> None:
    check_elements(_dump(value))
