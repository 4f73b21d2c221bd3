"""The dispatch on a real database: what pollers do, and looks at the rows behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit.models import audit
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.dispatch.models import LEASED, READY, deliveries, delivery_attempts
from swapshop_api.dispatch.schemas import LeasedDelivery, LeaseIn, Outcome, ResultIn
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.models import orders as order_table
from swapshop_api.orders.schemas import OrderIn, OrderLineIn
from swapshop_kit.database import Database
from swapshop_kit.dialect import utc_now
from swapshop_kit.ids import new_id

Rows = list[dict[str, Any]]

CUSTOMER = "018f0000-0000-7000-8000-000000000001"
OPERATOR = "018f0000-0000-7000-8000-000000000002"
POLLER = "poller"


def order_in(cliente: str = "Ana Muñoz", *colors: str | None) -> OrderIn:
    """An order of one line, or of a line for each colour; a line costs 19.90."""
    line = OrderLineIn(producto="Camisa", cantidad=1, precio_unitario=Decimal("19.90"))
    return OrderIn(
        cliente=cliente,
        items=[line.model_copy(update={"color": color}) for color in colors or (None,)],
    )


def result(delivery_id: str, outcome: Outcome = "delivered", **more: Any) -> ResultIn:
    """The result of a delivery; by default delivered with 200."""
    values: dict[str, Any] = {"status": 200} if outcome == "delivered" else {}
    return ResultIn(delivery_id=delivery_id, outcome=outcome, **(values | more))


@dataclass(frozen=True)
class Claim:
    """The deliveries that a lease call claimed."""

    token: str
    remaining_ms: int
    deliveries: Sequence[LeasedDelivery]

    @property
    def ids(self) -> list[str]:
        """Ids of the deliveries, in the answer's order."""
        return [delivery.id for delivery in self.deliveries]


@dataclass(frozen=True)
class Everything:
    """One of each kind that a lease call finds: two orders, and three deliveries of older ones."""

    fresh: str
    blocked: str
    due: str
    expired: str
    poison: str


@dataclass(frozen=True)
class Pipeline:
    """Orders on their way, and the dispatch."""

    database: Database
    orders: Orders
    dispatch: Dispatch
    deliveries: Deliveries

    # --- what customers and pollers do ---

    async def place(self, count: int = 1, order: OrderIn | None = None) -> list[str]:
        """Place orders, and return their ids."""
        placed = [
            await self.orders.place(CUSTOMER, order or order_in(), None) for _ in range(count)
        ]
        return [each.order_id for each in placed]

    async def lease(
        self, token: str | None = None, *, limit: int = 100, seconds: int = 60
    ) -> Claim:
        """Claim what is due, under a new token unless one is given."""
        token = token or new_id()
        wanted = LeaseIn(lease_token=token, limit=limit, lease_seconds=seconds)
        answer = await self.dispatch.lease(POLLER, wanted)
        return Claim(token, answer.remaining_ms, answer.deliveries)

    async def report(self, token: str, *results: ResultIn) -> list[str]:
        """Report, and return ``applied`` or ``stale`` for each result."""
        answer = await self.dispatch.report(token, results)
        assert [each.delivery_id for each in answer.results] == [r.delivery_id for r in results]
        return [each.result for each in answer.results]

    async def ready(self, count: int) -> list[str]:
        """Place and process orders, and return the ids of their deliveries, oldest first."""
        order_ids = await self.place(count)
        for order_id in order_ids:
            await self.deliveries.mark_processed(OPERATOR, order_id)
        by_order = {row["order_id"]: row["id"] for row in await self.rows(deliveries)}
        return [by_order[order_id] for order_id in order_ids]

    async def everything_at_once(self) -> Everything:
        """Make one of each kind of what a lease call finds."""
        due, expired, poison = await self.ready(3)
        for id_, unreported_claims in ((expired, 1), (poison, 5)):
            await self.change(
                deliveries,
                deliveries.c.id == id_,
                state=LEASED,
                lease_token=id_,
                lease_until=past(),
                unreported_claims=unreported_claims,
            )
        fresh, blocked = await self.place(2)
        await self.break_order(blocked)
        return Everything(fresh, blocked, due, expired, poison)

    # --- how time goes by ---

    async def expire(self, token: str) -> None:
        """Let a lease run out now."""
        await self.change(deliveries, deliveries.c.lease_token == token, lease_until=past())

    async def make_due(self, *ids: str) -> None:
        """Let READY deliveries wait no longer."""
        here = deliveries.c.id.in_(ids) & (deliveries.c.state == READY)
        await self.change(deliveries, here, next_attempt_at=past())

    async def abandon(self, *, limit: int = 100, times: int = 1) -> list[Claim]:
        """Claim, have the answer in hand, and die before reporting, so many times."""
        claims: list[Claim] = []
        for _ in range(times):
            claims.append(await self.lease(limit=limit))
            await self.dispatch.confirm(claims[-1].token)
            await self.expire(claims[-1].token)
        return claims

    async def lose_answers(self, *, limit: int = 100, times: int = 1) -> list[Claim]:
        """Claim, and let the answer get lost and the lease run out, so many times."""
        claims: list[Claim] = []
        for _ in range(times):
            claims.append(await self.lease(limit=limit))
            await self.expire(claims[-1].token)
        return claims

    # --- the rows ---

    async def change(self, table: Table, where: Any, **values: Any) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(table).where(where).values(**values))

        await self.database.transaction(work)

    async def rows(self, table: Table) -> Rows:
        """All rows of a table, in the order of their keys."""

        async def read(connection: AsyncConnection) -> Rows:
            query = select(table).order_by(*table.primary_key)
            return [dict(row) for row in (await connection.execute(query)).mappings()]

        return await self.database.read(read)

    async def row(self, table: Table, id_: str) -> dict[str, Any]:
        return next(row for row in await self.rows(table) if row["id"] == id_)

    async def delivery(self, id_: str) -> dict[str, Any]:
        return await self.row(deliveries, id_)

    async def states(self, *ids: str) -> list[str]:
        """The states of deliveries; of all, in the order of their ids, if none is named."""
        found = {row["id"]: row["state"] for row in await self.rows(deliveries)}
        return [found[id_] for id_ in ids or sorted(found)]

    async def outcomes(self, token: str) -> dict[str, str | None]:
        """The reported outcomes of the claims under a token."""
        return {
            row["delivery_id"]: row["outcome"]
            for row in await self.rows(delivery_attempts)
            if row["lease_token"] == token
        }

    async def audited(self) -> list[tuple[str, str, str, str | None]]:
        """Actor, action, subject and detail of each entry, oldest first, without those of marks."""
        return [
            (row["actor"], row["action"], row["subject"], row["detail"])
            for row in await self.rows(audit)
            if row["action"] != "order.processed"
        ]

    async def seconds_to(self, delivery_id: str) -> float:
        """How long until a delivery's next attempt, by the database's clock."""

        async def read(connection: AsyncConnection) -> float:
            query = select(deliveries.c.next_attempt_at, utc_now().label("now"))
            row = (await connection.execute(query.where(deliveries.c.id == delivery_id))).one()
            return (row.next_attempt_at - row.now).total_seconds()

        return await self.database.read(read)

    async def count(self, table: Table, *where: Any) -> int:
        query = select(func.count()).select_from(table).where(*where)

        async def read(connection: AsyncConnection) -> int:
            return (await connection.execute(query)).scalar_one()

        return await self.database.read(read)

    async def break_order(self, order_id: str) -> None:
        """Make an order contradict itself, so that it cannot be promoted."""
        await self.change(order_table, order_table.c.id == order_id, total=Decimal("0.01"))

    async def insert_rows(self, table: Table, rows: Rows) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(table), rows)

        await self.database.transaction(work)


def past(seconds: float = 1.0) -> utc_now:
    """A moment before now, by the database's clock."""
    return utc_now(-timedelta(seconds=seconds))
