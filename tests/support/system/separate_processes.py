"""The whole system: api, receiver and poller as processes, on a pair of stores."""

import base64
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

import swapshop_api.container
import swapshop_receiver.container
from support.servers.processes import HOST, ChildProcess, answers, free_port
from support.stores.pairs import migrate_to_head
from support.stores.servers import DatabaseServer
from swapshop_api.signing_keys.domain import create_if_missing
from swapshop_kit.ids import new_id

ORIGIN = "http://localhost:8080"
PASSWORD = "correct horse battery"
CLIENT_SECRET = "made-up-secret-of-the-poller-0001"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()


@contextmanager
def migrated_schemas(server: DatabaseServer) -> Generator[tuple[str, str]]:
    """The URLs of new schemas of api and receiver, migrated."""
    suffix = new_id()[-12:]
    with (
        server.schema(f"swapshop_{suffix}") as api_url,
        server.schema(f"notifications_{suffix}") as receiver_url,
    ):
        yield migrate_both(api_url, receiver_url)


def migrate_both(api_url: str, receiver_url: str) -> tuple[str, str]:
    """Migrates the schemas of api and receiver, and returns their URLs."""
    migrate_to_head(api_url, swapshop_api.container.MIGRATIONS)
    migrate_to_head(receiver_url, swapshop_receiver.container.MIGRATIONS)
    return api_url, receiver_url


class System:
    """The three services, each started, killed and changed by itself.

    Args:
        folder: of logs and keys.
        api_url: of the schema swapshop.
        receiver_url: of the schema notifications.
        redis_url: of both.
    """

    def __init__(self, folder: Path, api_url: str, receiver_url: str, redis_url: str) -> None:
        self._folder = folder
        self._redis_url = redis_url
        self._api_database_url = api_url
        self._receiver_database_url = receiver_url
        self._ports = {
            name: (free_port(), free_port(), free_port()) for name in ("api", "receiver", "poller")
        }
        self._keys = folder / "signing-keys.json"
        create_if_missing(self._keys)
        self.api_url = self.url("api", 0)
        self.receiver_url = self.url("receiver", 0)
        self.webhook_url = self.url("receiver", 1)

    def url(self, name: str, which: int) -> str:
        """The base URL of a service's port: 0 public, 1 internal, 2 operations."""
        return f"http://{HOST}:{self._ports[name][which]}"

    def _process(self, name: str, command: str, changes: Mapping[str, str]) -> ChildProcess:
        public, internal, operations = self._ports[name]
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOST": HOST,
            "PUBLIC_PORT": str(public),
            "INTERNAL_PORT": str(internal),
            "OPERATIONS_PORT": str(operations),
            "REDIS_URL": self._redis_url,
            "WEBHOOK_SECRET": WEBHOOK_SECRET,
            **{name: os.environ[name] for name in os.environ if name.startswith("COV")},
            **changes,
        }
        ready = f"{self.url(name, 2)}/readyz"
        return ChildProcess(
            [sys.executable, "-m", f"swapshop_{name}", command],
            self._folder / f"{name}.log",
            lambda: answers(ready),
            environment,
        )

    def api(self, **changes: str) -> ChildProcess:
        """The api, not started yet."""
        settings = {
            "DATABASE_URL": self._api_database_url,
            "SIGNING_KEYS_FILE": str(self._keys),
            "PUBLIC_ORIGINS": ORIGIN,
            "POLLER_CLIENT_SECRET": CLIENT_SECRET,
            "REGISTER_PER_ADDRESS_PER_HOUR": "10000",
            "REGISTER_PER_SITE_PER_HOUR": "10000",
            "LOGIN_PER_ADDRESS_PER_MINUTE": "10000",
            "LOGIN_PER_SITE_PER_MINUTE": "10000",
            "ORDERS_PER_CUSTOMER_PER_MINUTE": "1000000",
            "ORDER_BYTES_PER_CUSTOMER_PER_MINUTE": "1000000000",
        }
        return self._process("api", "serve", settings | changes)

    def receiver(self, **changes: str) -> ChildProcess:
        """The receiver, not started yet."""
        settings = {
            "DATABASE_URL": self._receiver_database_url,
            "JWKS_URL": f"{self.url('api', 1)}/.well-known/jwks.json",
        }
        return self._process("receiver", "serve", settings | changes)

    def poller(self, **changes: str) -> ChildProcess:
        """A poller that looks for work five times a second, not started yet."""
        settings = {
            "API_URL": self.url("api", 1),
            "RECEIVER_URL": self.webhook_url,
            "CLIENT_SECRET": CLIENT_SECRET,
            "IDLE_SECONDS": "0.2",
        }
        return self._process("poller", "loop", settings | changes)


@contextmanager
def processes() -> Generator["Started"]:
    """Starts processes, and kills those that still run at the end."""
    with ExitStack() as stack:
        yield Started(stack)


class Started:
    """The processes of one test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def start(self, process: ChildProcess) -> ChildProcess:
        """Starts a process and returns it when it answers."""
        self._stack.callback(process.kill)
        process.start()
        return process


class Customer:
    """A customer's session over HTTP, with retries as a patient client's."""

    def __init__(self, http: httpx.AsyncClient, system: System, token: str) -> None:
        self._http = http
        self._system = system
        self._headers = {"Authorization": f"Bearer {token}"}

    @classmethod
    async def register(cls, http: httpx.AsyncClient, system: System, email: str) -> "Customer":
        """Makes an account."""
        answer = await http.post(
            f"{system.api_url}/api/auth/register",
            json={"nombre": "Ana", "email": email, "password": PASSWORD},
        )
        assert answer.status_code == 201, answer.text
        return cls(http, system, answer.json()["token"])

    @classmethod
    async def sign_in(cls, http: httpx.AsyncClient, system: System, email: str) -> "Customer":
        """Signs in to an account that exists."""
        login = {"email": email, "password": PASSWORD}
        answer = await http.post(f"{system.api_url}/api/auth/login", json=login)
        assert answer.status_code == 200, answer.text
        return cls(http, system, answer.json()["token"])

    async def place(self, key: str, **changes: Any) -> httpx.Response:
        """Places an order with an Idempotency-Key."""
        line = {"producto": "Abrigo", "color": "azul", "cantidad": 1, "precio_unitario": 24.9}
        return await self._http.post(
            f"{self._system.api_url}/api/orders",
            json={"cliente": "Ana", "items": [line | changes]},
            headers={**self._headers, "Idempotency-Key": key},
        )

    async def notified_orders(self) -> list[str]:
        """The order of each notification, all pages."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            params = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
            answer = await self._http.get(
                f"{self._system.receiver_url}/api/notifications",
                params=params,
                headers=self._headers,
            )
            page = answer.raise_for_status().json()
            found += [item["order_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found
