"""Redis away, silent, or failing for writers: slower, at worst stale for 32 s, never an error."""

from collections.abc import AsyncGenerator, Generator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from support.api.orders import customer, operator, order_json, read_order
from support.counters import rise_of
from support.servers.processes import free_port
from support.skips import skipping_without_server
from support.stores.redis_commands import listing_commands
from support.stores.redis_keys import forget_all, pass_time
from support.stores.servers import RedisServer, redis_server, valkey
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.orders.cache import LEASE_MS, PENDING_SECONDS, CachedOrder, OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_kit.access_tokens import Claims
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_kit.redis import CIRCUIT_OPEN_SECONDS, Circuit, create_redis

STALE_MS = 32_000
ORDER_ID, OWNER = new_id(), new_id()


@pytest.fixture(scope="module", params=[valkey, redis_server])
def own_server(request: pytest.FixtureRequest) -> Generator[RedisServer]:
    """A Redis that may be held and killed."""
    with skipping_without_server(), request.param() as server:
        yield server


class Clock:
    """Monotonic seconds, moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def own_redis(own_server: RedisServer) -> AsyncGenerator[Redis]:
    """A client that gives up soon, as a service does, if not as soon: this machine may be busy."""
    redis = create_redis(own_server.url, seconds=1.0)
    yield redis
    await redis.aclose()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    return Circuit(clock)


@pytest.fixture
def orders(sqlite_database: Database, own_redis: Redis, circuit: Circuit) -> Orders:
    return Orders(sqlite_database, OrderCache(own_redis, circuit=circuit))


@pytest.fixture
def deliveries(sqlite_database: Database, own_redis: Redis, circuit: Circuit) -> Deliveries:
    return Deliveries(sqlite_database, OrderCache(own_redis, circuit=circuit))


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncGenerator[Database]:
    database = Database(create_engine(sqlite_url))
    yield database
    await database.close()


class Counters:
    """What has been counted since."""

    def __init__(self) -> None:
        self._reads = {
            result: rise_of("swapshop_cache_requests_total", cache="orders", result=result)
            for result in ("hit", "miss", "bypass", "error")
        }
        self._writes = {
            script: rise_of("swapshop_cache_write_failures_total", script=script)
            for script in ("mark", "clear")
        }

    def reads(self) -> dict[str, int]:
        return {result: rise() for result, rise in self._reads.items() if rise()}

    def failed_writes(self) -> dict[str, int]:
        return {script: rise() for script, rise in self._writes.items() if rise()}


async def place(orders: Orders, owner: Claims) -> str:
    return (await orders.place(owner.sub, read_order(order_json()), None)).order_id


async def test_reads_go_to_the_database_while_redis_is_silent_and_come_back(
    own_server: RedisServer, orders: Orders, clock: Clock
) -> None:
    owner = customer()
    order_id = await place(orders, owner)
    assert (await orders.get(owner, order_id)).cache == "HIT"
    counters = Counters()

    with own_server.paused():
        bodies = {(await orders.get(owner, order_id)).body for _ in range(3)}
        first_second = counters.reads()
        clock.now += CIRCUIT_OPEN_SECONDS
        bodies |= {(await orders.get(owner, order_id)).body for _ in range(3)}
        second_second = counters.reads()
    still_open = (await orders.get(owner, order_id)).cache
    clock.now += CIRCUIT_OPEN_SECONDS
    closed = (await orders.get(owner, order_id)).cache

    assert len(bodies) == 1
    assert first_second == {"error": 1, "bypass": 2}
    assert second_second == {"error": 2, "bypass": 4}
    assert (still_open, closed) == ("BYPASS", "HIT")


async def test_a_fill_that_fails_opens_the_circuit_and_further_ones_are_not_tried(
    own_server: RedisServer, own_redis: Redis, circuit: Circuit, clock: Clock
) -> None:
    cache = OrderCache(own_redis, circuit=circuit)
    order, ids = CachedOrder(OWNER, b"{}"), [new_id() for _ in range(2)]
    leases = [(await cache.read(id_)).lease or "" for id_ in ids]
    counters = Counters()

    with own_server.paused():
        for id_, lease in zip(ids, leases, strict=True):
            await cache.fill(id_, lease, order, is_final=False)
        was_open = circuit.is_open
    clock.now += CIRCUIT_OPEN_SECONDS

    assert was_open
    assert counters.reads() == {"error": 1}
    assert (await cache.read(ids[1])).order is None


async def test_orders_are_placed_while_redis_is_silent(
    own_server: RedisServer, orders: Orders, circuit: Circuit
) -> None:
    owner = customer()
    with own_server.paused():
        order_id = await place(orders, owner)
        another = await place(orders, owner)

        assert circuit.is_open
        assert (await orders.get(owner, order_id)).cache == "BYPASS"
        assert (await orders.get(owner, another)).cache == "BYPASS"


async def test_a_writer_tries_both_scripts_and_the_second_twice_whatever_the_circuit_says(
    own_server: RedisServer, orders: Orders, deliveries: Deliveries, circuit: Circuit
) -> None:
    ids = [await place(orders, customer()) for _ in range(2)]
    counters = Counters()

    with own_server.paused():
        for order_id in ids:
            assert (await deliveries.mark_processed(operator().sub, order_id)).estado == "PROCESSED"
            assert circuit.is_open

    assert counters.failed_writes() == {"mark": 2, "clear": 4}


async def test_an_open_circuit_keeps_readers_from_redis_and_not_writers(
    own_redis: Redis, orders: Orders, deliveries: Deliveries, circuit: Circuit
) -> None:
    owner = customer()
    order_id = await place(orders, owner)
    await forget_all(own_redis)
    circuit.trip()

    async with listing_commands(own_redis) as commands:
        found = await orders.get(owner, order_id)
        another = await place(orders, owner)
        of_others = list(commands)
        await deliveries.mark_processed(operator().sub, order_id)

    assert found.cache == "BYPASS"
    assert (await orders.get(owner, another)).cache == "BYPASS"
    assert of_others == []
    assert commands.count("EVAL") == 2


async def test_a_dead_redis_is_no_error_and_a_restarted_one_is_used_again(
    own_server: RedisServer,
    orders: Orders,
    deliveries: Deliveries,
    clock: Clock,
    own_redis: Redis,
) -> None:
    owner = customer()
    own_server.kill()
    try:
        order_id = await place(orders, owner)
        assert (await orders.get(owner, order_id)).cache == "BYPASS"
        assert (await deliveries.mark_processed(operator().sub, order_id)).estado == "PROCESSED"
    finally:
        own_server.start()
    clock.now += CIRCUIT_OPEN_SECONDS
    await own_redis.connection_pool.disconnect()

    served = [(await orders.get(owner, order_id)).cache for _ in range(2)]

    assert served == ["MISS", "HIT"]


async def test_cached_orders_are_read_while_the_database_is_away(
    orders: Orders, own_redis: Redis
) -> None:
    owner = customer()
    order_id = await place(orders, owner)
    away = Database(create_engine(f"mysql+asyncmy://nobody:x@127.0.0.1:{free_port()}/none"))
    cut_off = Orders(away, OrderCache(own_redis))

    found = await cut_off.get(owner, order_id)
    await forget_all(own_redis)
    with pytest.raises(DatabaseUnavailable) as caught:
        await cut_off.get(owner, order_id)
    await away.close()

    assert found.cache == "HIT"
    assert caught.value.headers == {"Retry-After": "2"}


# --- only the writer's calls fail ---------------------------------------------------------------


class Shelf:
    """One order's row, the caches of those who use it, and the time that has passed.

    Args:
        redis: of creator and readers; the writer's is not there.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.cache = OrderCache(redis)
        self.row = ""
        self.now_ms = 0

    async def wait(self, milliseconds: int) -> None:
        await pass_time(self.redis, milliseconds)
        self.now_ms += milliseconds

    async def process(self) -> None:
        """What mark-processed does, with each of its calls of Redis in vain."""
        nowhere = create_redis(f"redis://127.0.0.1:{free_port()}/0")
        marks = OrderCache(nowhere).dirty_marks()
        await marks.mark([ORDER_ID])
        self.row = "PROCESSED"
        await marks.clear()
        await nowhere.aclose()

    async def fill(self, lease: str | None, read: str) -> None:
        if lease is not None and read:
            order = CachedOrder(OWNER, read.encode())
            await self.cache.fill(ORDER_ID, lease, order, is_final=read == "PROCESSED")

    async def read(self) -> str:
        """All of a reader's steps at once."""
        found = await self.cache.read(ORDER_ID)
        if found.order is not None:
            return found.order.body.decode()
        await self.fill(found.lease, self.row)
        return self.row


@pytest.mark.parametrize("filler", ["creator", "reader"])
async def test_the_longest_that_a_state_is_stale_is_32_seconds(redis: Redis, filler: str) -> None:
    shelf = Shelf(redis)
    lease: str | None
    if filler == "creator":
        lease = await shelf.cache.lease_new(ORDER_ID)
        shelf.row = "PENDING"
    else:
        shelf.row = "PENDING"
        lease = (await shelf.cache.read(ORDER_ID)).lease
    await shelf.process()
    await shelf.wait(await redis.pttl(f"order:{{{ORDER_ID}}}:lease") - 100)  # the last moment
    await shelf.fill(lease, "PENDING")
    lifetime = await redis.pttl(f"order:{{{ORDER_ID}}}:value")
    await shelf.wait(lifetime - 200)

    still = await shelf.read()
    await shelf.wait(STALE_MS - shelf.now_ms)

    assert still == "PENDING"  # the bound is no idle word
    assert LEASE_MS + PENDING_SECONDS * 1000 == STALE_MS
    assert await shelf.read() == "PROCESSED"
    assert await shelf.read() == "PROCESSED"


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    before_select=st.integers(0, 3_000),
    before_process=st.integers(0, 3_000),
    before_fill=st.integers(0, 6_000),
    before_read=st.integers(0, 70_000) | st.integers(28_000, 33_000),
)
async def test_no_read_later_than_32_seconds_shows_the_old_state(
    redis: Redis, before_select: int, before_process: int, before_fill: int, before_read: int
) -> None:
    """A reader looks up, selects and fills at its leisure, and somewhere the order is processed."""
    await forget_all(redis)
    shelf = Shelf(redis)
    shelf.row = "PENDING"
    lease = (await shelf.cache.read(ORDER_ID)).lease
    await shelf.wait(before_select)
    selected = shelf.row
    await shelf.wait(before_process)
    await shelf.process()
    await shelf.wait(before_fill)
    await shelf.fill(lease, selected)
    await shelf.wait(before_read)

    shown = await shelf.read()

    assert shown == "PROCESSED" or before_fill + before_read < STALE_MS
