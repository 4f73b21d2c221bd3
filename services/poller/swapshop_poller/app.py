"""Wire the poller: its HTTP clients, and the runs of ``loop`` and ``once``."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import structlog

from swapshop_poller import __version__
from swapshop_poller.api_client import ApiClient
from swapshop_poller.loop import Poller
from swapshop_poller.sender import Sender
from swapshop_poller.settings import PollerSettings

_log = structlog.get_logger()


@asynccontextmanager
async def open_poller(settings: PollerSettings, stop: asyncio.Event) -> AsyncGenerator[Poller]:
    """Create a poller with its own HTTP clients, and close them afterwards."""
    async with (
        _http_client(settings, settings.api_seconds, connections=2) as to_api,
        _http_client(settings, settings.send_seconds, settings.concurrency) as to_receiver,
    ):
        api = ApiClient(
            to_api,
            settings.api_url,
            settings.client_id,
            settings.client_secret,
            total_seconds=settings.api_seconds,
        )
        sender = Sender(
            to_receiver,
            settings.receiver_url,
            settings.webhook_secret,
            total_seconds=settings.send_seconds,
        )
        yield Poller(settings, api, sender, stop)


async def run_loop(settings: PollerSettings, stop: asyncio.Event) -> None:
    """Poll until ``stop`` is set; then finish and report sends in flight, and release the rest."""
    async with open_poller(settings, stop) as poller:
        await poller.run()


async def run_once(settings: PollerSettings, stop: asyncio.Event) -> bool:
    """Poll for ``run_seconds``, or until ``stop`` is set.

    Returns:
        Whether the run did its work: False if the api never answered a lease call, or if the
        receiver was misconfigured at the end, so that the Job fails. True if ``stop`` was set.
    """
    own_stop = asyncio.Event()
    timer = asyncio.get_running_loop().call_later(settings.run_seconds, own_stop.set)
    async with open_poller(settings, own_stop) as poller, asyncio.TaskGroup() as tasks:
        relay = tasks.create_task(_relay(stop, own_stop))
        try:
            await poller.run(give_up_seconds=settings.first_connection_seconds)
        finally:
            timer.cancel()
            relay.cancel()
    if stop.is_set():
        return True
    _log.info(
        "run.finished",
        api_answered=poller.has_leased,
        receiver_misconfigured=poller.receiver.is_misconfigured,
    )
    return poller.has_leased and not poller.receiver.is_misconfigured


async def _relay(stop: asyncio.Event, to: asyncio.Event) -> None:
    await stop.wait()
    to.set()


def _http_client(
    settings: PollerSettings, total_seconds: float, connections: int
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(total_seconds, connect=settings.connect_seconds),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        headers={"user-agent": f"swapshop-poller/{__version__}"},
        follow_redirects=False,
        trust_env=False,  # the services are in the cluster: ignore a proxy in the environment
    )
