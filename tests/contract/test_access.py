"""Who may call what: every operation of both services, by every kind of caller.

A route that the table does not know fails here: decide first who may call it.
"""

import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import jwt
import pytest
from fastapi.routing import APIRoute, APIRouter
from pydantic import SecretStr
from starlette.routing import BaseRoute

import swapshop_api.app
import swapshop_receiver.app
from support.receiver.events import order_blocked, signed, webhook_id_of
from support.servers.processes import free_port
from support.system.up_process import up
from support.waiting import wait_until
from swapshop_api.signing_keys.store import read_keys
from swapshop_kit.access_tokens import ALGORITHM
from swapshop_kit.ids import new_id
from swapshop_kit.webhook_events import webhook_path
from swapshop_local.contracts import contracts
from swapshop_local.data import DataFolder
from swapshop_local.demo import OPERATOR, PASSWORD

CALLERS: Final = ("anonymous", "owner", "stranger", "operator", "internal", "expired", "forged")
"""No token; the customer whose order it is; another; the store's staff; the poller; the owner's
token after its end, and with another key's signature."""

Answers = tuple[int, int, int, int, int, int, int]
"""The expected status, by caller."""

ANYONE: Final[Answers] = (200, 200, 200, 200, 200, 200, 200)
USERS: Final[Answers] = (401, 200, 200, 200, 401, 401, 401)
OWNER_AND_OPERATORS: Final[Answers] = (401, 200, 404, 200, 401, 401, 401)
OWNER: Final[Answers] = (401, 200, 404, 404, 401, 401, 401)
OPERATORS: Final[Answers] = (401, 403, 403, 200, 401, 401, 401)
NOBODY: Final[Answers] = (401, 401, 401, 401, 401, 401, 401)
"""A token is no way in: it takes a password, a cookie, a client's secret or a signature."""
POLLER: Final[Answers] = (401, 401, 401, 401, 200, 401, 401)

TABLE: Final[Mapping[str, Answers]] = {
    "GET /.well-known/jwks.json": ANYONE,
    "GET /internal/auth/ended-sessions": ANYONE,
    "POST /api/auth/login": NOBODY,
    "POST /api/auth/register": (422, 422, 422, 422, 422, 422, 422),
    "POST /api/auth/refresh": NOBODY,
    "POST /api/auth/logout": (204, 204, 204, 204, 204, 204, 204),
    "GET /api/auth/me": USERS,
    "POST /api/auth/password": (401, 422, 422, 422, 401, 401, 401),
    "GET /api/orders": USERS,
    "GET /api/orders/pending": USERS,
    "GET /api/orders/processed": USERS,
    "POST /api/orders": (401, 201, 201, 201, 401, 401, 401),
    "GET /api/orders/{order_id}": OWNER_AND_OPERATORS,
    "GET /api/orders/{order_id}/timeline": OWNER_AND_OPERATORS,
    "POST /api/orders/{order_id}/mark-processed": OPERATORS,
    "GET /api/deliveries": OPERATORS,
    "GET /api/deliveries/{delivery_id}": OPERATORS,
    "POST /api/deliveries/{delivery_id}/redrive": OPERATORS,
    "GET /api/pipeline": OPERATORS,
    "GET /api/audit": OPERATORS,
    "POST /internal/auth/token": NOBODY,
    "POST /internal/dispatch/leases": POLLER,
    "POST /internal/dispatch/leases/{lease_token}/receipt": (401, 401, 401, 401, 204, 401, 401),
    "POST /internal/dispatch/leases/{lease_token}/results": POLLER,
    "GET /api/notifications": USERS,
    "GET /api/notifications?user_id={user_id}": OPERATORS,
    "POST /api/notifications/read-all": USERS,
    "POST /api/notifications/{id}/read": OWNER,
    "GET /api/notifications/stream": USERS,
    "POST /webhooks/order-ready": NOBODY,
    "POST /webhooks/order-blocked": NOBODY,
}
"""By operation, of the contract or a variant of one."""

LINE: Final = {"producto": "Abrigo", "cantidad": 1, "precio_unitario": 24.9}
ORDER: Final = {"cliente": "Ana", "items": [LINE]}
BODIES: Final[Mapping[str, Any]] = {
    "POST /api/auth/login": {"email": "nobody@example.com", "password": "of nobody at all"},
    "POST /api/auth/register": {},
    "POST /api/auth/password": {},
    "POST /api/orders": ORDER,
    "POST /internal/dispatch/leases": {
        "lease_token": new_id(),
        "limit": 1,
        "lease_seconds": 20,
    },
    "POST /internal/dispatch/leases/{lease_token}/results": {
        "results": [{"delivery_id": new_id(), "outcome": "released"}]
    },
    "POST /webhooks/order-ready": {},
    "POST /webhooks/order-blocked": {},
}
"""What is sent, where a body is needed to come as far as the question who calls."""
FORMS: Final = {"POST /internal/auth/token": {"grant_type": "client_credentials"}}

ROUTERS: Final[tuple[APIRouter, ...]] = (
    *swapshop_api.app.PUBLIC,
    *swapshop_api.app.INTERNAL,
    *swapshop_receiver.app.PUBLIC_ROUTERS,
    *swapshop_receiver.app.INTERNAL_ROUTERS,
)


@dataclass(frozen=True)
class Shop:
    """A running system with one notified order, and a token for each caller."""

    http: httpx.Client
    tokens: Mapping[str, str | None]
    names: Mapping[str, str]
    """What stands in braces in the table."""

    def status(self, operation: str, caller: str) -> tuple[int, str]:
        """Send an operation and return the status, and the body unless it is a stream."""
        method, _, path = operation.partition(" ")
        token = self.tokens[caller]
        self.http.cookies.clear()
        origin = str(self.http.base_url).rstrip("/")
        headers = {"Origin": origin} | ({"Authorization": f"Bearer {token}"} if token else {})
        with self.http.stream(
            method,
            path.format_map(self.names),
            json=BODIES.get(operation),
            data=FORMS.get(operation),
            headers=headers,
        ) as answer:
            is_endless = answer.headers.get("content-type", "").startswith("text/event-stream")
            return answer.status_code, "" if is_endless else answer.read().decode()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    folder = tmp_path_factory.mktemp("access")
    with up(folder, free_port()) as running:
        running.wait()
        with httpx.Client(base_url=running.url, timeout=30) as http:
            yield _prepare(http, DataFolder(folder / "data"))


def _prepare(http: httpx.Client, data: DataFolder) -> Shop:
    owner, stranger = _register(http, "owner"), _register(http, "stranger")
    login = {"email": OPERATOR, "password": PASSWORD}
    operator = http.post("/api/auth/login", json=login).raise_for_status().json()["token"]
    placed = http.post("/api/orders", json=ORDER, headers=_bearer(owner))
    order_id = placed.raise_for_status().json()["id"]

    def deliveries() -> Any:
        answer = http.get("/api/deliveries?state=DONE", headers=_bearer(operator))
        return answer.raise_for_status().json()["items"]

    wait_until(lambda: bool(deliveries()), 60)
    (delivery,) = deliveries()
    listed = http.get("/api/notifications", headers=_bearer(owner)).raise_for_status()
    (notification,) = listed.json()["items"]
    return Shop(
        http,
        {
            "anonymous": None,
            "owner": owner,
            "stranger": stranger,
            "operator": operator,
            "internal": _internal_token(http, data),
            "expired": _expired(owner, data),
            "forged": _forged(owner, stranger),
        },
        {
            "order_id": order_id,
            "delivery_id": delivery["id"],
            "id": notification["id"],
            "operators_id": _announce_blocked(http, data),
            "user_id": _claims(owner)["sub"],
            "lease_token": new_id(),
        },
    )


def _announce_blocked(http: httpx.Client, data: DataFolder) -> str:
    """Send the operators a notification and return its id."""
    event = order_blocked()
    body, id_ = json.dumps(event).encode(), webhook_id_of(event)
    headers = signed(body, id_, SecretStr(data.prepare().webhook_secret))
    http.post(webhook_path(event["evento"]), content=body, headers=headers).raise_for_status()
    return id_


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _register(http: httpx.Client, name: str) -> str:
    account = {"nombre": name, "email": f"{name}@example.com", "password": "seven grey herons wade"}
    answer = http.post("/api/auth/register", json=account)
    return str(answer.raise_for_status().json()["token"])


def _internal_token(http: httpx.Client, data: DataFolder) -> str:
    answer = http.post(
        "/internal/auth/token",
        data={"grant_type": "client_credentials"},
        auth=("poller", data.prepare().client_secret),
    )
    return str(answer.raise_for_status().json()["access_token"])


def _claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def _expired(token: str, data: DataFolder) -> str:
    """Return the token as it would have been an hour ago."""
    keys = {key.kid: key.private_key for key in read_keys(data.signing_keys)}
    kid = jwt.get_unverified_header(token)["kid"]
    an_hour_ago = int(time.time()) - 3600
    claims = _claims(token) | {"iat": an_hour_ago, "exp": an_hour_ago + 600}
    return jwt.encode(claims, keys[kid], ALGORITHM, {"kid": kid})


def _forged(token: str, other: str) -> str:
    """Return the token with the signature of another one."""
    return ".".join([*token.split(".")[:2], other.split(".")[2]])


def test_the_table_knows_every_operation_and_no_other() -> None:
    documented = {
        f"{method.upper()} {path}"
        for name, document in contracts().items()
        if name.endswith(".openapi.json")
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert {operation.partition("?")[0] for operation in TABLE} == documented


def test_only_operators_see_and_mark_a_notification_for_operators(shop: Shop) -> None:
    id_ = shop.names["operators_id"]
    lists = {caller: shop.status("GET /api/notifications", caller)[1] for caller in CALLERS}
    mark = "POST /api/notifications/{operators_id}/read"
    statuses = tuple(shop.status(mark, caller)[0] for caller in CALLERS)

    assert {caller for caller, body in lists.items() if id_ in body} == {"operator"}
    assert statuses == (401, 404, 404, 200, 401, 401, 401)


def test_every_route_is_in_a_contract() -> None:
    routes: list[BaseRoute] = [route for router in ROUTERS for route in router.routes]
    hidden = [
        route for route in routes if not (isinstance(route, APIRoute) and route.include_in_schema)
    ]
    assert hidden == []


@pytest.mark.parametrize("operation", TABLE)
def test_a_caller_gets_what_the_table_says(operation: str, shop: Shop) -> None:
    answers = {caller: shop.status(operation, caller) for caller in CALLERS}

    statuses = {caller: status for caller, (status, _) in answers.items()}
    assert statuses == dict(zip(CALLERS, TABLE[operation], strict=True))
    if TABLE[operation] is not NOBODY:  # one answer for every defect of a token
        refusals = {json.loads(body)["code"] for status, body in answers.values() if status == 401}
        assert refusals <= {"unauthenticated"}
    # whatever they are answered, it tells others nothing of the owner's order
    owned = {shop.names[name] for name in ("order_id", "id", "user_id", "delivery_id")}
    for caller in ("anonymous", "stranger", "expired", "forged"):
        assert not [name for name in owned if name in answers[caller][1]], (operation, caller)
