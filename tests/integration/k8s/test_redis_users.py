"""The chart's users of Redis: each service does all of its work as its own, and nothing else."""

import hashlib
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from support.api.accounts import api_container, api_settings
from support.api.client import Shop, bearer
from support.receiver.events import order_ready
from support.receiver.server import counted, receiver_settings, running_receiver
from support.skips import skipping_without_server
from support.stores.pairs import Stores, migrate_to_head
from support.stores.servers import redis_server as private_redis
from support.waiting import until
from swapshop_api.app import whole_app
from swapshop_api.auth.rate_limits import Limit, RateLimits
from swapshop_api.container import MIGRATIONS
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ids import new_id
from swapshop_kit.redis import is_up
from swapshop_operations.repository import CHART
from swapshop_receiver.container import MIGRATIONS as RECEIVER_MIGRATIONS

USERS = ("api", "receiver", "restore", "monitor")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A Redis with the chart's users, whose passwords are their names."""
    rules = (CHART / "files" / "redis-users.acl").read_text()
    for user in USERS:
        rules = rules.replace(f"{{{user}}}", hashlib.sha256(user.encode()).hexdigest())
    file = tmp_path_factory.mktemp("redis") / "users.acl"
    file.write_text(rules)
    with skipping_without_server(), private_redis("--aclfile", str(file)) as server:
        yield server.url


def url_of(url: str, user: str) -> str:
    return url.replace("redis://", f"redis://{user}:{user}@")


class Connect(Protocol):
    """Signs in as a user."""

    def __call__(self, user: str) -> AbstractAsyncContextManager[Any]: ...


@pytest.fixture
def connect(url: str) -> Connect:
    @asynccontextmanager
    async def client(user: str) -> AsyncGenerator[Any]:
        target = url if user == "default" else url_of(url, user)
        redis = Redis.from_url(target, socket_timeout=10)  # pyright: ignore[reportUnknownMemberType] - untyped **kwargs
        try:
            yield redis
        finally:
            await redis.aclose()

    return client


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("default", ["GET", "order:{1}:value"]),
        ("default", ["INFO"]),
        ("api", ["SET", "other", "1"]),
        ("api", ["EVAL", "return redis.call('GET', KEYS[1])", "1", "other"]),
        ("api", ["PUBLISH", "notifications", "user"]),
        ("api", ["FLUSHALL"]),
        ("api", ["FLUSHDB"]),
        ("api", ["KEYS", "*"]),
        ("api", ["SCAN", "0"]),
        ("api", ["CONFIG", "GET", "*"]),
        ("api", ["ACL", "LIST"]),
        ("receiver", ["GET", "order:{1}:value"]),
        ("receiver", ["SET", "order:{1}:value", "of somebody else"]),
        ("receiver", ["DEL", "limit:login:1"]),
        ("receiver", ["EVAL", "return 1", "0"]),
        ("receiver", ["PUBLISH", "ended-sessions", "family"]),
        ("receiver", ["SUBSCRIBE", "other"]),
        ("restore", ["GET", "order:{1}:value"]),
        ("restore", ["CONFIG", "GET", "*"]),
        ("monitor", ["GET", "order:{1}:value"]),
        ("monitor", ["FLUSHALL"]),
    ],
)
async def test_what_is_not_a_user_s_own_is_refused(
    connect: Connect, user: str, command: list[str]
) -> None:
    async with connect(user) as redis:
        with pytest.raises(NoPermissionError):
            await redis.execute_command(*command)


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("default", ["PING"]),
        ("api", ["PUBLISH", "ended-sessions", "family"]),
        ("restore", ["FLUSHDB", "ASYNC"]),
        ("monitor", ["INFO"]),
        ("monitor", ["LATENCY", "LATEST"]),
    ],
)
async def test_what_is_a_user_s_own_is_done(
    connect: Connect, user: str, command: list[str]
) -> None:
    async with connect(user) as redis:
        assert await is_up(redis)
        await redis.execute_command(*command)


@pytest.mark.parametrize(
    ("user", "channel"),
    [("api", "ended-sessions"), ("receiver", "notifications"), ("receiver", "ended-sessions")],
)
async def test_a_service_listens_to_its_channels(connect: Connect, user: str, channel: str) -> None:
    async with connect(user) as redis, redis.pubsub() as listener:
        await listener.subscribe(channel)
        answer = await listener.get_message(timeout=10)

    assert answer is not None
    assert (answer["type"], answer["channel"]) == ("subscribe", channel.encode())


async def test_the_api_caches_and_limits(connect: Connect, url: str, tmp_path: Path) -> None:
    database_url = f"sqlite+aiosqlite:///{tmp_path / 'swapshop.db'}"
    migrate_to_head(database_url, MIGRATIONS)
    database = Database(create_engine(database_url))
    settings = api_settings(Stores(database_url, url), tmp_path / "keys.json")
    async with connect("api") as redis:
        container = api_container(settings, database, redis)
        app = whole_app(container)
        customer, staff = (
            Shop(app, bearer(container)),
            Shop(app, bearer(container, rol="operator")),
        )
        order_id = (await customer.placed())["id"]
        states: list[tuple[Any, ...]] = []
        for shop in (customer, staff):
            if shop is staff:
                await staff.mark_processed(order_id)
            for _ in range(2):
                answer = await shop.read(order_id)
                states.append((answer.headers["X-Cache"], answer.json()["estado"]))
        limits = RateLimits(redis, max_replicas=1000)  # without Redis, one of a thousand pods
        limit = Limit("login", new_id(), 5, 60)
        for _ in range(5):
            await limits.take(limit)
    await database.close()

    assert states == [
        ("HIT", "PENDING"), ("HIT", "PENDING"), ("MISS", "PROCESSED"), ("HIT", "PROCESSED"),
    ]  # fmt: skip


async def test_the_receiver_wakes_its_streams(url: str, tmp_path: Path) -> None:
    database_url = f"sqlite+aiosqlite:///{tmp_path / 'notifications.db'}"
    migrate_to_head(database_url, RECEIVER_MIGRATIONS)
    user, before = new_id(), counted("swapshop_notifications_published", "sent")
    async with running_receiver(
        receiver_settings(database_url, url_of(url, "receiver"))
    ) as receiver:
        await until(lambda: receiver.container.hub.is_listening)
        event = order_ready(user_id=user)
        async with receiver.stream(user) as reader:
            assert (await receiver.send(event)).status_code == 200
            assert await reader.next_order() == event["order_id"]
    assert counted("swapshop_notifications_published", "sent") == before + 1
