"""Customers and an operator who use the system while it breaks, and record what they see."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from chaos.history import History, Kind, Operation, Outcome
from support.system.separate_processes import PASSWORD

REQUEST_SECONDS: Final = 6.0
SESSION_SECONDS: Final = 300.0
"""A session is renewed this long after it began; the access token lives 600 s."""
PAUSE_SECONDS: Final = 0.25
"""A client rests up to this long between two things it does."""


@dataclass(frozen=True)
class World:
    """Settings and state that the clients share.

    Args:
        history: where to record.
        apis: public base URLs of the api, one of which is chosen for each request.
        receivers: the same of the receiver.
        choice: where their randomness comes from.
        over: set when nothing new shall begin.
    """

    history: History
    apis: list[str]
    receivers: list[str]
    choice: random.Random
    over: asyncio.Event


class Client:
    """A signed-in user.

    Args:
        world: what clients share.
        name: unique; the local part of its address.
    """

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.email = f"{name}@example.com"
        self._http = httpx.AsyncClient(timeout=REQUEST_SECONDS)
        self._token = ""
        self._signed_in_at = 0.0

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def register(self) -> None:
        """Make the account; before any fault."""
        account = {"nombre": "Ana", "email": self.email, "password": PASSWORD}
        url = f"{self.world.apis[0]}/api/auth/register"
        answer = await self._http.post(url, json=account, timeout=60)
        answer.raise_for_status()

    async def _headers(self) -> dict[str, str]:
        while time.monotonic() - self._signed_in_at > SESSION_SECONDS or not self._token:
            began = time.monotonic()
            url = f"{self.world.choice.choice(self.world.apis)}/api/auth/login"
            body = {"email": self.email, "password": PASSWORD}
            try:
                answer = await self._http.post(url, json=body, timeout=30)
            except httpx.TransportError:
                continue
            if answer.status_code == 200:
                self._token, self._signed_in_at = answer.json()["token"], began
            else:
                await asyncio.sleep(0.5)
        return {"Authorization": f"Bearer {self._token}"}

    async def request(
        self,
        kind: Kind,
        subject: str,
        method: str,
        url: str,
        *,
        body: Any = None,
        key: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Operation:
        """Send a request once, and return what became of it, not yet recorded."""
        headers = await self._headers()
        if key is not None:
            headers["Idempotency-Key"] = key
        invoked = time.time()
        status, code, value, replayed = None, None, None, False
        try:
            answer = await self._http.request(
                method, url, json=body, headers=headers, params=params
            )
            status = answer.status_code
            replayed = "Idempotency-Replayed" in answer.headers
            value = answer.json()
            code = value.get("code") if answer.is_error else None
        except (httpx.TransportError, json.JSONDecodeError) as error:
            code = type(error).__name__
        return Operation(
            client=self.name,
            kind=kind,
            subject=subject,
            invoked=invoked,
            ended=time.time(),
            outcome=_outcome(status, code),
            status=status,
            code=code,
            key=key,
            replayed=replayed,
            value=value,
        )

    def record(self, operation: Operation) -> Operation:
        """Add an operation to the history."""
        self.world.history.operations.append(operation)
        return operation

    def api(self, path: str) -> str:
        """Return the URL of a path at one of the apis."""
        return f"{self.world.choice.choice(self.world.apis)}{path}"

    def receiver(self, path: str) -> str:
        """Return the URL of a path at one of the receivers."""
        return f"{self.world.choice.choice(self.world.receivers)}{path}"

    async def listing(
        self, kind: Kind, url: str, subject: str = "", **params: str
    ) -> list[dict[str, Any]] | None:
        """Read every page of a list and record it as one operation; None if a page failed."""
        items: list[dict[str, Any]] = []
        invoked, cursor = time.time(), ""
        while True:
            query = {"limit": "100", **params, **({"cursor": cursor} if cursor else {})}
            page = await self.request(kind, subject, "GET", url, params=query)
            if page.outcome != "ok":
                self.record(page)
                return None
            items += page.value["items"]
            cursor = page.value["next_cursor"]
            if cursor is None:
                done = Operation(
                    self.name, kind, subject, invoked, page.ended, "ok", page.status, value=items
                )
                self.record(done)
                return items

    async def orders(self, estado: str = "") -> list[dict[str, Any]] | None:
        """List the orders in a state, or all."""
        path = f"/api/orders/{estado.lower()}" if estado else "/api/orders"
        return await self.listing("orders", self.api(path), estado)

    async def read(self, order_id: str) -> None:
        """Read an order."""
        url = self.api(f"/api/orders/{order_id}")
        self.record(await self.request("read", order_id, "GET", url))

    async def rest(self) -> None:
        """Wait a moment, or until the run is over."""
        try:
            async with asyncio.timeout(self.world.choice.uniform(0, PAUSE_SECONDS)):
                await self.world.over.wait()
        except TimeoutError:
            return


class Customer(Client):
    """Places orders, repeats them, reads them, and watches notifications come."""

    def __init__(self, world: World, name: str, placed: list[str]) -> None:
        super().__init__(world, name)
        self._numbers = itertools.count(1)
        self.mine: list[str] = []
        """Ids of acknowledged orders."""
        self._everybodys = placed
        self.streamed: set[str] = set()
        """Orders whose notification came by a stream."""
        self._last_event_id = ""
        self._connections = itertools.count(1)

    async def shop(self) -> None:
        """Do random things until the run is over."""
        steps: dict[Callable[[], Any], int] = {
            self._place: 5,
            self._place_without_key: 1,
            self._read_own: 5,
            self._read_another: 1,
            self.orders: 1,
            self._orders_by_state: 1,
            self.notifications: 2,
        }
        while not self.world.over.is_set():
            (step,) = self.world.choice.choices(list(steps), list(steps.values()))
            await step()
            await self.rest()

    async def notifications(self) -> list[dict[str, Any]] | None:
        """List all notifications."""
        return await self.listing("notifications", self.receiver("/api/notifications"))

    async def _create(self, tag: str, key: str | None) -> Operation:
        body = _order(tag)
        sent = await self.request(
            "create", tag, "POST", self.api("/api/orders"), body=body, key=key
        )
        return self.record(sent)

    async def _place(self) -> None:
        """Place an order, repeated with its key until it is acknowledged; sometimes once more."""
        tag = f"{self.name} {next(self._numbers)}"
        key = f"key of {tag}"
        while (done := await self._create(tag, key)).outcome != "ok":
            if done.status is not None and done.status < 500 and done.status != 409:
                return  # no outage explains it: the checker will say so
            await asyncio.sleep(self.world.choice.uniform(0.05, 0.5))
        self._keep(done)
        draw = self.world.choice.random()
        if draw < 0.2:
            await self._create(tag, key)
        elif draw < 0.3:
            other = f"{self.name} {next(self._numbers)}"
            url = self.api("/api/orders")
            self.record(
                await self.request("reuse", other, "POST", url, body=_order(other), key=key)
            )

    async def _place_without_key(self) -> None:
        done = await self._create(f"{self.name} {next(self._numbers)}", None)
        if done.outcome == "ok":
            self._keep(done)

    def _keep(self, done: Operation) -> None:
        self.mine.append(done.value["id"])
        self._everybodys.append(done.value["id"])

    async def _read_own(self) -> None:
        """Read one of the newest orders: those change."""
        if self.mine:
            await self.read(self.world.choice.choice(self.mine[-5:]))

    async def _read_another(self) -> None:
        if self._everybodys:
            await self.read(self.world.choice.choice(self._everybodys[-20:]))

    async def _orders_by_state(self) -> None:
        await self.orders(self.world.choice.choice(["PENDING", "PROCESSED"]))

    async def watch(self) -> None:
        """Keep a stream of notifications open, resumed by its last event; until cancelled."""
        while True:
            await self._follow(f"{self.name} stream {next(self._connections)}")
            await asyncio.sleep(self.world.choice.uniform(0.1, 0.5))

    async def _follow(self, connection: str) -> None:
        headers = await self._headers()
        if self._last_event_id:
            headers["Last-Event-ID"] = self._last_event_id
        url = self.receiver("/api/notifications/stream")
        timeout = httpx.Timeout(REQUEST_SECONDS, read=40)  # a comment comes every 15 s
        invoked = time.time()
        status, code = None, None
        try:
            async with self._http.stream("GET", url, headers=headers, timeout=timeout) as answer:
                status = answer.status_code
                if answer.is_error:
                    await answer.aread()
                    code = answer.json()["code"]
                else:
                    self._record_stream(connection, invoked, status, None)
                    await self._take_events(connection, answer)
                    return
        except (httpx.TransportError, json.JSONDecodeError) as error:
            if status == 200:
                return  # it was recorded, and broke later
            code = type(error).__name__
        self._record_stream(connection, invoked, status, code)

    def _record_stream(
        self, connection: str, invoked: float, status: int | None, code: str | None
    ) -> None:
        outcome = _outcome(status, code)
        now = time.time()
        self.record(Operation(self.name, "stream", connection, invoked, now, outcome, status, code))

    async def _take_events(self, connection: str, answer: httpx.Response) -> None:
        """Record each event (WHATWG HTML §9.2) as it comes."""
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
                continue
            if fields.get("event") == "notification":
                now = time.time()
                value = json.loads(fields["data"])
                self.record(
                    Operation(self.name, "event", connection, now, now, "ok", 200, value=value)
                )
                self._last_event_id = fields["id"]
                self.streamed.add(value["order_id"])
            fields = {}

    async def is_listed(self) -> bool:
        """List orders and notifications; False if that failed."""
        return await self.orders() is not None and await self.notifications() is not None

    async def is_served(self) -> bool:
        """Return whether every order is processed, listed as notified, and came by a stream."""
        orders, notifications = await self.orders(), await self.notifications()
        if orders is None or notifications is None:
            return False
        ids = {order["id"] for order in orders} | set(self.mine)
        notified = {item["order_id"] for item in notifications}
        is_processed = all(order["estado"] == "PROCESSED" for order in orders)
        return is_processed and ids <= notified and ids <= self.streamed


class Operator(Client):
    """Reads everybody's orders, and processes some before the poller does."""

    async def work(self) -> None:
        """Do random things until the run is over."""
        while not self.world.over.is_set():
            pending = await self.orders("PENDING")
            if pending:
                order = self.world.choice.choice(pending)
                await self._mark(order["id"])
                await self.read(order["id"])
            await self.rest()

    async def _mark(self, order_id: str) -> None:
        url = self.api(f"/api/orders/{order_id}/mark-processed")
        self.record(await self.request("mark", order_id, "POST", url))

    async def dead(self) -> bool:
        """List the deliveries given up; False if that failed."""
        url = self.api("/api/deliveries")
        return await self.listing("dead", url, state="DEAD") is not None


@asynccontextmanager
async def closing(*clients: Client) -> AsyncGenerator[None]:
    """Close clients at the end of the block."""
    try:
        yield
    finally:
        for client in clients:
            await client.close()


def _order(tag: str) -> dict[str, Any]:
    line = {"producto": "Abrigo", "color": "azul", "cantidad": 1, "precio_unitario": 24.9}
    return {"cliente": tag, "items": [line]}


def _outcome(status: int | None, code: str | None) -> Outcome:
    """Return an answer's promise; 409 while another request is in flight promises nothing."""
    if status is None or code in ("outcome_unknown", "idempotency_in_flight"):
        return "unknown"
    if status < 400:
        return "ok" if code is None else "unknown"
    return "unknown" if status >= 500 and code != "database_unavailable" else "fail"
