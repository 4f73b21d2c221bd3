"""Orders on real stores whose users take their steps in turns, in an order that a seed decides."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Literal, TypeVar

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.orders import customer, operator, order_json, read_order
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.orders.cache import CachedOrder, Lookup, OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.problems import OrderNotFound
from swapshop_kit.database import Database

Value = TypeVar("Value")
_user: ContextVar[str] = ContextVar("user")


class Turns:
    """Lets one user take one step at a time: all others wait before their next.

    Args:
        seed: decides who is next.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._waiting: dict[str, tuple[str, asyncio.Future[None]]] = {}
        self._moved = asyncio.Event()
        self.steps: list[str] = []
        self.is_locked = False
        self.order_id = ""

    async def take(self, step: str) -> None:
        """Wait for the turn to take a step."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[_user.get()] = (step, turn)
        self._moved.set()
        await turn

    async def run(self, users: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        """Run users to their end; the first exception of one ends all."""
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(self._use(name, use)) for name, use in users.items()}
            for name in tasks:
                await self._settled(name, tasks)
            while self._waiting:
                name = self._random.choice([name for name in self._waiting if self._may(name)])
                step, turn = self._waiting.pop(name)
                self.steps.append(f"{name} {step}")
                turn.set_result(None)
                await self._settled(name, tasks)

    def _may(self, name: str) -> bool:
        step, _ = self._waiting[name]
        if step == "know":  # nobody knows of an order before its row exists
            return bool(self.order_id)
        return not (step == "lock" and self.is_locked)

    async def _settled(self, name: str, tasks: Mapping[str, asyncio.Task[None]]) -> None:
        while name not in self._waiting and not tasks[name].done():
            self._moved.clear()
            await self._moved.wait()

    async def _use(self, name: str, use: Callable[[], Awaitable[None]]) -> None:
        _user.set(name)
        try:
            await use()
        finally:
            self._moved.set()


class DatabaseInTurns(Database):
    """A database whose transactions take turns at the lock, and before COMMIT."""

    def __init__(self, database: Database, turns: Turns) -> None:
        super().__init__(database.engine)
        self._turns = turns

    async def transaction(
        self,
        work: Callable[[AsyncConnection], Awaitable[Value]],
        *,
        retry_lock_timeout: bool = True,
    ) -> Value:
        async def work_in_turns(connection: AsyncConnection) -> Value:
            result = await work(connection)
            await self._turns.take("commit")
            return result

        await self._turns.take("lock")
        self._turns.is_locked = True
        try:
            return await super().transaction(work_in_turns, retry_lock_timeout=retry_lock_timeout)
        finally:
            self._turns.is_locked = False

    async def read(self, work: Callable[[AsyncConnection], Awaitable[Value]]) -> Value:
        await self._turns.take("read")
        return await super().read(work)


class CacheInTurns(OrderCache):
    """A cache, or a simpler one, each of whose calls takes a turn."""

    def __init__(self, base: Callable[[Redis], OrderCache], redis: Redis, turns: Turns) -> None:
        super().__init__(redis)
        self._base = base(redis)
        self._turns = turns

    async def read(self, order_id: str) -> Lookup:
        await self._turns.take("look up")
        return await self._base.read(order_id)

    async def lease_new(self, order_id: str) -> str | None:
        self._turns.order_id = order_id
        await self._turns.take("lease")
        return await self._base.lease_new(order_id)

    async def fill(self, order_id: str, lease: str, order: CachedOrder, *, is_final: bool) -> None:
        await self._turns.take("fill")
        await self._base.fill(order_id, lease, order, is_final=is_final)

    async def run_write(
        self,
        script: Literal["mark", "clear"],
        order_ids: Sequence[str],
        args: list[str | int],
        tries: int,
    ) -> None:
        if order_ids:
            await self._turns.take(script)
        await self._base.run_write(script, order_ids, args, tries)


async def play(
    seed: int, database: Database, redis: Redis, base: Callable[[Redis], OrderCache] = OrderCache
) -> tuple[list[str], list[str]]:
    """Let a creator, two writers and three readers use one order; return steps and stale reads.

    Each reader reads twice. A read is stale if it began after a writer was answered, or after a
    reader was shown PROCESSED, and shows PENDING all the same.
    """
    turns = Turns(seed)
    stores = DatabaseInTurns(database, turns), CacheInTurns(base, redis, turns)
    orders, deliveries = Orders(*stores), Deliveries(*stores)
    owner = customer()
    known = False
    stale: list[str] = []

    async def create() -> None:
        await orders.place(owner.sub, read_order(order_json()), None)

    async def write() -> None:
        nonlocal known
        await turns.take("know")
        answer = await deliveries.mark_processed(operator().sub, turns.order_id)
        assert answer.estado == "PROCESSED"
        known = True

    async def read() -> None:
        nonlocal known
        await turns.take("know")
        for _ in range(2):
            began_knowing = known
            try:
                found = await orders.get(owner, turns.order_id)
            except OrderNotFound:
                continue  # not committed yet
            if b'"estado":"PROCESSED"' in found.body:
                known = True
            elif began_knowing:
                stale.append(f"{_user.get()} after {turns.steps[-1]}")

    users = {f"reader {n}": read for n in range(3)} | {f"writer {n}": write for n in range(2)}
    await turns.run({"creator": create, **users})
    return turns.steps, stale
