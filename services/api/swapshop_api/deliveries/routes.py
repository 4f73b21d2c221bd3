"""The way of orders to their customers, over HTTP."""

from typing import Annotated

from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.deliveries.problems import DeliveryNotFound, NotRedrivable, OrderBlocked
from swapshop_api.deliveries.schemas import (
    DeliveryDetail,
    DeliveryPage,
    PipelineOut,
    State,
    Timeline,
)
from swapshop_api.dependencies import Caller, Operator
from swapshop_api.orders.problems import OrderNotFound
from swapshop_api.orders.schemas import OrderOut
from swapshop_kit.cursors import DEFAULT_PAGE_SIZE, CursorText, PageSize, decode_cursor
from swapshop_kit.problems import (
    DatabaseUnavailable,
    Forbidden,
    OutcomeUnknown,
    Unauthenticated,
    responses,
)
from swapshop_kit.provided import provided
from swapshop_kit.web import router

order_router = router(prefix="/api/orders", tag="orders")
public_router = router(prefix="/api", tag="operator")

DeliveryCases = Annotated[Deliveries, provided(Deliveries)]


@order_router.get(
    "/{order_id}/timeline", responses=responses(Unauthenticated, OrderNotFound, DatabaseUnavailable)
)
async def get_timeline(deliveries: DeliveryCases, caller: Caller, order_id: str) -> Timeline:
    """Return the life of an order: created, processed, each delivery attempt, notified."""
    return await deliveries.timeline(caller, order_id)


@order_router.post(
    "/{order_id}/mark-processed",
    responses=responses(
        Unauthenticated, Forbidden, OrderNotFound, OrderBlocked, DatabaseUnavailable, OutcomeUnknown
    ),
)
async def mark_processed(deliveries: DeliveryCases, operator: Operator, order_id: str) -> OrderOut:
    """Process an order now; repeating it changes nothing."""
    return await deliveries.mark_processed(operator.sub, order_id)


@public_router.get(
    "/deliveries", responses=responses(Unauthenticated, Forbidden, DatabaseUnavailable)
)
async def list_deliveries(
    deliveries: DeliveryCases,
    _: Operator,
    state: State | None = None,
    limit: PageSize = DEFAULT_PAGE_SIZE,
    cursor: CursorText = None,
) -> DeliveryPage:
    """List deliveries, newest first."""
    return await deliveries.list_page(state, decode_cursor(cursor), limit)


@public_router.get(
    "/deliveries/{delivery_id}",
    responses=responses(Unauthenticated, Forbidden, DeliveryNotFound, DatabaseUnavailable),
)
async def get_delivery(deliveries: DeliveryCases, _: Operator, delivery_id: str) -> DeliveryDetail:
    """Return a delivery with its attempts."""
    return await deliveries.get(delivery_id)


@public_router.post(
    "/deliveries/{delivery_id}/redrive",
    responses=responses(
        Unauthenticated,
        Forbidden,
        DeliveryNotFound,
        NotRedrivable,
        DatabaseUnavailable,
        OutcomeUnknown,
    ),
)
async def redrive_delivery(
    deliveries: DeliveryCases, operator: Operator, delivery_id: str
) -> DeliveryDetail:
    """Send a dead or done delivery again, from the first step of the schedule."""
    await deliveries.redrive(operator.sub, delivery_id)
    return await deliveries.get(delivery_id)


@public_router.get(
    "/pipeline", responses=responses(Unauthenticated, Forbidden, DatabaseUnavailable)
)
async def get_pipeline(deliveries: DeliveryCases, _: Operator) -> PipelineOut:
    """Tell how many orders stand where on their way."""
    return await deliveries.read_pipeline()
