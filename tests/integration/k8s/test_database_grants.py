"""The chart's grants: each service does all of its work with them, and nothing else."""

from collections.abc import AsyncGenerator, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from support.api.accounts import (
    CUSTOMER,
    NEW_PASSWORD,
    PASSWORD,
    Browser,
    api_container,
    api_settings,
)
from support.api.client import Shop, bearer
from support.api.dispatch import result
from support.api.exporter import watch_url
from support.api.housekeeping import TIMES, add
from support.api.orders import order_json
from support.receiver.events import order_ready
from support.receiver.server import opened_receiver, receiver_settings
from support.stores.grants import GrantedSchemas, granted_schemas, read_grants
from support.stores.pairs import Stores, migrate_to_head
from support.stores.servers import DatabaseServer, RedisServer
from swapshop_api.app import whole_app
from swapshop_api.auth.domain.operators import promote
from swapshop_api.container import MIGRATIONS, Container
from swapshop_api.dispatch.schemas import LeaseIn
from swapshop_api.housekeeping.domain import keep_house
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id
from swapshop_kit.redis import create_redis
from swapshop_receiver.container import MIGRATIONS as RECEIVER_MIGRATIONS

OLD = timedelta(days=400)


@pytest.fixture(scope="module")
def schemas(mariadb_server: DatabaseServer) -> Generator[GrantedSchemas]:
    with granted_schemas(mariadb_server) as made:
        migrate_to_head(mariadb_server.url(made.swapshop), MIGRATIONS)
        migrate_to_head(mariadb_server.url(made.notifications), RECEIVER_MIGRATIONS)
        made.grant()
        made.grant()  # it runs at every upgrade
        yield made


@pytest.fixture
async def admin(schemas: GrantedSchemas) -> AsyncGenerator[Database]:
    """The api's schema, for who may do everything."""
    database = Database(create_engine(schemas.server.url(schemas.swapshop), pool_size=2))
    yield database
    await database.close()


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncGenerator[Redis]:
    client = create_redis(redis_server.url, seconds=5.0)
    yield client
    await client.aclose()


@pytest.fixture
async def container(
    schemas: GrantedSchemas, redis: Redis, redis_server: RedisServer, tmp_path: Path
) -> AsyncGenerator[Container]:
    """An api that works as the user swapshop_api."""
    stores = Stores(schemas.url("swapshop_api"), redis_server.url)
    database = Database(create_engine(stores.database_url, pool_size=5))
    yield api_container(api_settings(stores, tmp_path / "keys.json"), database, redis)
    await database.close()


async def refusal_of(url: str, statement: str) -> int:
    """Run a statement, which is refused, and return the number of the error."""
    database = Database(create_engine(url, pool_size=1))
    try:
        async with database.engine.connect() as connection:
            with pytest.raises(DBAPIError) as refused:
                await connection.execute(text(statement))
    finally:
        await database.close()
    return int(getattr(refused.value.orig, "args", (0,))[0])


@pytest.mark.parametrize(
    ("user", "statement"),
    [
        ("swapshop_api", "DELETE FROM audit"),
        ("swapshop_api", "UPDATE audit SET actor = 'nobody'"),
        ("swapshop_api", "UPDATE users SET rol = 'operator'"),
        ("swapshop_api", "UPDATE users SET email = 'me@example.com'"),
        ("swapshop_api", "DELETE FROM users"),
        ("swapshop_api", "DELETE FROM orders"),
        ("swapshop_api", "UPDATE order_items SET cantidad = 1"),
        ("swapshop_api", "UPDATE schema_version SET version_num = '9999'"),
        ("swapshop_api", "SELECT * FROM totals"),
        ("swapshop_housekeeping", "SELECT password_hash FROM users"),
        ("swapshop_housekeeping", "DELETE FROM orders"),
        ("swapshop_housekeeping", "UPDATE audit SET actor = 'nobody'"),
        ("swapshop_exporter", "SELECT password_hash FROM users"),
        ("swapshop_exporter", "SELECT token_hash FROM refresh_tokens"),
        ("swapshop_exporter", "SELECT cliente FROM order_items"),
        ("swapshop_exporter", "SELECT payload FROM {notifications}.notifications"),
        ("swapshop_exporter", "DELETE FROM orders"),
        ("swapshop_receiver", "DELETE FROM notifications"),
        ("swapshop_receiver", "SELECT * FROM {swapshop}.orders"),
    ],
)
async def test_what_is_not_a_service_s_own_is_refused(
    schemas: GrantedSchemas, user: str, statement: str
) -> None:
    named = statement.format(swapshop=schemas.swapshop, notifications=schemas.notifications)

    assert await refusal_of(schemas.url(user), named) in (1142, 1143)


async def test_the_api_does_all_its_work(container: Container) -> None:
    app = whole_app(container)
    browser = Browser(app)
    token = (await browser.register()).json()["token"]
    statuses = [
        (await browser.refresh()).status_code,
        (await browser.login()).status_code,
        (await browser.change_password(token, PASSWORD, NEW_PASSWORD)).status_code,
        (await browser.logout()).status_code,
    ]
    assert statuses == [200, 200, 204, 204]

    customer, staff = (
        Shop(app, bearer(container)),
        Shop(app, bearer(container, rol="operator")),
    )
    key = new_id()
    first, again = [await customer.place(key=key) for _ in range(2)]
    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    marked, leased = first.json()["id"], (await customer.placed(order_json()))["id"]
    await customer.placed()
    assert (await staff.mark_processed(marked)).status_code == 200
    claim = await container.dispatch.lease(
        "poller", LeaseIn(lease_token=(lease := new_id()), limit=10, lease_seconds=60)
    )
    await container.dispatch.confirm(lease)
    first_id, second_id, *_ = [delivery.id for delivery in claim.deliveries]
    reported = await container.dispatch.report(
        lease, [result(first_id), result(second_id, "rejected", status=409)]
    )
    assert {each.result for each in reported.results} == {"applied"}
    assert (await staff.post(f"/api/deliveries/{second_id}/redrive")).status_code == 200
    for path in (
        f"/api/orders/{leased}",
        f"/api/orders/{leased}/timeline",
        "/api/orders?estado=PENDING",
        "/api/deliveries",
        f"/api/deliveries/{second_id}",
        "/api/pipeline",
        "/api/audit",
    ):
        assert (await staff.get(path)).status_code == 200, path
    assert await container.health.required["database"]()


async def test_a_role_is_changed_by_the_ddl_user_only(
    container: Container, admin: Database
) -> None:
    email = f"{new_id()}@example.com"
    await Browser(whole_app(container)).register(**{**CUSTOMER, "email": email})

    with pytest.raises(DBAPIError):
        await promote(container.database, email)
    await promote(admin, email)


async def test_housekeeping_purges_every_table_of_its_rules(
    schemas: GrantedSchemas, admin: Database
) -> None:
    for table in TIMES:
        await add(admin, table, OLD)
    own = Database(create_engine(schemas.url("swapshop_housekeeping"), pool_size=1))
    purged = await keep_house(own)
    await add(admin, next(iter(TIMES)), OLD)
    await keep_house(own)  # the totals are there now
    await own.close()

    assert set(purged) == {table.name for table in TIMES}
    assert all(purged.values())


async def test_the_exporter_takes_its_snapshot(schemas: GrantedSchemas) -> None:
    watch = watch_url(schemas.url("swapshop_exporter"), schemas.notifications)

    assert await watch.look()
    await watch.database.close()


async def test_the_receiver_does_all_its_work(
    schemas: GrantedSchemas, redis_server: RedisServer
) -> None:
    settings = receiver_settings(schemas.url("swapshop_receiver"), redis_server.url)
    user = new_id()
    async with opened_receiver(settings) as receiver:
        event = order_ready(user_id=user)
        answers = [await receiver.send(event) for _ in range(2)]
        assert [answer.json() for answer in answers] == [{"stored": True}, {"stored": False}]
        [item] = (await receiver.listed(user))["items"]
        assert (await receiver.post(f"/api/notifications/{item['id']}/read", user)).is_success
        assert (await receiver.post("/api/notifications/read-all", user)).is_success
        assert await receiver.container.health.required["database"]()


async def test_every_table_has_its_grants(schemas: GrantedSchemas, admin: Database) -> None:
    async def tables_of(schema: str) -> set[str]:
        async def read(connection: AsyncConnection) -> set[str]:
            query = "SELECT table_name FROM information_schema.tables WHERE table_schema = :schema"
            rows: Any = await connection.execute(text(query), {"schema": schema})
            return set(rows.scalars())

        return await admin.read(read)

    granted = {(grant.schema, grant.table) for grant in read_grants()}

    assert {table for schema, table in granted if schema == "swapshop"} == await tables_of(
        schemas.swapshop
    )
    assert {table for schema, table in granted if schema == "notifications"} == await tables_of(
        schemas.notifications
    )
