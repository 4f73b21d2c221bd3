"""Identifiers: UUIDv7 (RFC 9562 §5.7), written in canonical lower-case dashed form."""

import re
from typing import Final

import uuid_utils

CANONICAL_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_is_canonical = re.compile(CANONICAL_UUID).fullmatch


def new_id() -> str:
    """Return a fresh UUIDv7; ids made later by one process sort later."""
    return str(uuid_utils.uuid7())


def is_canonical_id(text: str) -> bool:
    """Tell whether the text is a UUID exactly as this project writes it."""
    return _is_canonical(text) is not None
