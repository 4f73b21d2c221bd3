"""Identifiers: UUIDv7 (RFC 9562 §5.7), in canonical lower-case form with dashes."""

import re
from typing import Final

import uuid_utils

CANONICAL_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_is_canonical = re.compile(CANONICAL_UUID).fullmatch


def new_id() -> str:
    """Return a new UUIDv7. The ids of one process sort by the time they were made."""
    return str(uuid_utils.uuid7())


def is_canonical_id(text: str) -> bool:
    """Return whether the text is a UUID in canonical form."""
    return _is_canonical(text) is not None
