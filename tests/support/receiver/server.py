"""A receiver that serves, the access tokens that it accepts, and a reader of its streams."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from prometheus_client import REGISTRY

from support.receiver.events import PREVIOUS_SECRET, SECRET, order_ready, signed, webhook_id_of
from support.servers.uvicorn_server import running
from swapshop_kit.access_tokens import KeySet
from swapshop_kit.ended_sessions import EndedSessions
from swapshop_kit.ids import new_id
from swapshop_kit.problems import KeysUnavailable
from swapshop_kit.webhook_events import webhook_path
from swapshop_receiver.app import whole_app
from swapshop_receiver.container import Container, open_container
from swapshop_receiver.settings import ReceiverSettings

WAIT_SECONDS = 20.0
"""No event of a stream takes longer; a test fails then."""


class Issuer:
    """Issues access tokens with its own key, and is the source of that key."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.is_away = False
        public = OKPAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self.jwks = {"keys": [public | {"kid": "test", "alg": "EdDSA", "use": "sig"}]}
        self._keys = KeySet.from_jwks(self.jwks)

    async def current(self) -> KeySet:
        if self.is_away:
            raise KeysUnavailable
        return self._keys

    async def containing(self, kid: str) -> KeySet:
        return await self.current()

    def token(self, user_id: str, **changes: Any) -> str:
        """A token of a customer; by default for ten minutes."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "swapshop",
            "aud": "swapshop",
            "sub": user_id,
            "iat": now,
            "exp": now + 600,
            "jti": new_id(),
            "rol": "customer",
        }
        return jwt.encode(claims | changes, self._key, algorithm="EdDSA", headers={"kid": "test"})

    def bearer(self, user_id: str, **changes: Any) -> dict[str, str]:
        """The Authorization header with such a token."""
        return {"Authorization": f"Bearer {self.token(user_id, **changes)}"}


def counted(name: str, result: str, **labels: str) -> float:
    """The value of a counter of this process, for one result and other labels."""
    return REGISTRY.get_sample_value(f"{name}_total", {"result": result, **labels}) or 0.0


def receiver_settings(database_url: str, redis_url: str, **changes: Any) -> ReceiverSettings:
    """Settings of a receiver that listens nowhere yet."""
    values: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": redis_url,
        "webhook_secret": SECRET,
        "webhook_secret_previous": PREVIOUS_SECRET,
        "jwks_url": "http://127.0.0.1:9/jwks.json",
        "host": "127.0.0.1",
    }
    return ReceiverSettings(**(values | changes))


@dataclass
class Event:
    """One server-sent event, or the comments and nothing else that stood in its place."""

    event: str = ""
    data: Any = None
    id: str = ""
    comment: str = ""


@dataclass
class EventReader:
    """Reads the events of a stream one by one."""

    response: httpx.Response
    _lines: Any = field(default=None)

    def __post_init__(self) -> None:
        self._lines = self.response.aiter_lines()

    async def next_any(self) -> Event | None:
        """The next event or comment; None at the stream's end."""
        event = Event()
        async with asyncio.timeout(WAIT_SECONDS):
            async for line in self._lines:
                if not line:
                    return event
                name, _, value = line.partition(": ")
                if name in ("event", "id"):
                    setattr(event, name, value)
                elif name == "data":
                    event.data = orjson.loads(value)
                else:
                    event.comment = value
        return None

    async def next(self) -> Event | None:
        """The next event, after any comments; None at the stream's end."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (event := await self.next_any()) is not None and not event.event:
                pass
        return event

    async def next_order(self) -> str:
        """The order of the next notification."""
        event = await self.next()
        assert event is not None
        assert event.event == "notification"
        return event.data["order_id"]

    async def rest(self) -> list[Event]:
        """All events until the stream's end."""
        events: list[Event] = []
        async with asyncio.timeout(WAIT_SECONDS):
            while (event := await self.next()) is not None:
                events.append(event)
        return events


@dataclass
class Receiver:
    """A receiver that serves, and a client of it."""

    container: Container
    issuer: Issuer
    client: httpx.AsyncClient

    async def send(self, event: Mapping[str, Any], webhook_id: str | None = None) -> httpx.Response:
        """Sends an event as the poller does."""
        path = webhook_path(event["evento"])
        return await self.send_raw(orjson.dumps(event), webhook_id or webhook_id_of(event), path)

    async def send_raw(
        self, body: bytes, webhook_id: str, path: str = "/webhooks/order-ready"
    ) -> httpx.Response:
        """Sends signed bytes."""
        return await self.client.post(path, content=body, headers=signed(body, webhook_id))

    async def notify(self, user_id: str, count: int = 1) -> list[str]:
        """Sends that many events to a user, one after another; gives their orders."""
        events = [order_ready(user_id=user_id) for _ in range(count)]
        for event in events:
            answer = await self.send(event)
            assert answer.status_code == 200
        return [event["order_id"] for event in events]

    async def get(
        self, path: str, caller: str, address: str | None = None, **params: Any
    ) -> httpx.Response:
        """Asks as a customer, from an address that a proxy reports if named."""
        headers = self.issuer.bearer(caller)
        if address is not None:
            headers["X-Forwarded-For"] = address
        return await self.client.get(path, params=params, headers=headers)

    async def post(self, path: str, caller: str, **claims: Any) -> httpx.Response:
        """Posts as a customer, unless the claims say otherwise."""
        return await self.client.post(path, headers=self.issuer.bearer(caller, **claims))

    async def listed(self, user_id: str, **params: Any) -> dict[str, Any]:
        """A page of a user's list."""
        answer = await self.get("/api/notifications", user_id, **params)
        assert answer.status_code == 200
        return answer.json()

    @asynccontextmanager
    async def stream(
        self,
        caller: str,
        *,
        token: str | None = None,
        last_event_id: str | None = None,
        address: str | None = None,
        **params: Any,
    ) -> AsyncGenerator[EventReader]:
        """Opens a stream and reads its first comment; the address is one that a proxy reports."""
        headers = {"Authorization": f"Bearer {token or self.issuer.token(caller)}"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        if address is not None:
            headers["X-Forwarded-For"] = address
        async with self.client.stream(
            "GET", "/api/notifications/stream", params=params, headers=headers
        ) as response:
            assert response.status_code == 200
            reader = EventReader(response)
            first = await reader.next_any()
            assert first is not None
            assert first.comment
            yield reader


@asynccontextmanager
async def opened_receiver(
    settings: ReceiverSettings,
    issuer: Issuer | None = None,
    ended: EndedSessions | None = None,
    **more: Any,
) -> AsyncGenerator[Receiver]:
    """A receiver whose answers come in one piece, without a network; its schema is migrated."""
    issuer, ended = issuer or Issuer(), ended or EndedSessions()
    async with open_container(settings, keys=issuer, ended=ended, **more) as container:
        transport = httpx.ASGITransport(whole_app(container))
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            yield Receiver(container, issuer, client)


@asynccontextmanager
async def running_receiver(
    settings: ReceiverSettings,
    issuer: Issuer | None = None,
    ended: EndedSessions | None = None,
    **more: Any,
) -> AsyncGenerator[Receiver]:
    """A receiver on one free port, for streams; its schema is migrated."""
    issuer, ended = issuer or Issuer(), ended or EndedSessions()
    async with (
        open_container(settings, keys=issuer, ended=ended, **more) as container,
        running(whole_app(container)) as base_url,
        httpx.AsyncClient(base_url=base_url, timeout=WAIT_SECONDS) as client,
    ):
        yield Receiver(container, issuer, client)
        container.drain()
