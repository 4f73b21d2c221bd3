"""Receive webhooks: signed by our poller, stored once, never overwritten."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import SecretStr, ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_kit.database import Database, DuplicateKey
from swapshop_kit.problems import (
    DatabaseUnavailable,
    FieldError,
    InvalidRequest,
    OutcomeUnknown,
)
from swapshop_kit.strict_json import JSONRefusedError
from swapshop_kit.web import field_errors
from swapshop_kit.webhook_signatures import SignatureRefused, read_headers, verify
from swapshop_receiver.events import EVENTS, Event, stored_event
from swapshop_receiver.notifications.wake_ups import WakeUps
from swapshop_receiver.webhooks import store
from swapshop_receiver.webhooks.metrics import STORED
from swapshop_receiver.webhooks.problems import NotificationConflict, SignatureInvalid

INSERT_SECONDS: Final = 5.0
"""From the INSERT, which sets ``received_at``, to the COMMIT, which shows the row.

After it the connection is closed, so an INSERT that waits for a lock is never committed later. A
COMMIT that was sent already may still take effect in a server that stalls: streams look back 60 s,
which leaves 55 s.
"""


_log = structlog.get_logger()


@dataclass
class Webhooks:
    """The use case of senders: deliver an event.

    Args:
        database: of the schema ``notifications``.
        secrets: of the signatures; two while one replaces the other.
        wake_ups: tells every process of a new notification.
    """

    database: Database
    secrets: Sequence[SecretStr]
    wake_ups: WakeUps

    async def receive(self, event_type: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Store a signed event, once however often it comes; return whether it was stored now.

        Args:
            event_type: of the path that it came to.
            headers: with the signature.
            body: the exact bytes.

        Raises:
            SignatureInvalid: the signature is wrong or out of date.
            InvalidRequest: the body is not a valid event.
            NotificationConflict: one of its keys belongs to another event.
            DatabaseUnavailable: nothing was stored.
            OutcomeUnknown: it may have been stored; sending it again is safe.
        """
        webhook_id = authenticate(self.secrets, headers, body)
        event = read_event(event_type, body)
        try:
            stored = await store_once(self.database, webhook_id, event, body)
        except NotificationConflict:
            STORED.labels(event_type, "conflict").inc()
            _log.warning("webhook.conflict", webhook_id=webhook_id, order_id=event.order_id)
            raise
        STORED.labels(event_type, "stored" if stored else "duplicate").inc()
        # A duplicate too: the COMMIT of the first may have been slow, and its request given up.
        await self.wake_ups.publish(event.inbox)
        return stored


def check_signature_headers(headers: Mapping[str, str]) -> None:
    """Check the headers of a signature before the body is read.

    Raises:
        SignatureInvalid: a header is missing or malformed.
    """
    try:
        read_headers(headers)
    except SignatureRefused as error:
        raise SignatureInvalid from error


def authenticate(secrets: Sequence[SecretStr], headers: Mapping[str, str], body: bytes) -> str:
    """Check the signature over the raw bytes and return the webhook id.

    Raises:
        SignatureInvalid: the signature is wrong or out of date.
    """
    try:
        return verify(secrets, headers, body)
    except SignatureRefused as error:
        raise SignatureInvalid from error


def read_event(event_type: str, body: bytes) -> Event:
    """Read an event of a type.

    Raises:
        InvalidRequest: the body is not such an event.
    """
    try:
        return EVENTS[event_type].from_json(body)
    except JSONRefusedError as error:
        raise InvalidRequest(errors=[FieldError("body", "json_invalid")]) from error
    except ValidationError as error:
        errors: list[Any] = [
            {**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)
        ]
        raise InvalidRequest(errors=field_errors(errors)) from error


def has_same_content(stored: RowMapping, event: Event) -> bool:
    """Return whether a stored notification has the inbox, order, type and essence of an event."""
    return (stored["user_id"], stored["order_id"], stored["evento"]) == (
        event.inbox,
        event.order_id,
        event.evento,
    ) and stored_event(event.evento, stored["payload"]).essence == event.essence


async def store_once(
    database: Database,
    webhook_id: str,
    event: Event,
    body: bytes,
    insert_seconds: float = INSERT_SECONDS,
) -> bool:
    """Store an event unless it is stored already.

    Args:
        database: the receiver's database.
        webhook_id: the message's id, the same at every attempt.
        event: the event in the body.
        body: the exact bytes that were signed.
        insert_seconds: time limit of the transaction.

    Returns:
        True if it was stored now, False if it was stored before.

    Raises:
        NotificationConflict: one of its keys belongs to another event.
        DatabaseUnavailable: nothing was stored.
        OutcomeUnknown: it may have been stored; sending it again is safe.
    """
    sha256 = hashlib.sha256(body).digest()

    async def insert(connection: AsyncConnection) -> None:
        await store.insert_notification(connection, webhook_id, event, body, sha256)

    try:
        async with asyncio.timeout(insert_seconds):
            await database.transaction(insert)
    except TimeoutError as error:
        raise OutcomeUnknown(retry_after=2) from error
    except DuplicateKey:
        await _check_stored(database, webhook_id, event)
        return False
    return True


async def _check_stored(database: Database, webhook_id: str, event: Event) -> None:
    """Check, after the ROLLBACK, that the rows with the event's keys are this event."""
    clashing = await database.read(
        lambda connection: store.find_clashing(connection, webhook_id, event)
    )
    if not clashing:
        raise DatabaseUnavailable  # the row with the same key was rolled back
    if not all(has_same_content(row, event) for row in clashing):
        raise NotificationConflict
