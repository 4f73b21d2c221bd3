"""Parse JSON as I-JSON (RFC 7493): refuse whatever two parsers could read differently."""

import json
import re
from decimal import Decimal
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 20
"""Maximum depth of nested arrays and objects."""

MAX_NUMBER_LENGTH: Final = 64
"""Maximum characters of a number."""

MAX_ELEMENTS: Final = 1000
"""Maximum commas and opening brackets outside the strings of a request.

The largest order has 602. Each one costs Python calls here and may cost a pydantic error later.
"""

_SURROGATE = re.compile("[\ud800-\udfff]")


class JSONRefusedError(json.JSONDecodeError):
    """The text is not JSON, or is JSON that parsers could read differently."""


def _refuse(reason: str) -> NoReturn:
    raise JSONRefusedError(reason, "", 0)


def _refuse_constant(name: str) -> NoReturn:
    _refuse(f"{name} is not a JSON number")


def _read_integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        _refuse("number too long")
    return int(text)


def _read_decimal(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_LENGTH:
        _refuse("number too long")
    if "e" in text or "E" in text:
        _refuse("numbers must not have an exponent")
    return Decimal(text)


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("an object has the same key twice")
    return members


def _check_depth(body: str) -> None:
    """Check the depth of brackets outside strings, before the recursive parser reads them."""
    depth = 0
    in_string = False
    characters = iter(body)
    for character in characters:
        if character == '"':
            in_string = not in_string
        elif in_string:
            if character == "\\":
                next(characters, "")
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                _refuse("nested too deeply")
        elif character in "]}":
            depth -= 1


def check_elements(body: bytes) -> None:
    """Refuse a text with more than 1,000 elements, at a cost that hardly depends on their number.

    Raises:
        JSONRefusedError: too many elements, or more strings than 1,000 elements can have.
    """
    if _count_elements(body) <= MAX_ELEMENTS:
        return
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # an element has at most two strings: its key and its value
    if unescaped.count(b'"') > 4 * (MAX_ELEMENTS + 1):
        _refuse("too many strings")
    if _count_elements(b"".join(unescaped.split(b'"')[::2])) > MAX_ELEMENTS:
        _refuse("too many elements")


def _count_elements(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


_decoder = json.JSONDecoder(
    object_pairs_hook=_read_object,
    parse_int=_read_integer,
    parse_float=_read_decimal,
    parse_constant=_refuse_constant,
)


def loads(body: bytes) -> Any:
    """Parse a JSON text in UTF-8. Fractions become Decimal directly, never through a float.

    Raises:
        JSONRefusedError: not JSON, a byte-order mark, a duplicate key, NaN or Infinity, a lone
            surrogate, an exponent, a number beyond 64 characters or nesting beyond 20.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("not UTF-8")
    if text.startswith("\ufeff"):
        _refuse("starts with a byte-order mark")
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        value = _decoder.decode(text)
    except JSONRefusedError:
        raise
    except json.JSONDecodeError as error:
        raise JSONRefusedError(error.msg, "", error.pos) from error
    if "\\u" in text and _SURROGATE.search(json.dumps(value, default=str, ensure_ascii=False)):
        _refuse("a string contains a lone surrogate")
    return value
