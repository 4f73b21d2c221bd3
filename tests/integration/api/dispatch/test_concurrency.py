"""Many pollers, many customers and an operator at once, on MariaDB with Redis.

Whatever a call raises, a deadlock or a 503 too, fails the test: no client may see one.
"""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from support.api.dispatch import CUSTOMER, OPERATOR, Pipeline, order_in, result
from support.stores.pairs import Stores
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.dispatch.models import deliveries, delivery_attempts, leases
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.models import orders
from swapshop_kit.database import Database, create_engine

WORKERS = 12
CLIENTS = 15
ORDERS_PER_CLIENT = 20
ROUNDS = 4

pytestmark = [
    pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True),
    pytest.mark.timeout(120),
]


@dataclass
class Ledger:
    """Who holds what, as the workers see it: a delivery that two hold at once is an error."""

    total: int
    held: dict[str, str] = field(default_factory=dict[str, str])
    claims: int = 0
    delivered: set[str] = field(default_factory=set[str])

    @property
    def is_complete(self) -> bool:
        return len(self.delivered) == self.total

    def take(self, token: str, ids: list[str]) -> None:
        for id_ in ids:
            assert id_ not in self.held, f"{id_} was claimed while a live lease held it"
            assert id_ not in self.delivered, f"{id_} was claimed after it was delivered"
            self.held[id_] = token
        self.claims += len(ids)

    def give_back(self, ids: list[str]) -> None:
        for id_ in ids:
            del self.held[id_]


@asynccontextmanager
async def pod(stores: Stores, cache: OrderCache) -> AsyncGenerator[Pipeline]:
    """An api process's part: an engine of its own."""
    database = Database(create_engine(stores.database_url, pool_size=5))
    try:
        yield Pipeline(
            database,
            Orders(database, cache),
            Dispatch(database, cache),
            Deliveries(database, cache),
        )
    finally:
        await database.close()


async def insert(pipeline: Pipeline, count: int) -> None:
    for _ in range(count):
        await pipeline.orders.place(CUSTOMER, order_in("Ana", "rojo", None), None)


async def work(pipeline: Pipeline, ledger: Ledger, dice: random.Random) -> None:
    """Lease and report until all is delivered; some claims fail, are given back or abandoned."""
    while not ledger.is_complete:
        claim = await pipeline.lease(limit=dice.randint(1, 20))
        ledger.take(claim.token, claim.ids)
        if not claim.ids:
            await asyncio.sleep(0.005)  # as a poller between two calls
            continue
        ids = list(claim.ids)
        dice.shuffle(ids)
        if dice.random() < 0.1:
            ledger.give_back(ids)
            await pipeline.expire(claim.token)
            continue
        released = [id_ for id_ in ids if dice.random() < 0.1]
        done = [id_ for id_ in ids if id_ not in released]
        ledger.delivered.update(done)
        ledger.give_back(ids)
        answers = await pipeline.report(
            claim.token, *map(result, done), *(result(id_, "released") for id_ in released)
        )
        assert answers == ["applied"] * len(ids)


async def test_twelve_workers_claim_each_delivery_once_while_fifteen_clients_insert(
    pipeline: Pipeline, stores: Stores, cache: OrderCache
) -> None:
    """No lease runs out, nothing fails: each delivery is claimed exactly once."""
    ledger = Ledger(CLIENTS * ORDERS_PER_CLIENT)

    async def deliver(dice: random.Random) -> None:
        async with pod(stores, cache) as worker:
            while not ledger.is_complete:
                claim = await worker.lease(limit=dice.randint(1, 20))
                ledger.take(claim.token, claim.ids)
                if not claim.ids:
                    await asyncio.sleep(0.005)  # as a poller between two calls
                    continue
                answers = await worker.report(claim.token, *map(result, claim.ids))
                assert answers == ["applied"] * len(claim.ids)
                ledger.delivered.update(claim.ids)
                ledger.give_back(claim.ids)

    async with asyncio.TaskGroup() as tasks:
        for seed in range(WORKERS):
            tasks.create_task(deliver(random.Random(seed)))
        for _ in range(CLIENTS):
            tasks.create_task(insert(pipeline, ORDERS_PER_CLIENT))
    assert ledger.claims == ledger.total
    assert await pipeline.count(deliveries, deliveries.c.state == "DONE") == ledger.total
    assert await pipeline.count(deliveries) == ledger.total
    assert await pipeline.count(orders, orders.c.estado == "PROCESSED") == ledger.total
    assert await pipeline.count(delivery_attempts) == ledger.total
    assert await pipeline.audited() == []


async def test_workers_that_fail_and_die_lose_nothing(
    pipeline: Pipeline, stores: Stores, cache: OrderCache
) -> None:
    ledger = Ledger(CLIENTS * 8)

    async def worker(seed: int) -> None:
        async with pod(stores, cache) as own:
            await work(own, ledger, random.Random(seed))

    async with asyncio.TaskGroup() as tasks:
        for seed in range(WORKERS):
            tasks.create_task(worker(seed))
        for _ in range(CLIENTS):
            tasks.create_task(insert(pipeline, 8))
    assert await pipeline.count(deliveries, deliveries.c.state == "DONE") == ledger.total
    assert await pipeline.count(deliveries) == ledger.total
    assert await pipeline.count(delivery_attempts) == ledger.claims


async def test_leases_reports_and_marks_in_any_order_never_deadlock(pipeline: Pipeline) -> None:
    """Each round: late reports of many tokens, leases, and an operator, all on the same rows."""
    dice = random.Random(1)
    for _ in range(ROUNDS):
        abandoned = await pipeline.ready(12)
        (late,) = [claim for claim in await pipeline.abandon(limit=12) if claim.ids]
        assert sorted(late.ids) == sorted(abandoned)
        pending = await pipeline.place(12)
        dice.shuffle(pending)
        calls = [
            *(pipeline.deliveries.mark_processed(OPERATOR, id_) for id_ in pending),
            *(pipeline.report(late.token, result(id_)) for id_ in abandoned),
            pipeline.report(late.token, *map(result, reversed(late.ids))),
            *(pipeline.lease(limit=6) for _ in range(8)),
        ]
        dice.shuffle(calls)
        async with asyncio.TaskGroup() as tasks:
            for call in calls:
                tasks.create_task(call)
        assert set(await pipeline.states(*abandoned)) == {"DONE"}
        await pipeline.change(deliveries, deliveries.c.state == "READY", state="DONE")
        await pipeline.change(deliveries, deliveries.c.state == "LEASED", state="DONE")
    assert await pipeline.count(orders, orders.c.estado == "PENDING") == 0
    assert await pipeline.count(deliveries) == ROUNDS * 24
    assert await pipeline.count(leases) == ROUNDS * 9
