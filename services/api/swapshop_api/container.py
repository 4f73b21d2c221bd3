"""Resources and capabilities of an api process, created and closed here."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from swapshop_api import __version__
from swapshop_api.auth.domain.accounts import Accounts
from swapshop_api.auth.domain.families import list_ended
from swapshop_api.auth.domain.sessions import Sessions
from swapshop_api.auth.guesses import Guesses
from swapshop_api.auth.origins import Origins
from swapshop_api.auth.passwords import Passwords
from swapshop_api.auth.rate_limits import RateLimits
from swapshop_api.clients.domain import Clients
from swapshop_api.deliveries.domain import Deliveries
from swapshop_api.dispatch.domain import Dispatch
from swapshop_api.orders.cache import OrderCache
from swapshop_api.orders.domain import Orders
from swapshop_api.orders.write_limits import WriteLimits, WriteRate
from swapshop_api.settings import ApiSettings
from swapshop_api.signing_keys.access_tokens import AccessTokens
from swapshop_api.signing_keys.domain import SigningKeys
from swapshop_kit.access_tokens import AccessTokenVerifier
from swapshop_kit.addresses import TrustedProxies
from swapshop_kit.background import in_background
from swapshop_kit.build_info import report_build
from swapshop_kit.checks import database_check, redis_check
from swapshop_kit.database import Database, create_engine
from swapshop_kit.ended_sessions import EndedSessions, ReadEnded, follow_ended_sessions
from swapshop_kit.health import Health
from swapshop_kit.metrics import watch_pool
from swapshop_kit.migrations import head_of
from swapshop_kit.problems import DatabaseUnavailable
from swapshop_kit.redis import create_redis
from swapshop_kit.security_events import AccountReferences

MIGRATIONS: Final = Path(__file__).parent / "migrations"


@dataclass
class Container:
    """Resources and capabilities of a process."""

    settings: ApiSettings
    database: Database
    redis: Redis
    keys: SigningKeys
    origins: Origins
    proxies: TrustedProxies
    accounts: Accounts
    sessions: Sessions
    clients: Clients
    orders: Orders
    dispatch: Dispatch
    deliveries: Deliveries
    public_tokens: AccessTokenVerifier
    internal_tokens: AccessTokenVerifier
    ended: EndedSessions
    health: Health

    def drain(self) -> None:
        """Report unready from now on."""
        self.health.draining = True


@asynccontextmanager
async def open_container(settings: ApiSettings) -> AsyncGenerator[Container]:
    """Create the container; it does not wait for servers that are down.

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


def build(
    settings: ApiSettings,
    database: Database,
    redis: Redis,
    keys: SigningKeys,
    *,
    limits: RateLimits | None = None,
    passwords: Passwords | None = None,
) -> Container:
    """Wire the capabilities onto the resources.

    Args:
        settings: of the process.
        database: of the api.
        redis: of the api.
        keys: sign and verify access tokens.
        limits: on logins and registrations; in Redis by default.
        passwords: hash passwords; at the recommended cost by default.
    """
    cache = OrderCache(redis, enabled=settings.cache_mode == "on")
    ended = EndedSessions()
    tokens = AccessTokens(keys, settings.token_issuer)
    accounts, sessions = _accounts_and_sessions(
        settings, database, redis, ended, tokens, limits=limits, passwords=passwords
    )
    return Container(
        settings=settings,
        database=database,
        redis=redis,
        keys=keys,
        origins=Origins(settings.public_origins),
        proxies=TrustedProxies(settings.trusted_proxies),
        accounts=accounts,
        sessions=sessions,
        clients=Clients(tokens, settings.poller_client_id, *settings.poller_client_secrets),
        orders=Orders(database, cache, _write_limits(settings, redis)),
        dispatch=Dispatch(database, cache),
        deliveries=Deliveries(database, cache),
        public_tokens=AccessTokenVerifier(keys, settings.token_issuer, "swapshop", ended=ended),
        internal_tokens=AccessTokenVerifier(keys, settings.token_issuer, "swapshop-internal"),
        ended=ended,
        health=Health(
            required={"database": database_check("api", database, head_of(MIGRATIONS))},
            optional={"redis": redis_check(redis)},
        ),
    )


def _accounts_and_sessions(
    settings: ApiSettings,
    database: Database,
    redis: Redis,
    ended: EndedSessions,
    tokens: AccessTokens,
    *,
    limits: RateLimits | None,
    passwords: Passwords | None,
) -> tuple[Accounts, Sessions]:
    guesses = Guesses(limits or RateLimits(redis, settings.max_replicas), settings)
    passwords = passwords or Passwords()
    references = AccountReferences(settings.poller_client_secret.get_secret_value())
    sessions = Sessions(
        database,
        redis,
        ended,
        tokens=tokens,
        guesses=guesses,
        passwords=passwords,
        references=references,
    )
    return Accounts(database, sessions, guesses, passwords, references), sessions
