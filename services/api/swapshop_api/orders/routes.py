"""Orders over HTTP."""

import re
from typing import Annotated, Final

from fastapi import Header, Response

from swapshop_api.dependencies import Caller
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.problems import (
    IdempotencyInFlight,
    IdempotencyKeyReused,
    OrderNotFound,
    TooManyOrders,
)
from swapshop_api.orders.schemas import Estado, OrderIn, OrderOut, OrderPage
from swapshop_kit.cursors import DEFAULT_PAGE_SIZE, CursorText, PageSize, decode_cursor
from swapshop_kit.problems import (
    DatabaseUnavailable,
    FieldError,
    InvalidRequest,
    OutcomeUnknown,
    Unauthenticated,
    responses,
)
from swapshop_kit.provided import provided
from swapshop_kit.web import router

MAX_ORDER_BYTES: Final = 256 * 1024

public_router = router(prefix="/api/orders", tag="orders", max_body_bytes=MAX_ORDER_BYTES)

OrderCases = Annotated[Orders, provided(Orders)]

_is_idempotency_key = re.compile(r"[\x20-\x7e]{1,255}").fullmatch
_JSON: Final = "application/json"


def _order_response(
    status: int, description: str, **headers: str
) -> dict[int | str, dict[str, object]]:
    return {
        status: {
            "description": description,
            "model": OrderOut,
            "headers": {
                name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
                for name, text in headers.items()
            },
        }
    }


@public_router.post(
    "",
    status_code=201,
    response_class=Response,
    responses=_order_response(
        201,
        "The order, or the one that the same key placed before.",
        Location="Where the order stands.",
        Idempotency_Replayed="true when an earlier request placed it.",
    )
    | responses(
        Unauthenticated,
        IdempotencyInFlight,
        IdempotencyKeyReused,
        TooManyOrders,
        InvalidRequest,
        DatabaseUnavailable,
        OutcomeUnknown,
    ),
)
async def create_order(
    orders: OrderCases,
    caller: Caller,
    order: OrderIn,
    idempotency_key: Annotated[
        str | None, Header(description="1..255 printable ASCII characters, chosen by the client.")
    ] = None,
) -> Response:
    """Place an order; repeated with the same Idempotency-Key it is placed once."""
    if idempotency_key is not None and not _is_idempotency_key(idempotency_key):
        raise InvalidRequest(errors=[FieldError("idempotency-key", "idempotency_key_invalid")])
    placed = await orders.place(caller.sub, order, idempotency_key)
    headers = {"Location": f"/api/orders/{placed.order_id}"}
    if placed.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(placed.body, status_code=201, media_type=_JSON, headers=headers)


_LIST_PROBLEMS: Final = responses(Unauthenticated, DatabaseUnavailable)


@public_router.get("", responses=_LIST_PROBLEMS)
async def list_orders(
    orders: OrderCases,
    caller: Caller,
    estado: Estado | None = None,
    limit: PageSize = DEFAULT_PAGE_SIZE,
    cursor: CursorText = None,
) -> OrderPage:
    """List one's own orders, or everybody's for an operator, newest first."""
    return await orders.list_page(caller, estado, decode_cursor(cursor), limit)


@public_router.get("/pending", responses=_LIST_PROBLEMS)
async def list_pending_orders(
    orders: OrderCases,
    caller: Caller,
    limit: PageSize = DEFAULT_PAGE_SIZE,
    cursor: CursorText = None,
) -> OrderPage:
    """List the orders that are not processed yet, newest first."""
    return await orders.list_page(caller, "PENDING", decode_cursor(cursor), limit)


@public_router.get("/processed", responses=_LIST_PROBLEMS)
async def list_processed_orders(
    orders: OrderCases,
    caller: Caller,
    limit: PageSize = DEFAULT_PAGE_SIZE,
    cursor: CursorText = None,
) -> OrderPage:
    """List the processed orders, newest first."""
    return await orders.list_page(caller, "PROCESSED", decode_cursor(cursor), limit)


@public_router.get(
    "/{order_id}",
    response_class=Response,
    responses=_order_response(200, "The order.", X_Cache="HIT, MISS or BYPASS: how it was read.")
    | responses(Unauthenticated, OrderNotFound, DatabaseUnavailable),
)
async def get_order(orders: OrderCases, caller: Caller, order_id: str) -> Response:
    """Return an order of one's own, or any for an operator."""
    found = await orders.get(caller, order_id)
    return Response(found.body, media_type=_JSON, headers={"X-Cache": found.cache})
