"""Text that people type: trimmed, in NFC, without characters that hide or reorder others."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

MAX_LINE_LENGTH: Final = 120
"""Maximum characters of a line, once trimmed and normalized."""

_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Cf includes the zero-width and bidirectional control characters (Unicode TR36 §2.5, TR9)."""

_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Invisible marks and fillers (Default_Ignorable_Code_Point outside Cf)."""

_VISIBLE_FORMAT: Final = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""Visible signs that span digits (Prepended_Concatenation_Mark)."""


def to_nfc(text: str, max_length: int) -> str:
    """Return a text in Normalization Form C (Unicode TR15), or unchanged if it is far too long.

    Normalizing takes time quadratic in a run of combining marks: minutes for a megabyte. No text
    shrinks to less than a quarter, so a text of more than 4 * max_length is too long anyway.

    Args:
        text: any text.
        max_length: maximum characters of a normalized text; not checked here.
    """
    return unicodedata.normalize("NFC", text) if len(text) <= 4 * max_length else text


def normalize(text: str, max_length: int = MAX_LINE_LENGTH) -> str:
    """Return the text trimmed and in Normalization Form C; see ``to_nfc``."""
    return to_nfc(text.strip(), max_length)


def _normalize_if_text(value: object) -> object:
    return normalize(value) if isinstance(value, str) else value


def _refuse_hidden(text: str) -> str:
    if text.isprintable() and _INVISIBLE.isdisjoint(text):
        return text  # the fast path for nearly all text
    if any(_is_hidden(character) for character in text):
        raise PydanticCustomError("text_hidden_character", "contains a hidden character")
    return text


def _is_hidden(character: str) -> bool:
    if character in _VISIBLE_FORMAT:
        return False
    category = unicodedata.category(character)
    if category == "Cn":
        return _is_never_to_be_seen(ord(character))
    return category in _FORBIDDEN_CATEGORIES or character in _INVISIBLE


def _is_never_to_be_seen(code_point: int) -> bool:
    """Return whether an unassigned code point can never be visible, unlike a newer emoji."""
    is_noncharacter = code_point & 0xFFFE == 0xFFFE or 0xFDD0 <= code_point <= 0xFDEF
    is_reserved_ignorable = 0xFFF0 <= code_point <= 0xFFF8 or 0xE0000 <= code_point <= 0xE0FFF
    return is_noncharacter or is_reserved_ignorable or code_point == 0x2065


Line = Annotated[
    str,
    # next to str, or pydantic's errors count "items" instead of characters
    StringConstraints(strict=True, min_length=1, max_length=MAX_LINE_LENGTH),
    BeforeValidator(_normalize_if_text),
    AfterValidator(_refuse_hidden),
]
"""One line of text, 1..120 characters once trimmed and normalized."""
