"""Deliveries and the pipeline, for operators."""

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.dependencies import Deps, Operator
from swapshop_api.dispatch import operator_store as store
from swapshop_api.dispatch.problems import DeliveryNotFound, NotRedrivable
from swapshop_api.dispatch.schemas import (
    AttemptOut,
    DeliveryDetail,
    DeliveryOut,
    DeliveryPage,
    PipelineOut,
    State,
)
from swapshop_kit.cursors import DEFAULT_PAGE_SIZE, Cursor, CursorText, PageSize, decode_cursor
from swapshop_kit.ids import is_canonical_id
from swapshop_kit.keyset import split_page
from swapshop_kit.problems import (
    DatabaseUnavailable,
    Forbidden,
    OutcomeUnknown,
    Unauthenticated,
    responses,
)
from swapshop_kit.web import router

public_router = router(prefix="/api", tag="operator")


@public_router.get(
    "/deliveries", responses=responses(Unauthenticated, Forbidden, DatabaseUnavailable)
)
async def list_deliveries(
    container: Deps,
    _: Operator,
    state: State | None = None,
    limit: PageSize = DEFAULT_PAGE_SIZE,
    cursor: CursorText = None,
) -> DeliveryPage:
    """List deliveries, newest first."""
    after = decode_cursor(cursor)
    rows = await container.database.read(lambda c: store.list_page(c, state, after, limit))
    found = [DeliveryOut.model_validate(dict(row)) for row in rows]
    page, next_cursor = split_page(found, limit, lambda each: Cursor(each.created_at, each.id))
    return DeliveryPage(items=list(page), next_cursor=next_cursor)


@public_router.get(
    "/deliveries/{delivery_id}",
    responses=responses(Unauthenticated, Forbidden, DeliveryNotFound, DatabaseUnavailable),
)
async def get_delivery(container: Deps, _: Operator, delivery_id: str) -> DeliveryDetail:
    """Return a delivery with its attempts."""
    return await _find(container, delivery_id)


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
async def redrive_delivery(container: Deps, operator: Operator, delivery_id: str) -> DeliveryDetail:
    """Send a dead or done delivery again, from the first step of the schedule."""
    await container.dispatch.redrive(operator.sub, delivery_id)
    return await _find(container, delivery_id)


@public_router.get(
    "/pipeline", responses=responses(Unauthenticated, Forbidden, DatabaseUnavailable)
)
async def get_pipeline(container: Deps, _: Operator) -> PipelineOut:
    """Tell how many orders stand where on their way."""
    return await container.database.read(store.read_pipeline)


async def _find(container: Deps, delivery_id: str) -> DeliveryDetail:
    if not is_canonical_id(delivery_id):
        raise DeliveryNotFound

    async def read(connection: AsyncConnection) -> DeliveryDetail:
        row = await store.find(connection, delivery_id)
        if row is None:
            raise DeliveryNotFound
        attempts = await store.list_attempts(connection, delivery_id)
        log = [AttemptOut.model_validate(dict(attempt)) for attempt in attempts]
        return DeliveryDetail(**dict(row), attempt_log=log)

    return await container.database.read(read)
