"""Text that people type: one spelling is stored, and hidden characters are refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from swapshop_kit.text import MAX_LINE_LENGTH, Line, normalize, to_nfc

_line: TypeAdapter[str] = TypeAdapter(Line)


def _code(value: object) -> str:
    with pytest.raises(ValidationError) as refused:
        _line.validate_python(value)
    return refused.value.errors()[0]["type"]


@given(st.text())
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = normalize(text)

    assert normalize(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Ana \t\n", "Ana"),
        ("\N{NO-BREAK SPACE}Ana\N{IDEOGRAPHIC SPACE}", "Ana"),
        ("Nun\N{COMBINING TILDE}ez", "Nuñez"),
        ("José-María O'Neill & Cía. (tienda nº 3)", "José-María O'Neill & Cía. (tienda nº 3)"),
        ("Ελένη", "Ελένη"),
        ("王小明", "王小明"),
        ("🧥", "🧥"),
        ("\N{ARABIC NUMBER SIGN}١٢", "\N{ARABIC NUMBER SIGN}١٢"),
        ("\U0001fae9\U0001fa77", "\U0001fae9\U0001fa77"),  # of Unicode 16 and 15
        ("❤\N{VARIATION SELECTOR-16}", "❤\N{VARIATION SELECTOR-16}"),
        ("x" * 120, "x" * 120),
        (" " + "x" * 120 + " ", "x" * 120),
        ("n\N{COMBINING TILDE}" * 120, "ñ" * 120),
    ],
)
def test_what_people_type_is_kept_trimmed_and_composed(typed: str, stored: str) -> None:
    assert _line.validate_python(typed) == stored


@pytest.mark.parametrize("typed", ["", " ", "\t\n", "\N{EM SPACE}"])
def test_nothing_is_too_short(typed: str) -> None:
    assert _code(typed) == "string_too_short"


def test_length_counts_after_normalizing() -> None:
    assert _code("x" * 121) == "string_too_long"
    assert _code("\N{MUSICAL SYMBOL HALF NOTE}" * 61) == "string_too_long"  # two characters each


@pytest.mark.parametrize("value", [1, True, None, b"Ana", ["Ana"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    assert _code(value) == "string_type"


@pytest.mark.parametrize(
    "character",
    [
        *("\0", "\x07", "\n", "\x1b", "\x7f", "\x85", "\x9f"),
        *("\u2028", "\u2029", "\ud800", "\ue000", "\ufdd0", "\uffff", "\U0010ffff"),
        *("\u00ad", "\u034f", "\u061c", "\u115f", "\u180e", "\u3164", "\uffa0"),
        *("\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\u2064", "\ufeff"),
        *("\u202a", "\u202b", "\u202c", "\u202d", "\u202e"),
        *("\u2066", "\u2067", "\u2068", "\u2069", "\u206a", "\u206f"),
        *("\u2065", "\ufff0", "\ufff9", "\ufffb", "\U000e0000", "\U000e0041", "\U0001d173"),
    ],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_a_character_that_hides_or_reorders_is_refused(character: str) -> None:
    # pydantic refuses surrogates
    assert _code(f"a{character}b") in ("text_hidden_character", "string_unicode")


@given(st.text(max_size=150))
def test_what_is_accepted_has_nothing_to_hide(text: str) -> None:
    try:
        line = _line.validate_python(text)
    except ValidationError:
        return
    assert 1 <= len(line) <= 120
    assert line == normalize(text)
    assert not [each for each in line if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp")]


def test_a_text_that_is_far_too_long_is_not_normalized_before_it_is_refused() -> None:
    """Normalizing takes time quadratic in a run of combining marks."""
    marks = "a" + "\N{COMBINING ACUTE ACCENT}\N{COMBINING DOT BELOW}" * 2000

    assert to_nfc(marks, MAX_LINE_LENGTH) is marks
    assert _code(marks) == "string_too_long"


def test_the_text_that_shrinks_most_is_a_line() -> None:
    """A letter and three marks become one character."""
    letter = "\N{GREEK SMALL LETTER ALPHA WITH PSILI AND VARIA AND YPOGEGRAMMENI}"
    typed = unicodedata.normalize("NFD", letter * MAX_LINE_LENGTH)

    assert len(typed) == 4 * MAX_LINE_LENGTH
    assert _line.validate_python(typed) == letter * MAX_LINE_LENGTH
