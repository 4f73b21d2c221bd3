"""HTTP of webhooks."""

from typing import Annotated, Final

from fastapi import Depends, Request

from swapshop_kit import security_events
from swapshop_kit.problems import DatabaseUnavailable, OutcomeUnknown, responses
from swapshop_kit.provided import provided
from swapshop_kit.web import MAX_INTERNAL_BODY_BYTES, BeforeBody, router
from swapshop_kit.webhook_events import webhook_path
from swapshop_receiver.events import EVENTS, Event
from swapshop_receiver.webhooks.domain import (
    Webhooks,
    check_signature_headers,
)
from swapshop_receiver.webhooks.problems import NotificationConflict, SignatureInvalid
from swapshop_receiver.webhooks.schemas import Stored

internal_router = router(prefix="/webhooks", tag="webhooks", max_body_bytes=MAX_INTERNAL_BODY_BYTES)

_SIGNATURE: Final = [
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
]


async def _check_headers(request: Request) -> None:
    security_events.attempt("webhook")
    check_signature_headers(request.headers)


def _add_route(event_type: str, event: type[Event]) -> None:
    async def receive(
        request: Request, webhooks: Annotated[Webhooks, provided(Webhooks)]
    ) -> Stored:
        body = await request.body()
        return Stored(stored=await webhooks.receive(event_type, request.headers, body))

    internal_router.add_api_route(
        webhook_path(event_type).removeprefix(internal_router.prefix),
        receive,
        methods=["POST"],
        name=f"receive_{event_type.lower()}",
        description=f"Store a signed {event_type} event (Standard Webhooks), once however often "
        "it comes.",
        dependencies=[Depends(BeforeBody(_check_headers))],
        responses=responses(
            SignatureInvalid, NotificationConflict, DatabaseUnavailable, OutcomeUnknown
        ),
        # the endpoint reads the raw bytes, which the signature covers
        openapi_extra={
            "parameters": _SIGNATURE,
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": event.model_json_schema()}},
            },
        },
    )


for _event_type, _event in EVENTS.items():
    _add_route(_event_type, _event)
