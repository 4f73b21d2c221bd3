"""Opaque keyset cursors, which mark where the next page of a newest-first list begins."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import Query

from swapshop_kit.ids import is_canonical_id
from swapshop_kit.problems import FieldError, InvalidRequest

MAX_PAGE_SIZE: Final = 100
DEFAULT_PAGE_SIZE: Final = 20

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MICROSECONDS: Final = 253_402_300_799_999_999
_MAX_LENGTH: Final = 200

PageSize = Annotated[int, Query(alias="limit", ge=1, le=MAX_PAGE_SIZE)]
CursorText = Annotated[str | None, Query(alias="cursor", max_length=_MAX_LENGTH)]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: its time (UTC, microseconds) and its id, which breaks ties."""

    at: datetime
    id: str

    def encode(self) -> str:
        """Return the cursor as URL-safe text."""
        microseconds = (self.at - _EPOCH) // timedelta(microseconds=1)
        raw = f"{microseconds}.{self.id}".encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(
    text: str | None, is_id: Callable[[str], object] = is_canonical_id
) -> Cursor | None:
    """Decode a cursor that ``encode`` made; None stays None.

    Args:
        text: the request's ``cursor`` parameter.
        is_id: returns whether a text has the form of the list's ids.

    Raises:
        InvalidRequest: not a valid cursor.
    """
    if text is None:
        return None
    cursor = _parse(text, is_id)
    if cursor is None or cursor.encode() != text:
        raise InvalidRequest(errors=[FieldError("cursor", "cursor_invalid")])
    return cursor


def _parse(text: str, is_id: Callable[[str], object]) -> Cursor | None:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        microseconds, id_ = raw.decode("ascii").split(".", 1)
    except (binascii.Error, ValueError):
        return None
    if not (microseconds.isdigit() and len(microseconds) <= 18 and is_id(id_)):
        return None
    elapsed = int(microseconds)
    if elapsed > _MAX_MICROSECONDS:
        return None
    return Cursor(at=_EPOCH + timedelta(microseconds=elapsed), id=id_)
