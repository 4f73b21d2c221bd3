"""Rules of receiving webhooks: signed by our poller, stored once, never overwritten."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import SecretStr, ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_kit.database import Database, DuplicateKey
from swapshop_kit.problems import (
    DatabaseUnavailable,
    FieldError,
    InvalidRequest,
    OutcomeUnknown,
    Problem,
    Text,
)
from swapshop_kit.strict_json import JSONRefusedError
from swapshop_kit.web import field_errors
from swapshop_kit.webhook_signatures import SignatureRefused, read_headers, verify
from swapshop_receiver.events import OrderReady
from swapshop_receiver.webhooks import store

INSERT_SECONDS: Final = 5.0
"""From the INSERT, which sets ``received_at``, to the COMMIT, which shows the row.

After it the connection is closed, so an INSERT that waits for a lock is never committed later. A
COMMIT that was sent already may still take effect in a server that stalls: streams look back 60 s,
which leaves it 55 s.
"""


class SignatureInvalid(Problem):
    """The webhook is not signed with our secret, or not just now; one body for every defect."""

    code = "signature_invalid"
    status = 401
    es = Text("Firma no válida", "La firma del aviso no es válida o ha caducado.")
    en = Text("Invalid signature", "The signature of the webhook is invalid or out of date.")

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "StandardWebhooks"})


class NotificationConflict(Problem):
    """Another event is stored under this webhook id, or for this order."""

    code = "notification_conflict"
    status = 409
    es = Text("Conflicto", "Ya hay otro aviso con este identificador o para este pedido.")
    en = Text("Conflict", "Another event has this webhook id, or is stored for this order.")


def check_signature_headers(headers: Mapping[str, str]) -> None:
    """Refuse by its headers what cannot be signed, before its body is read.

    Raises:
        SignatureInvalid: one is missing or malformed.
    """
    try:
        read_headers(headers)
    except SignatureRefused as error:
        raise SignatureInvalid from error


def authenticate(secrets: Sequence[SecretStr], headers: Mapping[str, str], body: bytes) -> str:
    """Check the signature over the raw bytes and return the webhook id.

    Raises:
        SignatureInvalid: whatever the defect.
    """
    try:
        return verify(secrets, headers, body)
    except SignatureRefused as error:
        raise SignatureInvalid from error


def read_event(body: bytes) -> OrderReady:
    """Read the event.

    Raises:
        InvalidRequest: the body is no such event.
    """
    try:
        return OrderReady.from_json(body)
    except JSONRefusedError as error:
        raise InvalidRequest(errors=[FieldError("body", "json_invalid")]) from error
    except ValidationError as error:
        errors: list[Any] = [
            {**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)
        ]
        raise InvalidRequest(errors=field_errors(errors)) from error


def tells_the_same(stored: RowMapping, event: OrderReady) -> bool:
    """Tell whether a stored notification says what an event says: whose, which order, how much."""
    return (stored["user_id"], stored["order_id"], stored["evento"]) == (
        event.user_id,
        event.order_id,
        event.evento,
    ) and OrderReady.from_json(stored["payload"]).total == event.total


async def store_once(
    database: Database,
    webhook_id: str,
    event: OrderReady,
    body: bytes,
    insert_seconds: float = INSERT_SECONDS,
) -> bool:
    """Store an event unless it is there.

    Args:
        database: of the receiver.
        webhook_id: the same at every attempt of the sender.
        event: what the body says.
        body: the exact bytes.
        insert_seconds: the limit of the transaction.

    Returns:
        True if it was stored now, False if it was there.

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
        return await _was_stored(database, webhook_id, event)
    return True


async def _was_stored(database: Database, webhook_id: str, event: OrderReady) -> Literal[False]:
    """Look at what stands in the way, after the ROLLBACK."""
    clashing = await database.read(
        lambda connection: store.find_clashing(connection, webhook_id, event)
    )
    if not clashing:
        raise DatabaseUnavailable  # what stood in the way is gone again
    if not all(tells_the_same(row, event) for row in clashing):
        raise NotificationConflict
    return False
