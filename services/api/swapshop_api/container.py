"""What an api process owns, made and closed in one place."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from swapshop_api import __version__
from swapshop_api.auth.domain import Auth
from swapshop_api.auth.sessions import list_ended
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.write_limits import WriteLimits, WriteRate
from swapshop_api.settings import ApiSettings
from swapshop_api.signing_keys.domain import SigningKeys
from swapshop_kit.access_tokens import AccessTokenVerifier
from swapshop_kit.background import in_background
from swapshop_kit.build_info import report_build
from swapshop_kit.checks import database_check
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ended_sessions import EndedSessions, ReadEnded, follow_ended_sessions
from swapshop_kit.health import Health
from swapshop_kit.metrics import watch_pool
from swapshop_kit.migrations import head_of
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_kit.redis import create_redis, is_up

MIGRATIONS: Final = Path(__file__).parent / "migrations"


@dataclass
class Container:
    """What the process owns."""

    settings: ApiSettings
    database: Database
    redis: Redis
    keys: SigningKeys
    auth: Auth
    orders: Orders
    dispatch: Dispatch
    deliveries: Deliveries
    public_tokens: AccessTokenVerifier
    internal_tokens: AccessTokenVerifier
    ended: EndedSessions
    health: Health

    def drain(self) -> None:
        """Begin to stop: unready from now on."""
        self.health.draining = True


@asynccontextmanager
async def open_container(settings: ApiSettings) -> AsyncGenerator[Container]:
    """Make what the process owns; nothing that may be away is waited for.

    Raises:
        SigningKeysError: the file of the signing keys is missing or broken.
    """
    async with AsyncExitStack() as stack:
        database = Database(
            create_engine(
                settings.database_url.get_secret_value(),
                tls=settings.database_tls_context(),
                pool_size=settings.database_pool_size,
            )
        )
        stack.push_async_callback(database.close)
        redis = create_redis(settings.redis_url.get_secret_value())
        stack.push_async_callback(redis.aclose)
        keys = SigningKeys.open(settings.signing_keys_file)
        watch_pool("api", database)
        report_build("api", __version__)
        container = build(settings, database, redis, keys)
        subscriber = create_redis(settings.redis_url.get_secret_value(), pool_size=1, seconds=None)
        stack.push_async_callback(subscriber.aclose)
        following = follow_ended_sessions(container.ended, _ended_reader(database), subscriber)
        await stack.enter_async_context(in_background(following, "ended-sessions"))
        yield container


def _ended_reader(database: Database) -> ReadEnded:
    async def read(within_seconds: int) -> list[str] | None:
        try:
            return await list_ended(database, within_seconds)
        except DatabaseUnavailable:
            return None

    return read


def _write_limits(settings: ApiSettings, redis: Redis) -> WriteLimits:
    rate = WriteRate(
        orders=settings.orders_per_customer_per_minute,
        bytes=settings.order_bytes_per_customer_per_minute,
    )
    return WriteLimits(redis, rate, settings.max_replicas)


def build(settings: ApiSettings, database: Database, redis: Redis, keys: SigningKeys) -> Container:
    """Wire the capabilities onto the resources."""
    cache = OrderCache(redis, enabled=settings.cache_mode == "on")
    ended = EndedSessions()
    return Container(
        settings=settings,
        database=database,
        redis=redis,
        keys=keys,
        auth=Auth(database, redis, keys, settings, ended),
        orders=Orders(database, cache, _write_limits(settings, redis)),
        dispatch=Dispatch(database, cache),
        deliveries=Deliveries(database, cache),
        public_tokens=AccessTokenVerifier(keys, settings.token_issuer, "swapshop", ended=ended),
        internal_tokens=AccessTokenVerifier(keys, settings.token_issuer, "swapshop-internal"),
        ended=ended,
        health=Health(
            required={"database": database_check("api", database, head_of(MIGRATIONS))},
            optional={"redis": lambda: is_up(redis)},
        ),
    )
