"""The poller on a broken network: real sockets that misbehave."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from support.poller.builders import delivery, poller_settings
from support.poller.servers import CLIENT_SECRET, ApiServer, ReceiverServer
from support.servers.processes import free_port
from support.servers.uvicorn_server import HOST, running
from support.waiting import until
from swapshop_poller.app import open_poller, run_loop
from swapshop_poller.contract import Result
from swapshop_poller.operations import Operations
from swapshop_poller.settings import PollerSettings

Misbehave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def settings(api_url: str, receiver_url: str, send_seconds: float = 10) -> PollerSettings:
    return poller_settings(
        api_url=api_url,
        receiver_url=receiver_url,
        client_secret=SecretStr(CLIENT_SECRET),
        idle_seconds=0.05,
        send_seconds=send_seconds,
    )


@asynccontextmanager
async def looping(chosen: PollerSettings) -> AsyncGenerator[None]:
    """Run the poller in this event loop, as in local mode, during the block."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_loop(chosen, stop))
        try:
            yield
        finally:
            stop.set()


async def first_result(receiver_url: str, send_seconds: float = 10) -> Result:
    """Return what is reported of a delivery to a receiver."""
    api = ApiServer([delivery()])
    async with (
        running(api.app) as api_url,
        looping(settings(api_url, receiver_url, send_seconds)),
    ):
        await until(lambda: bool(api.dispatch.reports))
    return api.dispatch.reports[0][1]


async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def talk_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"220 mail.test ESMTP\r\n\r\n")
    await writer.drain()
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def half_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("misbehave", "send_seconds", "outcome", "error"),
    [
        (close, 10, "away", "broken connection"),
        (talk_nonsense, 10, "away", "broken connection"),
        (say_nothing, 0.3, "away", "time-out"),
        (half_an_answer, 0.3, "delivered", ""),
    ],
)
async def test_a_broken_peer_is_told_apart(
    misbehave: Misbehave, send_seconds: float, outcome: str, error: str
) -> None:
    server = await asyncio.start_server(misbehave, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        result = await first_result(f"http://{HOST}:{port}", send_seconds)

    assert result.outcome == outcome
    assert (result.error or "").startswith(error)


async def test_a_status_that_http_does_not_have_is_told_in_words() -> None:
    async def answer_oddly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 799 Odd\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer_oddly, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        result = await first_result(f"http://{HOST}:{port}")

    assert (result.outcome, result.status, result.error) == ("retry", None, "HTTP 799")


async def test_nobody_is_no_connection() -> None:
    result = await first_result(f"http://{HOST}:{free_port()}")

    assert (result.outcome, result.error) == ("away", "no connection: ConnectError")


async def test_a_redirect_is_not_followed() -> None:
    receiver = ReceiverServer()
    receiver.status, receiver.headers = 308, {"location": "/webhooks/order-ready"}
    async with running(receiver.app) as url:
        result = await first_result(url)

    assert (result.outcome, result.status) == ("released", 308)
    assert len(receiver.received) == 1


async def test_connections_are_reused() -> None:
    receiver = ReceiverServer()
    api = ApiServer([delivery(number) for number in range(20)])
    peers: set[object] = set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        peers.add(scope["client"])
        await receiver.app(scope, receive, send)

    async with (
        running(app) as receiver_url,
        running(api.app) as api_url,
        looping(settings(api_url, receiver_url)),
    ):
        await until(lambda: len(api.dispatch.done) == 20)

    assert len(peers) <= 8


async def test_a_loop_that_hangs_is_not_alive() -> None:
    stop = asyncio.Event()
    async with open_poller(poller_settings(), stop) as poller:
        operations = Operations(poller, asyncio.get_running_loop(), turn_seconds=0.05)
        pages: list[tuple[int, str, bytes]] = []
        thread = threading.Thread(target=lambda: pages.append(operations.page("/livez")))
        thread.start()
        thread.join()  # blocks this event loop until the page is ready
        await asyncio.sleep(0)

        assert pages == [(503, "application/json", b'{"live": false}')]

        async def is_alive() -> bool:
            return (await asyncio.to_thread(operations.page, "/livez"))[0] == 200

        await until(is_alive)
