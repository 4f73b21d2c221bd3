"""Serving on real sockets: ports, and a drain that loses no request."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from textwrap import dedent

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from support.servers.kit_server import BOUND, connected, serving
from support.servers.processes import HOST
from support.waiting import until
from swapshop_kit import web
from swapshop_kit.serving import AddressTaken, Endpoint, listen, serve


@dataclass
class _Work:
    """An application whose slow route answers when the test allows it."""

    is_begun: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> FastAPI:
        router = web.router(tag="work", max_body_bytes=1000)

        @router.get("/quick")
        async def quick() -> str:
            return "quick"

        @router.get("/slow")
        async def slow() -> str:
            self.is_begun.set()
            await self.may_end.wait()
            return "slow"

        @router.get("/half")
        async def half() -> StreamingResponse:
            async def body() -> AsyncIterator[bytes]:
                yield b"half"
                raise RuntimeError("broken")

            return StreamingResponse(body())

        @router.post("/change")
        async def change() -> str:
            return await slow()

        @router.post("/body")
        async def body(request: Request) -> int:
            return len(await request.body())

        return web.create_app("work", "1", [router])


async def _is_refused(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was in the backlog when the listener closed
        return False
    writer.transport.abort()
    return False


def test_a_free_port_is_taken_once() -> None:
    with listen(HOST, 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(AddressTaken, match=f"{HOST}:{port} is in use"):
            listen(HOST, port)
    listen(HOST, port).close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.1", "2001:db8::1"])
def test_an_address_that_is_not_ours_is_told_likewise(host: str) -> None:
    with pytest.raises(AddressTaken, match=host):
        listen(host, 0)


async def test_several_ports_are_served_together_until_the_stop() -> None:
    listeners = [listen(HOST, 0), listen(HOST, 0)]
    urls = [f"http://{HOST}:{each.getsockname()[1]}/quick" for each in listeners]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient() as client:
        tasks.create_task(
            serve(
                [Endpoint(_Work().app(), each) for each in listeners],
                keep_alive_seconds=5,
                drain_seconds=5,
                on_drain=lambda: None,
                stop=stop,
            )
        )
        answers = [await client.get(url) for url in urls]
        stop.set()

    assert [answer.json() for answer in answers] == ["quick", "quick"]
    assert "server" not in answers[0].headers


async def test_a_drain_refuses_new_connections_and_finishes_the_rest() -> None:
    work = _Work()
    async with serving(work.app()) as server, httpx.AsyncClient() as client:
        slow = asyncio.create_task(client.get(f"{server.url}/slow"))
        await work.is_begun.wait()
        assert server.drained == []
        server.stop.set()
        await until(lambda: _is_refused(server.port))
        assert server.drained == ["now"]
        assert not server.task.done()
        work.may_end.set()

        answer = await slow
        assert (answer.status_code, answer.json()) == (200, "slow")
        await asyncio.wait_for(server.task, BOUND)


async def test_an_idle_connection_does_not_hold_up_the_drain() -> None:
    async with serving(_Work().app()) as server, httpx.AsyncClient() as client:
        await client.get(f"{server.url}/quick")
        server.stop.set()
        await asyncio.wait_for(server.task, BOUND)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("GET", "/slow", "server_stopping"), ("POST", "/change", "outcome_unknown")],
)
async def test_a_request_that_outlasts_the_drain_is_told_what_became_of_it(
    method: str, path: str, code: str
) -> None:
    work = _Work()
    async with serving(work.app(), drain_seconds=1) as server, httpx.AsyncClient() as client:
        url = f"{server.url}{path}"
        slow = asyncio.create_task(client.request(method, url, timeout=BOUND))
        await work.is_begun.wait()
        server.stop.set()

        await asyncio.wait_for(server.task, BOUND)
        answer = await slow
        assert (answer.status_code, answer.json()["code"]) == (503, code)
        assert answer.headers["connection"] == "close"


async def test_a_lame_duck_answers_what_still_comes_and_ends_each_connection() -> None:
    """A proxy may send on a connection that was idle at the signal, or open another."""
    async with (
        serving(_Work().app(), lame_duck_seconds=5) as server,
        connected(server.port) as idle,
    ):
        idle.send("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
        first = await idle.head()
        server.stop.set()
        await until(lambda: server.drained == ["now"])
        # uvicorn checks every 0.1 s whether to close its listener
        tick_is_over = asyncio.get_running_loop().time() + 0.5
        await until(lambda: asyncio.get_running_loop().time() > tick_is_over)
        idle.send("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await idle.reader.readexactly(len('"quick"')) == b'"quick"'
        last = await idle.head()
        rest = await idle.rest()
        async with connected(server.port) as new:
            new.send("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
            fresh = await new.head()

        assert first.startswith("http/1.1 200 ")
        assert "connection: close" not in first
        assert rest == b'"quick"'
        for head in (last, fresh):
            assert head.startswith("http/1.1 200 ")
            assert "connection: close\r\n" in head


async def test_an_answer_under_way_when_the_drain_begins_ends_its_connection() -> None:
    work = _Work()
    async with serving(work.app(), lame_duck_seconds=5) as server, httpx.AsyncClient() as client:
        slow = asyncio.create_task(client.get(f"{server.url}/slow"))
        await work.is_begun.wait()
        server.stop.set()
        await until(lambda: server.drained == ["now"])
        work.may_end.set()

        assert (await slow).headers["connection"] == "close"


async def test_half_an_answer_is_seen_as_broken() -> None:
    async with serving(_Work().app()) as server, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{server.url}/half")
        assert (await client.get(f"{server.url}/quick")).status_code == 200


async def test_a_body_over_the_limit_is_413_on_the_wire() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    async with serving(_Work().app()) as server, httpx.AsyncClient() as client:
        url = f"{server.url}/body"
        at_limit = await client.post(url, content=b"x" * 1000)
        declared = await client.post(url, content=b"x" * 1001)
        chunked = await client.post(url, content=chunks())

        assert at_limit.json() == 1000
        for answer in (declared, chunked):
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_huge_declared_body_is_refused_before_it_is_sent() -> None:
    async with serving(_Work().app()) as server, connected(server.port) as wire:
        wire.send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")

        assert (await wire.head()).startswith("http/1.1 413 ")


_PROGRAM = """
    import asyncio
    import uvloop
    from fastapi import FastAPI
    from swapshop_kit.serving import Endpoint, listen, serve

    async def main() -> None:
        app = FastAPI()
        begun = asyncio.Event()

        @app.get("/slow")
        async def slow() -> str:
            print("begun", flush=True)
            await draining.wait()
            return "slow"

        draining = asyncio.Event()
        listener = listen("127.0.0.1", 0)
        print(listener.getsockname()[1], flush=True)
        await serve(
            [Endpoint(app, listener)],
            keep_alive_seconds=95,
            drain_seconds=20,
            on_drain=draining.set,
        )
        print("ended", flush=True)

    uvloop.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_after_its_requests(number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", dedent(_PROGRAM), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(30), httpx.AsyncClient() as client:
            assert process.stdout is not None
            port = int(await process.stdout.readline())
            slow = asyncio.create_task(client.get(f"http://{HOST}:{port}/slow"))
            assert await process.stdout.readline() == b"begun\n"
            process.send_signal(number)
            answer = await slow
            rest = await process.stdout.read()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()

    assert (answer.status_code, answer.json()) == (200, "slow")
    assert rest.endswith(b"ended\n")


def test_a_listener_is_a_socket_of_its_own() -> None:
    with listen(HOST, 0) as one, listen(HOST, 0) as other:
        assert isinstance(one, socket.socket)
        assert one.getsockname() != other.getsockname()
        assert not one.getblocking()
