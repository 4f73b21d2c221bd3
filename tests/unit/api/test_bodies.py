"""No body is read, and none parsed, before the head of its request is known to be allowed."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Message, Scope

import swapshop_api.app
import swapshop_receiver.app
from swapshop_api.auth.origins import Origins
from swapshop_api.clients.domain import Clients
from swapshop_kit.provided import provide
from swapshop_kit.web import MAX_CREDENTIALS_BYTES

_APPS = {"api": swapshop_api.app.contract_app(), "receiver": swapshop_receiver.app.contract_app()}


def _operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


_WITH_TOKEN = [
    (name, method, path)
    for name, app in _APPS.items()
    for method, path, operation in _operations(app)
    if operation.get("security")
]


async def _call(
    app: FastAPI, method: str, path: str, headers: dict[str, str]
) -> list[MutableMapping[str, Any]]:
    """Call with a body that fails the test when it is asked for."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> Message:
        pytest.fail("the body was asked for")

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return sent


def test_there_are_routes_with_tokens_and_bodies() -> None:
    assert ("api", "POST", "/api/orders") in _WITH_TOKEN
    assert ("api", "POST", "/api/auth/password") in _WITH_TOKEN
    assert ("api", "POST", "/internal/dispatch/leases") in _WITH_TOKEN
    assert ("receiver", "POST", "/api/notifications/read-all") in _WITH_TOKEN


@pytest.mark.parametrize(("name", "method", "path"), _WITH_TOKEN)
async def test_without_a_token_no_body_is_read(name: str, method: str, path: str) -> None:
    headers = {"content-type": "application/json", "content-length": "200000"}
    answers = await _call(_APPS[name], method, path.replace("{", "").replace("}", ""), headers)

    assert answers[0]["status"] == 401


async def test_without_the_headers_of_a_signature_no_webhook_is_read() -> None:
    app = swapshop_receiver.app.contract_app()
    answers = await _call(app, "POST", "/webhooks/order-ready", {"content-length": "200000"})

    assert answers[0]["status"] == 401


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/register", "/internal/auth/token"])
async def test_a_body_of_credentials_beyond_4_kib_is_not_read(path: str) -> None:
    app = swapshop_api.app.contract_app()
    provide(app, {Origins: Origins([]), Clients: None})  # no client is asked
    headers = {
        "content-type": "application/json",
        "content-length": str(MAX_CREDENTIALS_BYTES + 1),
    }
    answers = await _call(app, "POST", path, headers)

    assert MAX_CREDENTIALS_BYTES == 4 * 1024
    assert answers[0]["status"] == 413
