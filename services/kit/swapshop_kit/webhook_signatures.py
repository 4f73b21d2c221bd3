"""Standard Webhooks signatures (https://www.standardwebhooks.com), symmetric scheme v1."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

MAX_HEADER_LENGTH: Final = 1024

is_webhook_id: Final = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
"""Matches an id of the specification that fits into our column."""

_is_timestamp = re.compile(r"[0-9]{10}").fullmatch
_SIGNATURE: Final = "v[0-9]+a?,[A-Za-z0-9+/=_-]+"
_is_signatures = re.compile(f"{_SIGNATURE}( {_SIGNATURE}){{0,9}}").fullmatch


class SignatureRefused(Exception):
    """The message is not signed with one of our secrets, or not within five minutes."""


def _check_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("must be base64 after whsec_") from error
    if not text.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise ValueError("must be whsec_ and the base64 of 24 to 64 bytes")
    return secret


WebhookSecret = Annotated[SecretStr, AfterValidator(_check_secret)]
"""``whsec_`` and the base64 of 24..64 random bytes, as in the specification."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def sign(
    secret: SecretStr, webhook_id: str, body: bytes, now: Callable[[], datetime] = _utc_now
) -> dict[str, str]:
    """Return the three headers that a message carries.

    Args:
        secret: newest secret that the receiver has.
        webhook_id: id of the message, the same at every attempt.
        body: UTF-8 body, exactly as it is sent.
        now: clock of the timestamp.
    """
    at = now().astimezone(UTC)  # the library reads a time of any zone as UTC
    signature = Webhook(secret.get_secret_value()).sign(webhook_id, at, body.decode())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def read_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the three well-formed headers of a message, checked before its body is read.

    On a malformed header the library would raise ValueError, binascii.Error or UnicodeDecodeError,
    and it would accept ``1e9`` as a time, so the form is checked first.

    Args:
        headers: the request's headers, with names in lower case.

    Raises:
        SignatureRefused: a header is missing, malformed or too long.
    """
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    found = {name: headers.get(name, "") for name in names}
    if any(len(value) > MAX_HEADER_LENGTH for value in found.values()):
        raise SignatureRefused("header too long")
    if not (
        is_webhook_id(found["webhook-id"])
        and _is_timestamp(found["webhook-timestamp"])
        and _is_signatures(found["webhook-signature"])
    ):
        raise SignatureRefused("header missing or malformed")
    return found


def verify(secrets: Sequence[SecretStr], headers: Mapping[str, str], body: bytes) -> str:
    """Check a message against each secret and return its webhook id.

    Args:
        secrets: our secrets; two during a rotation.
        headers: the request's headers, with names in lower case.
        body: raw bytes of the request.

    Raises:
        SignatureRefused: a header is missing or malformed, the timestamp is more than five
            minutes off, or no secret matches.
    """
    found = read_headers(headers)
    for secret in secrets:
        try:
            Webhook(secret.get_secret_value()).verify(body, found, json_parse=False)
        except (WebhookVerificationError, ValueError):
            continue  # ValueError: not base64 or not UTF-8
        return found["webhook-id"]
    raise SignatureRefused("no secret matches, or not signed within five minutes")
