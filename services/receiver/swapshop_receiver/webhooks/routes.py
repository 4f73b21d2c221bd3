"""HTTP of webhooks."""

from typing import Annotated, Any, Final

from fastapi import Depends, Request

from swapshop_kit import security_events
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown, responses
from swapshop_kit.provided import provided
from swapshop_kit.web import MAX_INTERNAL_BODY_BYTES, BeforeBody, router
from swapshop_receiver.events import OrderReady
from swapshop_receiver.webhooks.domain import (
    Webhooks,
    check_signature_headers,
)
from swapshop_receiver.webhooks.problems import NotificationConflict, SignatureInvalid
from swapshop_receiver.webhooks.schemas import Stored

internal_router = router(prefix="/webhooks", tag="webhooks", max_body_bytes=MAX_INTERNAL_BODY_BYTES)

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


async def _check_headers(request: Request) -> None:
    security_events.attempt("webhook")
    check_signature_headers(request.headers)


@internal_router.post(
    "/order-ready",
    dependencies=[Depends(BeforeBody(_check_headers))],
    responses=responses(
        SignatureInvalid, NotificationConflict, DatabaseUnavailable, OutcomeUnknown
    ),
    openapi_extra=_SIGNED_EVENT,
)
async def receive_order_ready(
    request: Request, webhooks: Annotated[Webhooks, provided(Webhooks)]
) -> Stored:
    """Store a signed ORDER_READY event (Standard Webhooks), once however often it comes."""
    return Stored(stored=await webhooks.receive(request.headers, await request.body()))
