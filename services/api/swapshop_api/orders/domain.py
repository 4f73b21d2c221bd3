"""The use cases of customers: place, read and list orders."""

import asyncio
import hashlib
import json
import math
import secrets
from collections import Counter as Tally
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.orders import store
from swapshop_api.orders.cache import CachedOrder, OrderCache
from swapshop_api.orders.metrics import ORDERS_CREATED
from swapshop_api.orders.problems import (
    IdempotencyInFlight,
    IdempotencyKeyReused,
    OrderNotFound,
    TooManyOrders,
)
from swapshop_api.orders.schemas import (
    OrderIn,
    OrderLine,
    OrderOut,
    OrderPage,
)
from swapshop_api.orders.store import StoredOrder
from swapshop_api.orders.write_limits import WriteLimits
from swapshop_kit.access_tokens import Claims
from swapshop_kit.cursors import Cursor
from swapshop_kit.database import Database, DuplicateKey, LockTimeout
from swapshop_kit.ids import is_canonical_id, new_id
from swapshop_kit.keyset import split_page
from swapshop_kit.problems import OutcomeUnknown

MAX_WAITING_DUPLICATES: Final = 4
"""Requests with the same key that may wait for the first one in this process."""


_ALWAYS_WRITTEN: Final = {"talla": None, "color": None}
"""Of a line: optional fields that were in the first release's fingerprints, absent or not."""

CacheStatus = Literal["HIT", "MISS", "BYPASS"]


@dataclass(frozen=True, slots=True)
class Placed:
    """The order that a request placed, now or, if replayed, at its first arrival."""

    body: bytes
    order_id: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Found:
    """An order's JSON, and how it was served."""

    body: bytes
    cache: CacheStatus


def fingerprint_of(order: OrderIn) -> bytes:
    """Return the SHA-256 of method, route and canonical body: equal orders have equal ones.

    A field that a later release adds is left out at its default: an order that was placed before
    has the same fingerprint when it is repeated after the upgrade.
    """
    body = order.model_dump(mode="json", exclude_defaults=True)
    body["items"] = [_ALWAYS_WRITTEN | line for line in body["items"]]
    canonical = json.dumps(
        ["POST", "/api/orders", body],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).digest()


def as_created(order: OrderOut) -> OrderOut:
    """Return the order as it was answered at its creation, whatever its state is now."""
    return order.model_copy(update={"estado": "PENDING", "processed_at": None})


class Orders:
    """The use cases of orders.

    Args:
        database: of the schema ``swapshop``.
        cache: the cache of orders by id.
        limits: limits on what a customer may place; None admits everything.
    """

    def __init__(
        self, database: Database, cache: OrderCache, limits: WriteLimits | None = None
    ) -> None:
        self._database = database
        self._cache = cache
        self._limits = limits
        self._in_flight: Tally[tuple[str, str]] = Tally()

    async def place(self, user_id: str, order: OrderIn, key: str | None) -> Placed:
        """Place an order; with a key, at most once.

        Raises:
            IdempotencyKeyReused: the key came with another order before.
            IdempotencyInFlight: the first request with the key has not ended.
            TooManyOrders: nothing was stored; a repetition of an order that was is never refused.
            OutcomeUnknown: the COMMIT may have happened; safe to repeat only with a key.
            DatabaseUnavailable: nothing was stored.
        """
        fingerprint = fingerprint_of(order)
        if key is None:
            return await self._insert(user_id, order, None, fingerprint)
        with self._one_of_few(user_id, key):
            try:
                return await self._insert(user_id, order, key, fingerprint)
            except DuplicateKey:
                return await self._replay(user_id, key, fingerprint)
            except LockTimeout as error:
                raise IdempotencyInFlight from error
            except OutcomeUnknown as error:
                raise OutcomeUnknown(retry_after=1) from error

    @contextmanager
    def _one_of_few(self, user_id: str, key: str) -> Generator[None]:
        """Refuse a duplicate beyond the few that may each hold a database connection."""
        place = (user_id, key)
        if self._in_flight[place] > MAX_WAITING_DUPLICATES:
            raise IdempotencyInFlight
        self._in_flight[place] += 1
        try:
            yield
        finally:
            self._in_flight[place] -= 1
            if not self._in_flight[place]:
                del self._in_flight[place]

    async def _insert(
        self, user_id: str, order: OrderIn, key: str | None, fingerprint: bytes
    ) -> Placed:
        order_id = new_id()
        lease: str | None = None
        is_admitted = False

        async def work(connection: AsyncConnection) -> datetime:
            nonlocal lease, is_admitted
            created_at = await store.insert_order(
                connection,
                order_id=order_id,
                user_id=user_id,
                order=order,
                idempotency_key=key,
                fingerprint=fingerprint,
            )
            # After the INSERT, which finds a repetition: that one costs the customer nothing.
            if not is_admitted:
                lease = await self._admit(user_id, order_id, order)
                is_admitted = True
            return created_at

        created_at = await self._database.transaction(work, retry_lock_timeout=key is None)
        ORDERS_CREATED.inc()
        body = _new_order(order_id, order, created_at).model_dump_json().encode()
        if lease is not None:
            await self._cache.fill(order_id, lease, CachedOrder(user_id, body), is_final=False)
        return Placed(body, order_id, replayed=False)

    async def _admit(self, user_id: str, order_id: str, order: OrderIn) -> str | None:
        """Count the order against its customer's limits and take its fill lease, side by side."""
        if self._limits is None:
            return await self._cache.lease_new(order_id)
        size = len(order.model_dump_json().encode())
        async with asyncio.TaskGroup() as tasks:
            lease = tasks.create_task(self._cache.lease_new(order_id))
            wait = tasks.create_task(self._limits.spend(user_id, size))
        if wait.result() > 0:
            raise TooManyOrders(retry_after=math.ceil(wait.result()))
        return lease.result()

    async def _replay(self, user_id: str, key: str, fingerprint: bytes) -> Placed:
        found = await self._database.read(lambda c: store.find_by_key(c, user_id, key))
        if found is None:
            raise IdempotencyInFlight  # the first one was rolled back after it had blocked us
        if not secrets.compare_digest(found.fingerprint, fingerprint):
            raise IdempotencyKeyReused(order_id=found.order.id)
        body = as_created(found.order).model_dump_json().encode()
        return Placed(body, found.order.id, replayed=True)

    async def get(self, caller: Claims, order_id: str) -> Found:
        """Return an order that the caller may see.

        Raises:
            OrderNotFound: no such order, or another customer's.
            DatabaseUnavailable: it was not cached, and the database is away.
        """
        if not is_canonical_id(order_id):
            raise OrderNotFound
        lookup = await self._cache.read(order_id)
        if lookup.order is not None:
            check_owner(caller, lookup.order.user_id)
            return Found(lookup.order.body, "HIT")
        found = await self._find(order_id)
        body = found.order.model_dump_json().encode()
        if lookup.lease is not None and not found.from_read_only:
            await self._cache.fill(
                order_id,
                lookup.lease,
                CachedOrder(found.user_id, body),
                is_final=found.order.estado == "PROCESSED",
            )
        check_owner(caller, found.user_id)
        return Found(body, "MISS" if lookup.lease is not None else "BYPASS")

    async def _find(self, order_id: str) -> StoredOrder:
        found = await self._database.read(lambda c: store.find(c, order_id))
        if found is None:
            raise OrderNotFound
        return found

    async def list_page(
        self,
        caller: Claims,
        estado: Literal["PENDING", "PROCESSED"] | None,
        after: Cursor | None,
        limit: int,
    ) -> OrderPage:
        """Return a page of the caller's orders, or of everybody's for an operator."""
        user_id = None if caller.is_operator else caller.sub
        rows = await self._database.read(
            lambda c: store.list_page(c, user_id=user_id, estado=estado, after=after, limit=limit)
        )
        page, cursor = split_page(rows, limit, lambda order: Cursor(order.created_at, order.id))
        return OrderPage.model_construct(items=list(page), next_cursor=cursor)


def check_owner(caller: Claims, user_id: str) -> None:
    """Raise OrderNotFound unless the caller owns the order or is an operator."""
    if caller.sub != user_id and not caller.is_operator:
        raise OrderNotFound


def _new_order(order_id: str, order: OrderIn, created_at: datetime) -> OrderOut:
    lines = [OrderLine.model_construct(**line.model_dump()) for line in order.items]
    return OrderOut.model_construct(
        **order.model_dump(exclude={"items"}),
        id=order_id,
        items=lines,
        total=order.total,
        estado="PENDING",
        created_at=created_at,
        processed_at=None,
    )
