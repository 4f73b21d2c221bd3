"""Resources owned by a receiver process, created and closed here."""

import time
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
from redis.asyncio import Redis

from swapshop_kit.access_tokens import AccessTokenVerifier, KeySource
from swapshop_kit.addresses import TrustedProxies
from swapshop_kit.background import in_background
from swapshop_kit.build_info import report_build
from swapshop_kit.checks import CHECK_SECONDS, database_check, within
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ended_sessions import EndedSessions, follow_ended_sessions
from swapshop_kit.health import Health
from swapshop_kit.jwks import JwksClient
from swapshop_kit.metrics import watch_pool
from swapshop_kit.migrations import head_of
from swapshop_kit.problems import KeysUnavailable
from swapshop_kit.redis import Circuit, create_redis, is_up
from swapshop_receiver import __version__
from swapshop_receiver.ended_sessions import ended_sessions_of
from swapshop_receiver.notifications import store
from swapshop_receiver.notifications.domain import Notifications
from swapshop_receiver.notifications.hub import FindRecent, StreamHub, StreamLimits
from swapshop_receiver.notifications.timing import StreamTiming
from swapshop_receiver.notifications.wake_ups import WakeUps
from swapshop_receiver.settings import ReceiverSettings
from swapshop_receiver.webhooks.domain import Webhooks

MIGRATIONS: Final = Path(__file__).parent / "migrations"
API_SECONDS: Final = 2.0
"""Time-out for connecting to the api, and for each of its answers."""

POOL: Final = "receiver"
"""The label of the database pool in metrics."""


@dataclass
class Container:
    """The resources of the process."""

    settings: ReceiverSettings
    database: Database
    hub: StreamHub
    tokens: AccessTokenVerifier
    proxies: TrustedProxies
    health: Health
    notifications: Notifications
    webhooks: Webhooks

    def drain(self) -> None:
        """Report unready from now on, and end every stream."""
        self.health.draining = True
        self.hub.close()


@asynccontextmanager
async def open_container(
    settings: ReceiverSettings,
    keys: KeySource | None = None,
    ended: EndedSessions | None = None,
    timing: StreamTiming | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncGenerator[Container]:
    """Create the resources of the process, without waiting for any server.

    Args:
        settings: of the process.
        keys: verify access tokens; fetched from the api by default.
        ended: sessions whose access tokens are refused; read from the api by default.
        timing: intervals of streams.
        clock: returns seconds since the epoch.
    """
    timing = timing or StreamTiming()
    async with AsyncExitStack() as stack:
        database = Database(
            create_engine(
                settings.database_url.get_secret_value(),
                tls=settings.database_tls_context(),
                pool_size=settings.database_pool_size,
            )
        )
        stack.push_async_callback(database.close)
        watch_pool(POOL, database)
        report_build("receiver", __version__)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=API_SECONDS))
        if keys is None:
            keys = JwksClient(http, settings.jwks_url)
        redis_url = settings.redis_url.get_secret_value()
        redis = create_redis(redis_url)
        stack.push_async_callback(redis.aclose)
        subscriber = create_redis(redis_url, pool_size=1, seconds=None)
        stack.push_async_callback(subscriber.aclose)
        if ended is None:
            ended = EndedSessions()
            follower = create_redis(redis_url, pool_size=1, seconds=None)
            stack.push_async_callback(follower.aclose)
            read = ended_sessions_of(http, settings.ended_sessions_url)
            following = follow_ended_sessions(ended, read, follower)
            await stack.enter_async_context(in_background(following, "ended-sessions"))
        hub = StreamHub(
            subscriber,
            _finder(database),
            limits=StreamLimits(
                per_user=settings.streams_per_user,
                per_network=settings.streams_per_network,
                per_process=settings.streams_per_process,
                kept=settings.streams_per_process * settings.streams_kept_percent // 100,
            ),
            timing=timing,
        )
        ended.on_ended(hub.wake_sessions)
        # if the hub fails, the process ends: it would refuse streams until it is restarted
        await stack.enter_async_context(in_background(hub.run(), "stream-hub"))
        tokens = AccessTokenVerifier(keys, settings.token_issuer, "swapshop", clock, ended=ended)
        yield Container(
            settings=settings,
            database=database,
            hub=hub,
            tokens=tokens,
            proxies=TrustedProxies(settings.trusted_proxies),
            health=_health(database, redis, keys),
            notifications=Notifications(database, tokens, timing, clock),
            webhooks=Webhooks(database, settings.webhook_secrets, WakeUps(redis, Circuit())),
        )


def _finder(database: Database) -> FindRecent:
    async def find(user_ids: Collection[str], within: timedelta) -> set[tuple[str, str]]:
        return await database.read(
            lambda connection: store.list_recent_keys(connection, user_ids, within)
        )

    return find


def _health(database: Database, redis: Redis, keys: KeySource) -> Health:
    async def has_keys() -> bool:
        try:
            await keys.current()
        except KeysUnavailable:
            return False
        return True

    return Health(
        # without the keys a pod refuses every customer, whom other pods would serve
        required={
            "database": database_check(POOL, database, head_of(MIGRATIONS)),
            "keys": within(CHECK_SECONDS, has_keys),
        },
        optional={"redis": lambda: is_up(redis)},
    )
