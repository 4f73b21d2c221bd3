"""A customer in front of the Ingress, and the traffic of several."""

import re
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

PASSWORD: Final = "a-long-enough-password"
SCRIPT: Final = re.compile(r'<script type="module"[^>]* src="(/assets/[^"]+)"')
"""In the page, whose path it gives."""
LINE: Final = {"producto": "Abrigo", "cantidad": 1, "precio_unitario": 24.90, "color": "azul"}


class Addressed(httpx.HTTPTransport):
    """Connects to an address, and asks in TLS for the certificate of a host."""

    def __init__(self, host: str, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls)
        self._host = host

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        request.extensions["sni_hostname"] = self._host
        return super().handle_request(request)


class Door:
    """Where the Ingress listens.

    Args:
        address: IP address, and port unless it is 80, or 443 with TLS.
        host: name that it serves.
        tls: whom to trust; None: it is entered without TLS.
    """

    def __init__(self, address: str, host: str, tls: ssl.SSLContext | None = None) -> None:
        self.address = address
        self.host = host
        self._tls = tls
        self._scheme = "http" if tls is None else "https"
        self.origin = f"{self._scheme}://{host}"
        self._clients: list[httpx.Client] = []

    def client(self) -> httpx.Client:
        """Open a client with its own connections, which ``close`` ends."""
        client = httpx.Client(
            base_url=f"{self._scheme}://{self.address}",
            headers={"Host": self.host},
            transport=None if self._tls is None else Addressed(self.host, self._tls),
            timeout=20,
        )
        self._clients.append(client)
        return client

    def close(self) -> None:
        """End every client's connections."""
        for client in self._clients:
            client.close()


class Customer:
    """A new customer, registered and signed in.

    Args:
        door: the Ingress.
    """

    def __init__(self, door: Door) -> None:
        self.http = door.client()
        self._origin = door.origin
        self.email = f"{secrets.token_hex(8)}@swapshop.test"
        account = {"nombre": "Lucía", "email": self.email, "password": PASSWORD}
        answer = self.http.post("/api/auth/register", json=account)
        assert answer.status_code == 201, answer.text
        self._accept(answer)

    def _accept(self, answer: httpx.Response) -> None:
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def sign_in(self) -> None:
        """Sign in again, with a new session."""
        body = {"email": self.email, "password": PASSWORD}
        answer = self.http.post("/api/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        self._accept(answer)

    def refresh(self) -> int:
        """Rotate the refresh token and return the status."""
        answer = self.http.post("/api/auth/refresh", headers={"Origin": self._origin})
        if answer.status_code == 200:
            self._accept(answer)
        return answer.status_code

    def sign_out(self) -> None:
        """End the session; the access token stays, to see what it is still good for."""
        answer = self.http.post("/api/auth/logout", headers={"Origin": self._origin})
        assert answer.status_code == 204, answer.text

    def place(self, key: str | None = None) -> httpx.Response:
        """Send an order once."""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        order = {"cliente": "Lucía", "items": [LINE]}
        return self.http.post("/api/orders", json=order, headers=headers)

    def placed(self, seconds: float = 120) -> str:
        """Send an order, the same again while it fails, and return its id."""
        key = secrets.token_hex(16)
        end = time.monotonic() + seconds
        while True:
            try:
                answer = self.place(key)
            except httpx.TransportError as error:
                told = repr(error)
            else:
                if answer.status_code == 201:
                    return str(answer.json()["id"])
                told = f"{answer.status_code} {answer.text}"
                assert answer.status_code in (404, 409, 502, 503, 504), told
            if time.monotonic() > end:
                raise TimeoutError(f"no order within {seconds} s: {told}")
            time.sleep(0.2)

    def read(self, order_id: str) -> httpx.Response:
        """Read an order."""
        return self.http.get(f"/api/orders/{order_id}")

    def orders(self) -> dict[str, Any]:
        """Return every order by its id."""
        return {item["id"]: item for item in self._pages("/api/orders")}

    def notified(self) -> list[str]:
        """Return the orders of every notification, the newest first."""
        return [item["order_id"] for item in self._pages("/api/notifications")]

    def is_notified(self, order_id: str) -> bool:
        """Return whether an order's notification is among the newest."""
        answer = self.http.get("/api/notifications").raise_for_status()
        return any(item["order_id"] == order_id for item in answer.json()["items"])

    def _pages(self, path: str) -> Generator[dict[str, Any]]:
        cursor = None
        while True:
            parameters = {"limit": 100, **({"cursor": cursor} if cursor else {})}
            page = self.http.get(path, params=parameters).raise_for_status().json()
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return


@dataclass
class Traffic:
    """Requests of several customers, repeated without retries."""

    requests: int = 0
    failures: list[str] = field(default_factory=list[str])
    orders: dict[Customer, list[str]] = field(default_factory=dict[Customer, list[str]])
    """Those answered 201."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, what: str, answer: httpx.Response | httpx.HTTPError) -> None:
        """Count a request, and keep what went wrong."""
        with self._lock:
            self.requests += 1
            if isinstance(answer, httpx.HTTPError):
                self.failures.append(f"{what}: {answer!r}")
            elif answer.is_error:
                self.failures.append(f"{what}: {answer.status_code} {answer.text[:200]}")


@contextmanager
def traffic(door: Door, customers: int = 4, pause: float = 0.1) -> Generator[Traffic]:
    """Let customers place and read orders during a block.

    Args:
        door: the Ingress.
        customers: how many at once.
        pause: seconds between two requests of one.
    """
    counted, stop = Traffic(), threading.Event()
    those = [Customer(door) for _ in range(customers)]
    counted.orders.update({customer: [customer.placed()] for customer in those})

    # of the page that is open from the beginning
    script = SCRIPT.findall(those[0].http.get("/").raise_for_status().text)[0]

    def shop(customer: Customer, orders: list[str]) -> None:
        def place() -> httpx.Response:
            answer = customer.place()
            if answer.status_code == 201:
                orders.append(answer.json()["id"])
            return answer

        steps: dict[str, Callable[[], httpx.Response]] = {
            "page": lambda: customer.http.get("/"),
            "script": lambda: customer.http.get(script),
            "read": lambda: customer.read(orders[0]),
            "place": place,
            "list": lambda: customer.http.get("/api/orders"),
            "notifications": lambda: customer.http.get("/api/notifications"),
        }
        while not stop.is_set():
            for name, step in steps.items():
                try:
                    counted.record(name, step())
                except httpx.HTTPError as error:
                    counted.record(name, error)
                stop.wait(pause)

    threads = [threading.Thread(target=shop, args=shopper) for shopper in counted.orders.items()]
    for thread in threads:
        thread.start()
    try:
        yield counted
    finally:
        stop.set()
        for thread in threads:
            thread.join()
