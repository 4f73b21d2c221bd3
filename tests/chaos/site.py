"""Two processes of each service, each behind its own network links."""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from support.servers.processes import HOST, ChildProcess, Server
from support.servers.tcp_links import Address, Link
from support.stores.servers import DatabaseServer, RedisServer
from support.system.separate_processes import System

PODS: Final = ("a", "b")
STORES: Final = ("database", "redis")


class Site:
    """The processes and links that a run starts and can break.

    Args:
        folder: for logs and keys.
        schemas: URLs of the migrated schemas of api and receiver.
        database: the server that holds them.
        redis: the server of cache and signals.
        choice: chooses the pod of each connection.
    """

    def __init__(
        self,
        folder: Path,
        schemas: tuple[str, str],
        database: DatabaseServer,
        redis: RedisServer,
        choice: random.Random,
    ) -> None:
        self._folder = folder
        self._schemas: dict[str, str] = dict(zip(("api", "receiver"), schemas, strict=True))
        self.stores: dict[str, Server] = {"database": database, "redis": redis}
        self.redis_url = redis.url
        for pod in PODS:
            (folder / pod).mkdir()
        self._systems = {pod: System(folder / pod, *schemas, redis.url) for pod in PODS}
        self.links = {name: Link(*to, choice=choice) for name, to in self._wiring()}
        self.services: dict[str, ChildProcess] = {}

    def _wiring(self) -> Iterator[tuple[str, list[Address]]]:
        """Yield each link's name, ``client>server``, and where it leads."""
        store = {name: [(server.host, server.port)] for name, server in self.stores.items()}
        for pod in PODS:
            for service in ("api", "receiver"):
                yield f"clients>{service}-{pod}", [self._address(service, pod, 0)]
                for name in STORES:
                    yield f"{service}-{pod}>{name}", store[name]
            apis, receivers = (
                [self._address(service, each, 1) for each in PODS]
                for service in ("api", "receiver")
            )
            yield f"receiver-{pod}>api", apis
            yield f"poller-{pod}>api", apis
            yield f"poller-{pod}>receiver", receivers

    def _address(self, service: str, pod: str, which: int) -> Address:
        return HOST, urlsplit(self._systems[pod].url(service, which)).port or 0

    def urls(self, service: str) -> list[str]:
        """Return the public base URL of each pod of a service, as clients reach it."""
        return [self.links[f"clients>{service}-{pod}"].url for pod in PODS]

    def operations(self, service: str) -> dict[str, str]:
        """Return the base URL of the operations port of each pod of a service, by its name."""
        return {f"{service}-{pod}": self._systems[pod].url(service, 2) for pod in PODS}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Site"]:
        """Open the links and run every service in the block."""
        async with AsyncExitStack() as stack:
            for link in self.links.values():
                await stack.enter_async_context(link.running())
            for pod in PODS:
                for service in ("api", "receiver", "poller"):
                    self.services[f"{service}-{pod}"] = self._process(service, pod)
            for process in self.services.values():
                stack.callback(process.kill)
            await asyncio.gather(*(start(process) for process in self.services.values()))
            yield self

    def _process(self, service: str, pod: str) -> ChildProcess:
        system = self._systems[pod]
        if service == "poller":
            return system.poller(
                API_URL=self.links[f"poller-{pod}>api"].url,
                RECEIVER_URL=self.links[f"poller-{pod}>receiver"].url,
                LEASE_SECONDS="20",
            )
        settings = self._store_settings(service, pod)
        if service == "receiver":
            jwks = f"{self.links[f'receiver-{pod}>api'].url}/.well-known/jwks.json"
            return system.receiver(**settings, JWKS_URL=jwks)
        keys = str(self._folder / PODS[0] / "signing-keys.json")
        return system.api(**settings, SIGNING_KEYS_FILE=keys)

    def _store_settings(self, service: str, pod: str) -> Mapping[str, str]:
        urls = {"DATABASE_URL": self._schemas[service], "REDIS_URL": self.redis_url}
        ports = (self.links[f"{service}-{pod}>{store}"].port for store in STORES)
        return {
            name: make_url(url).set(host=HOST, port=port).render_as_string(hide_password=False)
            for (name, url), port in zip(urls.items(), ports, strict=True)
        }

    def ended(self) -> list[str]:
        """Return the services that do not run."""
        return [name for name, process in self.services.items() if not process.is_running]

    def logs(self) -> Iterator[tuple[str, Path]]:
        """Yield each service's name and log."""
        for pod in PODS:
            for service in ("api", "receiver", "poller"):
                yield f"{service}-{pod}", self._folder / pod / f"{service}.log"


async def start(process: ChildProcess) -> None:
    """Start a service; returns when it is ready.

    Raises:
        ServerStartError: it ended, or was not ready in time.
    """
    await asyncio.to_thread(process.start)
