"""Limits of connections: heads, trailers, bodies, and how many there are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import repeat

import httpx
import pytest
from fastapi import FastAPI, Request

from support.servers.kit_server import BOUND, connected, serving
from support.waiting import until
from swapshop_kit import web
from swapshop_kit.http_protocol import MAX_PIPELINED, REFUSED_CONNECTIONS, HttpLimits

_GET = "GET /headers HTTP/1.1\r\nHost: x\r\n"
_CHUNKED = "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
_SOON = HttpLimits(head_seconds=0.3, window_seconds=0.3)
_HEAD_BYTES = 64 * 1024
_MARGIN = 8 * 1024


@dataclass
class _Echo:
    """An application that returns the headers it sees and the length of the body."""

    may_read: asyncio.Event = field(default_factory=asyncio.Event)
    begun: int = 0

    def app(self) -> FastAPI:
        router = web.router(tag="echo", max_body_bytes=1024 * 1024)

        @router.get("/headers")
        async def headers(request: Request) -> dict[str, int]:
            self.begun += 1
            return {name: len(value) for name, value in request.headers.items()}

        @router.post("/body")
        async def body(request: Request) -> dict[str, str | int]:
            size = len(await request.body())
            return {"size": size, **request.headers}

        @router.post("/late")
        async def late(request: Request) -> int:
            await self.may_read.wait()
            return len(await request.body())

        @router.post("/unread")
        async def unread() -> str:
            return "unread"

        return web.create_app("echo", "1", [router])


@pytest.fixture
def echo() -> _Echo:
    return _Echo()


@pytest.mark.parametrize("in_one_segment", [True, False])
async def test_a_trailer_is_no_header(echo: _Echo, in_one_segment: bool) -> None:
    trailer = "0\r\nX-Forwarded-For: 203.0.113.7\r\nAuthorization: Bearer x\r\n\r\n"
    async with serving(echo.app()) as server, connected(server.port) as wire:
        pieces = [_CHUNKED, "2\r\nhi\r\n", trailer]
        for piece in ["".join(pieces)] if in_one_segment else pieces:
            wire.send(piece)
            await wire.writer.drain()
        await wire.head()
        answer = await wire.reader.readuntil(b"}")

    assert b'"size":2' in answer
    assert b"203.0.113.7" not in answer
    assert b"bearer" not in answer.lower()


async def test_a_request_after_a_trailer_has_its_headers(echo: _Echo) -> None:
    async with serving(echo.app()) as server, connected(server.port) as wire:
        wire.send(f"{_CHUNKED}0\r\nX-Late: 1\r\n\r\n{_GET}X-Own: 12345\r\n\r\n")
        await wire.head()
        await wire.reader.readuntil(b"}")
        await wire.head()

        assert b'"x-own":5' in await wire.reader.readuntil(b"}")


@pytest.mark.parametrize("lines", [1, 600])
async def test_a_head_of_almost_64_kib_is_read(echo: _Echo, lines: int) -> None:
    value = "x" * ((_HEAD_BYTES - 1000) // lines - 20)
    head = _GET + "".join(f"X-{number:03}: {value}\r\n" for number in range(lines)) + "\r\n"
    async with serving(echo.app()) as server, connected(server.port) as wire:
        wire.send(head)

        assert (await wire.head()).startswith("http/1.1 200 ")


async def test_a_larger_head_is_431_and_the_end_of_its_connection(echo: _Echo) -> None:
    async with serving(echo.app()) as server, connected(server.port) as wire:
        wire.send(_GET + "X-Large: " + "x" * (_HEAD_BYTES + _MARGIN))
        answer = await wire.rest()

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"code":"head_too_large"' in answer
    assert b"content-type: application/problem+json" in answer
    assert b"x-content-type-options: nosniff" in answer
    assert echo.begun == 0


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(_GET + "X-Endless: ", id="header"),
        pytest.param("GET /", id="request line"),
        pytest.param("\r\n", id="blank lines"),
        pytest.param(f"{_CHUNKED}2\r\nhi\r\n0\r\nX-Endless: ", id="trailer"),
        pytest.param(f"{_CHUNKED}2;", id="chunk extension"),
    ],
)
async def test_what_has_no_end_is_cut_after_64_kib(echo: _Echo, start: str) -> None:
    """Even if it arrives in small pieces, each of them in time."""
    filler = b"\r\n" * 500 if start == "\r\n" else b"x" * 1000
    async with serving(echo.app()) as server, connected(server.port) as wire:
        wire.send(start)
        ended = asyncio.create_task(wire.rest())
        sent = 0
        while not ended.done():
            assert sent < 1000 * 1000, "more than the limit was taken"
            wire.send(filler)
            sent += len(filler)
            await asyncio.sleep(0)
            await asyncio.wait([ended], timeout=0.01)


@pytest.mark.parametrize("before", ["", f"{_GET}\r\n"], ids=["first", "second"])
async def test_half_a_head_is_given_up(echo: _Echo, before: str) -> None:
    async with serving(echo.app(), limits=_SOON) as server, connected(server.port) as wire:
        if before:
            wire.send(before)
            await wire.head()
            await wire.reader.readuntil(b"}")
        wire.send(_GET)
        answer = await wire.rest()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer


async def test_a_silent_connection_is_closed(echo: _Echo) -> None:
    async with serving(echo.app(), limits=_SOON) as server, connected(server.port) as wire:
        assert await wire.rest() == b""


async def test_an_idle_connection_waits_longer_than_a_head_may(echo: _Echo) -> None:
    async with serving(echo.app(), limits=_SOON) as server, connected(server.port) as idle:
        idle.send(f"{_GET}\r\n")
        await idle.head()
        await idle.reader.readuntil(b"}")
        async with connected(server.port) as younger:
            assert await younger.rest() == b""
        idle.send(f"{_GET}\r\n")

        assert (await idle.head()).startswith("http/1.1 200 ")


@pytest.mark.parametrize("sent", [0, 99], ids=["no byte", "some bytes"])
async def test_a_body_that_does_not_come_is_given_up(echo: _Echo, sent: int) -> None:
    async with serving(echo.app(), limits=_SOON) as server, connected(server.port) as wire:
        wire.send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + "x" * sent)
        answer = await wire.rest()

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_slow_body_is_read_while_it_keeps_the_rate(echo: _Echo) -> None:
    limits = HttpLimits(window_seconds=0.2, min_bytes_per_second=5)
    loop = asyncio.get_running_loop()

    async def chunks() -> AsyncIterator[bytes]:
        begun = loop.time()
        for window in range(8):
            await until(lambda due=begun + window * 0.1: loop.time() > due)
            yield b"x" * 100

    async with serving(echo.app(), limits=limits) as server, httpx.AsyncClient() as client:
        answer = await client.post(f"{server.url}/body", content=chunks(), timeout=BOUND)

    assert answer.json()["size"] == 800


@pytest.mark.parametrize("expects", [False, True], ids=["paused", "100-continue"])
async def test_a_body_that_waits_for_the_application_is_not_slow(
    echo: _Echo, expects: bool
) -> None:
    """The server stops reading after 64 KiB, and a client may wait for 100 Continue."""
    limits = HttpLimits(window_seconds=0.2)
    size = 500_000
    head = f"POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n"
    loop = asyncio.get_running_loop()
    async with serving(echo.app(), limits=limits) as server, connected(server.port) as wire:
        wire.send(head + ("Expect: 100-continue\r\n\r\n" if expects else "\r\n"))
        if not expects:
            wire.send(b"x" * size)
        windows_over = loop.time() + 1
        await until(lambda: loop.time() > windows_over)
        echo.may_read.set()
        if expects:
            assert (await wire.head()).startswith("http/1.1 100 ")
            wire.send(b"x" * size)

        assert (await wire.head()).startswith("http/1.1 200 ")


async def test_an_early_answer_leaves_no_connection_without_a_timer(echo: _Echo) -> None:
    async with serving(echo.app(), keep_alive_seconds=1) as server, connected(server.port) as wire:
        wire.send("POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        assert (await wire.head()).startswith("http/1.1 200 ")
        wire.send(b"x" * 10)

        assert await wire.rest() == b'"unread"'


async def test_connections_beyond_the_limit_are_told_and_other_ports_stay_open(
    echo: _Echo,
) -> None:
    limits = HttpLimits(max_connections=2)
    async with serving(echo.app(), echo.app(), limits=limits) as server, AsyncExitStack() as stack:
        places = [await stack.enter_async_context(connected(server.port)) for _ in range(2)]
        async with httpx.AsyncClient() as client:
            refused = await client.get(f"{server.url}/headers", headers={"Accept-Language": "en"})
            probe = await client.get(server.url.replace(str(server.port), str(server.ports[1])))
            places[0].writer.transport.abort()

            async def is_served() -> bool:
                return (await client.get(f"{server.url}/headers")).status_code == 200

            await until(is_served)

    assert (refused.status_code, refused.json()["code"]) == (503, "too_many_connections")
    assert refused.headers["connection"] == "close"
    assert refused.headers["retry-after"] == "2"
    assert refused.headers["content-language"] == "en"
    assert probe.status_code == 404


async def test_far_beyond_the_limit_connections_are_closed_at_once(echo: _Echo) -> None:
    limits = HttpLimits(max_connections=1)
    async with serving(echo.app(), limits=limits) as server, AsyncExitStack() as stack:
        for _ in repeat(None, 1 + REFUSED_CONNECTIONS):
            await stack.enter_async_context(connected(server.port))
        last = await stack.enter_async_context(connected(server.port))

        assert await last.rest() == b""


async def test_requests_without_end_on_one_connection_are_refused(echo: _Echo) -> None:
    async with serving(echo.app()) as server, connected(server.port) as wire:
        wire.send(f"{_GET}\r\n" * 1000)
        await wire.rest()

    assert echo.begun <= 1 + MAX_PIPELINED
