"""The whole of SwapShop in one event loop, on one port of the loopback address."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Final

from pydantic import SecretStr
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

import swapshop_api.app
import swapshop_api.container
import swapshop_receiver.app
import swapshop_receiver.container
from swapshop_api.exporter.container import open_exporter
from swapshop_api.settings import ApiSettings, ExporterSettings
from swapshop_kit.logging import Level
from swapshop_kit.migrations import migrate
from swapshop_kit.serving import Endpoint, listen, serve
from swapshop_kit.signals import stop_on_signals
from swapshop_local.data import Secrets
from swapshop_local.demo import ensure_demo_accounts, served, welcome
from swapshop_local.page import Page
from swapshop_local.servers import RECEIVER_SCHEMA
from swapshop_poller.app import run_loop
from swapshop_poller.settings import PollerSettings
from swapshop_receiver.settings import ReceiverSettings

HOST: Final = "127.0.0.1"
HOSTS: Final = (HOST, "localhost")
"""What a browser of this machine may call it; any port."""
RECEIVER_PREFIXES: Final = ("/api/notifications", "/webhooks")
API_PREFIXES: Final = ("/api", "/internal", "/.well-known", "/livez", "/readyz", "/metrics")
DRAIN_SECONDS: Final = 10
SNAPSHOT_SECONDS: Final = 5
"""As long as a person waits for figures."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the data is.

    Args:
        api_url: of the schema ``swapshop``.
        receiver_url: of the schema ``notifications``.
        redis_url: of Redis or Valkey.
        demo: whether the demo accounts are made, with their published password.
    """

    api_url: str
    receiver_url: str
    redis_url: str
    demo: bool


@dataclass(frozen=True, slots=True)
class OnePort:
    """Both services and the page behind one address, divided as the Ingress divides them."""

    api: ASGIApp
    receiver: ASGIApp
    page: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if _is_under(path, RECEIVER_PREFIXES):
            app = self.receiver
        else:
            app = self.api if _is_under(path, API_PREFIXES) else self.page
        await app(scope, receive, send)


def refusing_other_hosts(app: ASGIApp) -> ASGIApp:
    """Return the application for this machine's own names only.

    A page of another site can have its host name resolved to this machine, and then read every
    answer as its own.
    """
    return TrustedHostMiddleware(app, allowed_hosts=HOSTS, www_redirect=False)


def _is_under(path: str, prefixes: tuple[str, ...]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


async def run_stack(
    stores: Stores, secrets: Secrets, signing_keys: Path, port: int, log_level: Level
) -> None:
    """Migrate, serve and poll until SIGTERM or SIGINT.

    Args:
        stores: where the data is.
        secrets: shared by the parts.
        signing_keys: path of the keys' file.
        port: to listen on; 0 takes any free one.
        log_level: the least severe level that is logged.

    Raises:
        AddressTaken: another process listens there.
        DatabaseUnavailable: the database cannot be reached.
    """
    with listen(HOST, port) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        api, receiver, poller, exporter = _settings(stores, secrets, signing_keys, url, log_level)
        tls = api.database_tls_context()
        await migrate(stores.api_url, swapshop_api.container.MIGRATIONS, tls=tls)
        await migrate(stores.receiver_url, swapshop_receiver.container.MIGRATIONS, tls=tls)
        async with (
            swapshop_api.container.open_container(api) as api_container,
            swapshop_receiver.container.open_container(
                receiver, keys=api_container.keys, ended=api_container.ended
            ) as receiver_container,
            open_exporter(exporter),
        ):
            if stores.demo:
                await ensure_demo_accounts(api_container.database)
            await _serve_and_poll(
                api_container, receiver_container, poller, listener, demo=stores.demo
            )


async def _serve_and_poll(
    api: swapshop_api.container.Container,
    receiver: swapshop_receiver.container.Container,
    poller: PollerSettings,
    listener: socket,
    *,
    demo: bool,
) -> None:
    """Do both until SIGTERM or SIGINT; the poller ends first, while the api takes its reports."""
    app = refusing_other_hosts(
        OnePort(swapshop_api.app.whole_app(api), swapshop_receiver.app.whole_app(receiver), Page())
    )

    def drain() -> None:
        api.drain()
        receiver.drain()

    stop, stop_serving = stop_on_signals(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        serving = serve(
            [Endpoint(app, listener)],
            keep_alive_seconds=api.settings.keep_alive_seconds,
            drain_seconds=DRAIN_SECONDS,
            limits=api.settings.http_limits,
            on_drain=drain,
            stop=stop_serving,
        )
        tasks.create_task(serving)
        print(welcome(poller.api_url) if demo else served(poller.api_url), flush=True)
        await run_loop(poller, stop)
        stop_serving.set()


def _settings(
    stores: Stores, secrets: Secrets, signing_keys: Path, url: str, log_level: Level
) -> tuple[ApiSettings, ReceiverSettings, PollerSettings, ExporterSettings]:
    port = url.rsplit(":", 1)[1]
    api = ApiSettings.model_validate(
        {
            "log_level": log_level,
            "database_url": stores.api_url,
            "redis_url": stores.redis_url,
            "signing_keys_file": signing_keys,
            "public_origins": [url, f"http://localhost:{port}"],
            "poller_client_secret": secrets.client_secret,
        }
    )
    receiver = ReceiverSettings.model_validate(
        {
            "log_level": log_level,
            "database_url": stores.receiver_url,
            "redis_url": stores.redis_url,
            "webhook_secret": secrets.webhook_secret,
            "jwks_url": f"{url}/.well-known/jwks.json",
        }
    )
    poller = PollerSettings(
        log_level=log_level,
        api_url=url,
        receiver_url=url,
        client_secret=SecretStr(secrets.client_secret),
        webhook_secret=SecretStr(secrets.webhook_secret),
    )
    exporter = ExporterSettings(
        log_level=log_level,
        database_url=SecretStr(stores.api_url),
        notifications_schema=RECEIVER_SCHEMA,
        snapshot_seconds=SNAPSHOT_SECONDS,
    )
    return api, receiver, poller, exporter
