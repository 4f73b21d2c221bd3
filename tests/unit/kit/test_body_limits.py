"""Bodies over a route's limit are 413, whether their length is declared or not."""

from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from starlette.types import Message, Scope

from swapshop_kit import web

_LIMIT = 1000


@pytest.fixture
def app() -> FastAPI:
    small = web.router(tag="small", max_body_bytes=_LIMIT)
    usual = web.router(tag="usual")

    @small.post("/json")
    async def read_json(body: list[int]) -> int:
        return len(body)

    @small.post("/raw")
    async def read_raw(request: Request) -> int:
        return len(await request.body())

    async def digest(request: Request) -> int:
        return len(await request.body())

    @small.post("/dependency")
    async def by_dependency(size: int = Depends(digest)) -> int:
        return size

    @small.get("/none")
    async def read_nothing() -> int:
        return 0

    @usual.post("/usual")
    async def read_usual(request: Request) -> int:
        return len(await request.body())

    return web.create_app("t", "1", [small, usual])


async def _send(
    app: FastAPI, path: str, content: bytes | AsyncIterator[bytes], method: str = "POST"
) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        headers = {"Content-Type": "application/json"}
        return await client.request(method, path, content=content, headers=headers)


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 100):
        yield body[start : start + 100]


def _array(size: int) -> bytes:
    return b"[" + b" " * (size - 2) + b"]"


@pytest.mark.parametrize("path", ["/json", "/raw", "/dependency"])
async def test_a_body_at_the_limit_is_read(app: FastAPI, path: str) -> None:
    body = _array(_LIMIT)

    assert (await _send(app, path, body)).status_code == 200
    assert (await _send(app, path, _chunks(body))).status_code == 200


@pytest.mark.parametrize("path", ["/json", "/raw", "/dependency"])
async def test_one_byte_more_is_413(app: FastAPI, path: str) -> None:
    body = _array(_LIMIT + 1)

    for answer in (await _send(app, path, body), await _send(app, path, _chunks(body))):
        assert answer.status_code == 413
        assert answer.json()["code"] == "body_too_large"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-request-id"]


async def test_other_routers_allow_64_kib(app: FastAPI) -> None:
    assert (await _send(app, "/usual", b"x" * 64 * 1024)).text == "65536"
    assert (await _send(app, "/usual", b"x" * (64 * 1024 + 1))).status_code == 413


async def test_a_body_that_nobody_reads_has_no_limit(app: FastAPI) -> None:
    assert (await _send(app, "/none", b"x" * 5000, "GET")).status_code == 200


@pytest.mark.parametrize("declared", [b"1001", b"9" * 19, b"9" * 5000])
async def test_a_declared_length_is_refused_before_a_byte_is_read(
    app: FastAPI, declared: bytes
) -> None:
    answers = await _call(app, declared, receive_body=False)

    assert answers[0]["status"] == 413


@pytest.mark.parametrize("declared", [b"", b"-1", b"ten", b"1,000", "²".encode("latin-1")])
async def test_a_declared_length_that_is_no_number_is_measured(
    app: FastAPI, declared: bytes
) -> None:
    answers = await _call(app, declared, receive_body=True)

    assert answers[0]["status"] == 200


async def _call(
    app: FastAPI, declared: bytes, *, receive_body: bool
) -> list[MutableMapping[str, Any]]:
    """Call the app like a server that accepts any Content-Length."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> Message:
        assert receive_body, "the body was asked for"
        return {"type": "http.request", "body": b"[]", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/raw",
        "raw_path": b"/raw",
        "query_string": b"",
        "headers": [(b"content-length", declared)],
    }
    await app(scope, receive, send)
    return sent
