"""Cursors: an encoded cursor can be decoded, and any other text is refused."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swapshop_kit.cursors import Cursor, decode_cursor
from swapshop_kit.ids import new_id
from swapshop_kit.problems import FieldError, InvalidRequest

_ID = "0190a000-0000-7000-8000-000000000000"
_times = st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants the bound naive
_ids = st.uuids().map(str)


def _encode(raw: str) -> str:
    return base64.urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()


@given(_times, _ids)
@example(datetime(1970, 1, 1, tzinfo=UTC), _ID)
@example(datetime.max.replace(tzinfo=UTC), _ID)
def test_a_cursor_survives_its_text(at: datetime, id_: str) -> None:
    cursor = Cursor(at=at, id=id_)

    assert decode_cursor(cursor.encode()) == cursor


def test_the_same_moment_in_another_zone_is_the_same_cursor() -> None:
    here = datetime(2026, 5, 1, 12, 0, 0, 123456, UTC)
    there = here.astimezone(timezone(timedelta(hours=-5)))

    assert Cursor(there, _ID).encode() == Cursor(here, _ID).encode()


def test_no_cursor_is_the_first_page() -> None:
    assert decode_cursor(None) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("!!!", id="not base64"),
        pytest.param("ñ", id="not ASCII"),
        pytest.param(_encode("123"), id="no id"),
        pytest.param(_encode(f"-1.{_ID}"), id="before 1970"),
        pytest.param(_encode(f"007.{_ID}"), id="leading zeros"),
        pytest.param(_encode(f"1.5.{_ID}"), id="fraction"),
        pytest.param(_encode(f"\N{SUPERSCRIPT TWO}.{_ID}"), id="superscript digit"),
        pytest.param(_encode(f"1.{_ID.upper()}"), id="upper-case id"),
        pytest.param(_encode(f"{'9' * 18}.{_ID}"), id="beyond the year 9999"),
        pytest.param(_encode(f"{'9' * 19}.{_ID}"), id="19 digits"),
        pytest.param(_encode(f"1.{_ID}") + "=", id="padded"),
        pytest.param(_encode(f"1.{_ID}") + "\n", id="line break"),
        pytest.param(_encode(f"1.{_ID}") + "A", id="one letter more"),
    ],
)
def test_another_text_is_refused_as_a_field_error(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_cursor(text)

    assert refused.value.errors == [FieldError("cursor", "cursor_invalid")]


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_garbage_is_never_anything_but_invalid(text: str) -> None:
    with pytest.raises(InvalidRequest):
        decode_cursor(text)


@given(st.integers(0, 87), st.characters())
def test_a_changed_letter_is_refused_or_names_another_row(position: int, letter: str) -> None:
    text = Cursor(datetime(2026, 5, 1, tzinfo=UTC), new_id()).encode()
    changed = text[:position] + letter + text[position + 1 :]
    try:
        cursor = decode_cursor(changed)
    except InvalidRequest:
        return
    assert cursor is not None
    assert cursor.encode() == changed
