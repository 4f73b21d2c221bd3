"""One key, one order: whatever arrives twice, at once, late, or after a lost answer."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import delete, event
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import QueuePool

from support.api.accounts import api_container
from support.api.client import Shop, bearer, code_of
from support.api.orders import line_json, order_json, read_order, stored_orders
from support.stores.database_proxy import AtCommit, DatabaseProxy
from support.stores.pairs import Stores
from support.stores.redis_commands import listing_commands
from support.stores.redis_keys import forget_all
from support.stores.statements import clock_first, counting
from support.waiting import until
from swapshop_api.app import whole_app
from swapshop_api.container import Container
from swapshop_api.orders import store
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import MAX_WAITING_DUPLICATES, Orders
from swapshop_api.orders.models import order_items
from swapshop_api.orders.models import orders as order_table
from swapshop_api.orders.problems import IdempotencyInFlight
from swapshop_kit.database import ATTEMPTS, Database, create_engine
from swapshop_kit.ids import new_id
from swapshop_kit.problems import DatabaseUnavailable

Value = TypeVar("Value")
KEY = "b7e4c3f0-1d2e-4c5b-9a8f-000000000001"
on_mariadb = pytest.mark.parametrize("stores", ["mariadb-redis"], indirect=True)


@asynccontextmanager
async def holding_key(database: Database, user_id: str, key: str) -> AsyncGenerator[None]:
    """Another pod has inserted an order with the key, and does not commit within the block."""
    async with database.engine.connect() as connection:
        await insert(connection, user_id, key)
        yield
        await connection.rollback()


async def insert(connection: AsyncConnection, user_id: str, key: str) -> None:
    await store.insert_order(
        connection,
        order_id=new_id(),
        user_id=user_id,
        order=read_order(order_json()),
        idempotency_key=key,
        fingerprint=bytes(32),
    )


def connections_in_use(database: Database) -> int:
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def test_a_repeated_request_gets_the_first_answer_again(
    ana: Shop, database: Database
) -> None:
    first = await ana.place(key=KEY)
    again = await ana.place(key=KEY)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert first.headers.get("Idempotency-Replayed") is None
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(await stored_orders(database)) == 1


async def test_without_a_key_every_request_places_an_order(ana: Shop, database: Database) -> None:
    first, second = await ana.placed(), await ana.placed()

    assert [row["id"] for row in await stored_orders(database)] == [first["id"], second["id"]]


async def test_another_order_under_a_used_key_is_refused(ana: Shop, database: Database) -> None:
    created = (await ana.place(key=KEY)).json()

    other = await ana.place(order_json(line_json(cantidad=3)), key=KEY)

    assert code_of(other) == (422, "idempotency_key_reused")
    assert other.json()["order_id"] == created["id"]
    assert other.json()["detail"].endswith(f"{created['id']}.")
    assert len(await stored_orders(database)) == 1


async def test_an_order_is_replayed_as_created_when_it_is_processed_since(
    ana: Shop, staff: Shop, redis: Redis
) -> None:
    first = await ana.place(key=KEY)
    await staff.mark_processed(first.json()["id"])
    await forget_all(redis)

    async with listing_commands(redis) as commands:
        again = await ana.place(key=KEY)

    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert commands == []
    assert (await ana.read(first.json()["id"])).json()["estado"] == "PROCESSED"


async def test_a_key_is_its_users_own(ana: Shop, berta: Shop) -> None:
    mine, hers = await ana.place(key=KEY), await berta.place(key=KEY)
    replayed = await ana.place(key=KEY), await berta.place(key=KEY)

    assert (mine.status_code, hers.status_code) == (201, 201)
    assert mine.json()["id"] != hers.json()["id"]
    assert "Idempotency-Replayed" not in hers.headers
    assert [answer.content for answer in replayed] == [mine.content, hers.content]


async def test_keys_are_compared_byte_by_byte(ana: Shop, database: Database) -> None:
    keys = ["A", "a", "A ", " A", "A  ", "~", "A" * 255, "A" * 254]

    answers = [await ana.place(key=key) for key in keys]

    assert {answer.status_code for answer in answers} == {201}
    assert all("Idempotency-Replayed" not in answer.headers for answer in answers)
    assert [row["idempotency_key"] for row in await stored_orders(database)] == keys


@pytest.mark.parametrize("key", [b"", b"A" * 256, b"a\tb", b"a\x7f", "ñ".encode(), b"\xf1"])
async def test_a_key_is_1_to_255_printable_ascii_characters(
    ana: Shop, database: Database, key: bytes
) -> None:
    answer = await ana.post("/api/orders", json=order_json(), headers={b"idempotency-key": key})

    assert code_of(answer) == (422, "invalid_request")
    assert answer.json()["errors"] == [
        {
            "field": "idempotency-key",
            "code": "idempotency_key_invalid",
            "message": "must have 1 to 255 printable ASCII characters",
        }
    ]
    assert await stored_orders(database) == []


async def test_fifty_requests_at_once_place_one_order(
    container: Container, database: Database, redis: Redis
) -> None:
    token = bearer(container)
    pods = [container, api_container(container.settings, database, redis)]
    shops = [Shop(whole_app(pod), token) for pod in pods]

    answers = await asyncio.gather(*[shops[n % 2].place(key=KEY) for n in range(50)])
    late = [await shop.place(key=KEY) for shop in shops]

    placed = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    [row] = await stored_orders(database)
    assert {answer.content for answer in [*placed, *late]} == {placed[0].content}
    assert placed[0].json()["id"] == row["id"]
    assert sum("Idempotency-Replayed" not in answer.headers for answer in placed) == 1
    assert {code_of(answer) for answer in refused} <= {(409, "idempotency_in_flight")}
    assert {answer.headers["Retry-After"] for answer in refused} <= {"1"}
    for shop in shops:
        await shop.aclose()


async def test_four_duplicates_wait_in_a_process_and_further_ones_are_sent_away(
    container: Container, database: Database
) -> None:
    user_id = new_id()
    app = whole_app(container)
    async with Shop(app, bearer(container, user_id)) as shop:
        async with holding_key(database, user_id, KEY):
            waiting = [
                asyncio.create_task(shop.place(key=KEY)) for _ in range(MAX_WAITING_DUPLICATES + 1)
            ]
            await until(lambda: connections_in_use(database) == 1 + len(waiting))
            refused = [await shop.place(key=KEY) for _ in range(3)]
            other = asyncio.create_task(shop.place(key="another"))
            await until(lambda: connections_in_use(database) == 2 + len(waiting))
            assert not any(task.done() for task in waiting)
        answers = await asyncio.gather(*waiting)

        assert MAX_WAITING_DUPLICATES == 4
        assert {code_of(answer) for answer in refused} == {(409, "idempotency_in_flight")}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
        assert {answer.status_code for answer in [*answers, await other]} == {201}
        assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
        assert len({answer.content for answer in answers}) == 1


async def test_a_key_whose_request_failed_may_be_used_again(
    container: Container, database: Database
) -> None:
    user_id = new_id()
    async with holding_key(database, user_id, KEY):
        pass

    placed = await container.orders.place(user_id, read_order(order_json()), KEY)

    assert not placed.replayed


class Forgetful(Database):
    """A database whose orders are gone whenever one reads."""

    async def read(self, work: Callable[[AsyncConnection], Awaitable[Value]]) -> Value:
        async def forget(connection: AsyncConnection) -> None:
            await connection.execute(delete(order_items))
            await connection.execute(delete(order_table))

        await self.transaction(forget)
        return await super().read(work)


async def test_a_key_whose_order_vanished_meanwhile_is_to_be_tried_again(
    database: Database, cache: OrderCache
) -> None:
    orders = Orders(Forgetful(database.engine), cache)
    user_id, order = new_id(), read_order(order_json())
    await orders.place(user_id, order, KEY)

    with pytest.raises(IdempotencyInFlight):
        await orders.place(user_id, order, KEY)

    assert not (await orders.place(user_id, order, KEY)).replayed


@pytest.fixture
async def impatient(stores: Stores) -> AsyncGenerator[Database]:
    """The database with the same settings, but locks that are waited for a second at most."""
    impatient = Database(create_engine(stores.database_url, pool_size=2))

    @event.listens_for(impatient.engine.sync_engine, "connect")
    def prepare(dbapi_connection: Any, _: Any) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute(
            "PRAGMA busy_timeout = 200"
            if stores.is_sqlite
            else "SET SESSION innodb_lock_wait_timeout = 1"
        )
        cursor.close()

    yield impatient
    await impatient.close()


@pytest.fixture
def tries(impatient: Database) -> list[str]:
    """The statements that had to wait for a lock: BEGIN in SQLite, else the INSERT."""
    waited: list[str] = []

    @event.listens_for(impatient.engine.sync_engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("BEGIN", "INSERT INTO orders")):
            waited.append(statement)

    return waited


async def test_with_a_key_a_lock_time_out_is_told_at_once(
    impatient: Database, database: Database, cache: OrderCache, tries: list[str]
) -> None:
    user_id = new_id()
    orders = Orders(impatient, cache)

    async with holding_key(database, user_id, KEY):
        with pytest.raises(IdempotencyInFlight) as caught:
            await orders.place(user_id, read_order(order_json()), KEY)

    assert caught.value.headers == {"Retry-After": "1"}
    assert len(tries) == 1
    assert await stored_orders(database) == []


@pytest.mark.parametrize("stores", ["sqlite-valkey"], indirect=True)
async def test_without_a_key_a_lock_time_out_is_tried_again(
    impatient: Database, database: Database, cache: OrderCache, tries: list[str]
) -> None:
    async with holding_key(database, new_id(), KEY):
        with pytest.raises(DatabaseUnavailable):
            await Orders(impatient, cache).place(new_id(), read_order(order_json()), None)

    assert len(tries) == ATTEMPTS


@pytest.fixture
async def proxy(stores: Stores) -> AsyncGenerator[DatabaseProxy]:
    async with DatabaseProxy(stores.database_url).running() as proxy:
        yield proxy


@pytest.fixture
async def cut_off(proxy: DatabaseProxy, container: Container, redis: Redis) -> AsyncGenerator[Shop]:
    """A customer of an api behind the proxy."""
    database = Database(create_engine(proxy.url, pool_size=1))
    behind = api_container(container.settings, database, redis)
    async with Shop(whole_app(behind), bearer(container)) as shop:
        await shop.pages()  # a new connection has COMMITs of its own
        yield shop
    await database.close()


@on_mariadb
@pytest.mark.parametrize("fate", [AtCommit.CUT_BEFORE, AtCommit.CUT_AFTER])
async def test_a_commit_without_an_answer_may_be_repeated_safely_with_the_key(
    cut_off: Shop, proxy: DatabaseProxy, database: Database, fate: AtCommit
) -> None:
    proxy.at_commit = fate

    unknown = await cut_off.place(key=KEY)
    again = await cut_off.place(key=KEY)

    [row] = await stored_orders(database)
    assert code_of(unknown) == (503, "outcome_unknown")
    assert unknown.headers["Retry-After"] == "1"
    assert (again.status_code, again.json()["id"]) == (201, row["id"])
    assert ("Idempotency-Replayed" in again.headers) == (fate is AtCommit.CUT_AFTER)


@on_mariadb
async def test_a_commit_without_an_answer_is_not_to_be_repeated_without_a_key(
    cut_off: Shop, proxy: DatabaseProxy
) -> None:
    proxy.at_commit = AtCommit.CUT_AFTER

    unknown = await cut_off.place()

    assert code_of(unknown) == (503, "outcome_unknown")
    assert "Retry-After" not in unknown.headers


@on_mariadb
async def test_a_duplicate_is_rolled_back_before_the_first_order_is_read(
    ana: Shop, database: Database
) -> None:
    """On 1062 InnoDB keeps a lock on the gap beside the key: a waiting neighbour would deadlock."""
    await ana.place(key=KEY)
    sent: list[str] = []

    @event.listens_for(database.engine.sync_engine, "rollback")
    def note(_: Any) -> None:
        sent.append("ROLLBACK")

    with counting(database) as statements:
        answer: httpx.Response = await ana.place(key=KEY)

    event.remove(database.engine.sync_engine, "rollback", note)
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert sent[:1] == ["ROLLBACK"]
    clock = clock_first(database)
    sent_first = [statement.split()[0] for statement in statements]
    assert sent_first == [*clock, "INSERT", "SELECT", "SELECT"]
