"""The use cases of those who follow orders on their way: the timeline, and what operators do."""

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit import store as audit
from swapshop_api.audit.models import PROCESS_ACTION, REDRIVE_ACTION
from swapshop_api.deliveries import store
from swapshop_api.deliveries.problems import DeliveryNotFound, NotRedrivable, OrderBlocked
from swapshop_api.deliveries.schemas import (
    AttemptOut,
    DeliveryDetail,
    DeliveryOut,
    DeliveryPage,
    PipelineOut,
    State,
    Timeline,
    TimelineEvent,
)
from swapshop_api.dispatch.metrics import ORDERS_PROCESSED
from swapshop_api.dispatch.models import DEAD, DONE
from swapshop_api.dispatch.promotion import promote
from swapshop_api.dispatch.store import lock_deliveries
from swapshop_api.orders import store as order_store
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import check_owner
from swapshop_api.orders.problems import OrderNotFound
from swapshop_api.orders.schemas import OrderOut
from swapshop_api.orders.store import StoredOrder
from swapshop_kit.access_tokens import Claims
from swapshop_kit.cursors import Cursor
from swapshop_kit.database import Database
from swapshop_kit.ids import is_canonical_id
from swapshop_kit.keyset import split_page


class Deliveries:
    """The use cases of customers and operators who follow orders.

    Args:
        database: of the schema ``swapshop``.
        cache: of orders, which ``mark_processed`` changes.
    """

    def __init__(self, database: Database, cache: OrderCache) -> None:
        self._database = database
        self._cache = cache

    async def timeline(self, caller: Claims, order_id: str) -> Timeline:
        """Return the life of an order that the caller may see, oldest step first.

        Raises:
            OrderNotFound: no such order, or another customer's.
        """
        if not is_canonical_id(order_id):
            raise OrderNotFound
        found = await self._database.read(lambda c: order_store.find(c, order_id))
        if found is None:
            raise OrderNotFound
        check_owner(caller, found.user_id)
        rows = await self._database.read(lambda c: store.read_attempts(c, order_id))
        events = [TimelineEvent(at=found.order.created_at, event="created")]
        if found.order.processed_at is not None:
            events.append(TimelineEvent(at=found.order.processed_at, event="processed"))
        events += [
            TimelineEvent(
                at=row["claimed_at"],
                event="attempt",
                outcome=row["outcome"],
                status=row["status"],
                error=row["error"] if caller.is_operator else None,
            )
            for row in rows
            if row["claimed_at"] is not None
        ]
        if rows and rows[0]["done_at"] is not None:
            events.append(TimelineEvent(at=rows[0]["done_at"], event="notified"))
        return Timeline(items=events)

    async def mark_processed(self, operator: str, order_id: str) -> OrderOut:
        """Promote an order now; an order that is already PROCESSED does not change.

        Raises:
            OrderNotFound: no such order.
            OrderBlocked: its data contradicts itself.
        """
        if not is_canonical_id(order_id):
            raise OrderNotFound
        marks = self._cache.dirty_marks()

        async def work(connection: AsyncConnection) -> tuple[StoredOrder | None, bool]:
            promotion = await promote(connection, [order_id], marks)
            processed = [audit.Entry(PROCESS_ACTION, promoted) for promoted in promotion.promoted]
            await audit.record_all(connection, operator, [*promotion.blocked, *processed])
            return await order_store.find(connection, order_id), bool(promotion.promoted)

        try:
            found, changed = await self._database.transaction(work)
        finally:
            await marks.clear()
        if changed:
            ORDERS_PROCESSED.inc()
        if found is None:
            raise OrderNotFound
        if found.order.estado == "PENDING":
            raise OrderBlocked
        return found.order

    async def list_page(
        self, state: State | None, after: Cursor | None, limit: int
    ) -> DeliveryPage:
        """Return a page of deliveries, newest first."""
        rows = await self._database.read(lambda c: store.list_page(c, state, after, limit))
        found = [DeliveryOut.model_validate(dict(row)) for row in rows]
        page, next_cursor = split_page(found, limit, lambda each: Cursor(each.created_at, each.id))
        return DeliveryPage(items=list(page), next_cursor=next_cursor)

    async def get(self, delivery_id: str) -> DeliveryDetail:
        """Return a delivery with its attempts.

        Raises:
            DeliveryNotFound: no delivery has this id.
        """
        if not is_canonical_id(delivery_id):
            raise DeliveryNotFound

        async def read(connection: AsyncConnection) -> DeliveryDetail:
            row = await store.find(connection, delivery_id)
            if row is None:
                raise DeliveryNotFound
            attempts = await store.list_attempts(connection, delivery_id)
            log = [AttemptOut.model_validate(dict(attempt)) for attempt in attempts]
            return DeliveryDetail(**dict(row), attempt_log=log)

        return await self._database.read(read)

    async def read_pipeline(self) -> PipelineOut:
        """Count the orders and deliveries in each state."""
        return await self._database.read(store.read_pipeline)

    async def redrive(self, operator: str, delivery_id: str) -> None:
        """Send a DEAD or DONE delivery again, from the first step of the schedule; audited.

        Raises:
            DeliveryNotFound: no such delivery.
            NotRedrivable: it is neither DEAD nor DONE.
        """
        if not is_canonical_id(delivery_id):
            raise DeliveryNotFound

        async def work(connection: AsyncConnection) -> None:
            found = (await lock_deliveries(connection, [delivery_id])).get(delivery_id)
            if found is None:
                raise DeliveryNotFound
            if found["state"] not in (DEAD, DONE):
                raise NotRedrivable
            await store.redrive(connection, delivery_id)
            await audit.record(
                connection,
                actor=operator,
                action=REDRIVE_ACTION,
                subject=delivery_id,
                detail=found["state"],
            )

        await self._database.transaction(work)
