"""HTTP of webhooks."""

from typing import Any, Final

import structlog
from fastapi import Request

from swapshop_kit import security_events
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown, responses
from swapshop_kit.web import MAX_INTERNAL_BODY_BYTES, router
from swapshop_receiver.dependencies import ContainerDep
from swapshop_receiver.events import OrderReady
from swapshop_receiver.metrics import STORED
from swapshop_receiver.webhooks.domain import (
    NotificationConflict,
    SignatureInvalid,
    authenticate,
    check_signature_headers,
    read_event,
    store_once,
)
from swapshop_receiver.webhooks.schemas import Stored

internal_router = router(prefix="/webhooks", tag="webhooks", max_body_bytes=MAX_INTERNAL_BODY_BYTES)
_log = structlog.get_logger()

# The endpoint reads the raw bytes, which the signature covers, so it documents them by hand.
_SIGNED_EVENT: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": description,
            "schema": {"type": "string", "pattern": pattern},
        }
        for name, description, pattern in (
            ("webhook-id", "The same at every attempt.", "^[A-Za-z0-9_-]{1,64}$"),
            ("webhook-timestamp", "Seconds since the epoch, at most 300 off.", "^[0-9]{10}$"),
            ("webhook-signature", "Up to ten of `v1,` and base64.", "^v[0-9]+a?,"),
        )
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": OrderReady.model_json_schema()}},
    },
}


@internal_router.post(
    "/order-ready",
    responses=responses(
        SignatureInvalid, NotificationConflict, DatabaseUnavailable, OutcomeUnknown
    ),
    openapi_extra=_SIGNED_EVENT,
)
async def receive_order_ready(request: Request, container: ContainerDep) -> Stored:
    """Store a signed ORDER_READY event (Standard Webhooks), once however often it comes."""
    security_events.attempt("webhook")
    check_signature_headers(request.headers)
    body = await request.body()
    webhook_id = authenticate(container.settings.webhook_secrets, request.headers, body)
    event = read_event(body)
    try:
        stored = await store_once(container.database, webhook_id, event, body)
    except NotificationConflict:
        STORED.labels("conflict").inc()
        _log.warning("webhook.conflict", webhook_id=webhook_id, order_id=event.order_id)
        raise
    STORED.labels("stored" if stored else "duplicate").inc()
    # A duplicate too: the COMMIT of the first may have been slow, and its request given up.
    await container.signals.publish(event.user_id)
    return Stored(stored=stored)
