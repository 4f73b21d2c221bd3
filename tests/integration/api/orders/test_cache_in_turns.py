"""The use cases themselves, step by step, on real stores: the protocol is what they follow."""

from collections.abc import Sequence
from typing import Literal

import pytest
from redis.asyncio import Redis
from sqlalchemy import event
from sqlalchemy.engine import Connection

from support.api.orders import customer, operator, order_json, read_order
from support.order_cache.random_interleavings import play
from support.order_cache.weakened_caches import NoFillLease
from support.stores.redis_keys import forget_all
from support.stores.statements import clock_first, counting
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.orders.cache import CachedOrder, Lookup, OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_kit.database import Database


async def test_no_read_shows_an_old_state_in_whatever_order_the_steps_are_taken(
    database: Database, redis: Redis
) -> None:
    played = [await play(seed, database, redis) for seed in range(60)]

    assert [stale for _, stale in played if stale] == []
    assert len({tuple(steps) for steps, _ in played}) == 60


async def test_without_the_fill_lease_one_does(database: Database, redis: Redis) -> None:
    for seed in range(300):
        _, stale = await play(seed, database, redis, NoFillLease)
        if stale:
            return
    pytest.fail("no order of steps showed an old state")


class Diary(OrderCache):
    """Writes down when it is called: after which statements of the database."""

    def __init__(self, redis: Redis, statements: list[str]) -> None:
        super().__init__(redis)
        self.statements = statements
        self.entries: list[str] = []

    def note(self, call: str) -> None:
        kinds = [statement.split()[0] for statement in self.statements]
        self.statements.clear()
        self.entries += [*kinds, call]

    async def read(self, order_id: str) -> Lookup:
        self.note("read")
        return await super().read(order_id)

    async def lease_new(self, order_id: str) -> str | None:
        self.note("lease")
        return await super().lease_new(order_id)

    async def fill(self, order_id: str, lease: str, order: CachedOrder, *, is_final: bool) -> None:
        self.note("fill final" if is_final else "fill")
        await super().fill(order_id, lease, order, is_final=is_final)

    async def run_write(
        self,
        script: Literal["mark", "clear"],
        order_ids: Sequence[str],
        args: list[str | int],
        tries: int,
    ) -> None:
        self.note(script)
        await super().run_write(script, order_ids, args, tries)


async def test_the_cache_is_called_between_the_right_statements(
    database: Database, redis: Redis
) -> None:
    owner = customer()
    with counting(database) as statements:

        @event.listens_for(database.engine.sync_engine, "commit")
        def note(_: Connection) -> None:
            statements.append("COMMIT")

        diary = Diary(redis, statements)
        orders = Orders(database, diary)

        order_id = (await orders.place(owner.sub, read_order(order_json()), None)).order_id
        clock = clock_first(database)
        assert diary.entries == [*clock, "INSERT", "INSERT", "lease", "COMMIT", "fill"]

        diary.entries.clear()
        await forget_all(redis)
        await orders.get(owner, order_id)
        assert diary.entries == ["read", "SELECT", "SELECT", "COMMIT", "fill"]

        diary.entries.clear()
        await Deliveries(database, diary).mark_processed(operator().sub, order_id)
        assert diary.entries == [
            *("SELECT", "SELECT", "mark"),
            *("INSERT", "UPDATE", "INSERT", "SELECT", "SELECT", "COMMIT", "clear"),
        ]

        diary.entries.clear()
        await orders.get(owner, order_id)
        assert diary.entries == ["read", "SELECT", "SELECT", "COMMIT", "fill final"]
