"""The receiver as a process of its own: three ports, its dependencies away, its end."""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import pytest
from fastapi import FastAPI

from support.receiver.events import PREVIOUS_SECRET, SECRET, order_ready, signed
from support.receiver.server import EventReader, Issuer
from support.servers.processes import free_port
from support.servers.uvicorn_server import running
from support.stores.servers import RedisServer
from support.waiting import until
from swapshop_kit.ids import new_id
from swapshop_kit.problems import DatabaseUnavailable

CLOSED_PORT = 9


@dataclass
class Process:
    """A receiver, and where its three ports are."""

    child: asyncio.subprocess.Process
    public: str
    internal: str
    operations: str


def environment(**values: str) -> dict[str, str]:
    """What a deployment sets; nothing of this machine's settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "PYTHONPATH", "HOME") or name.startswith("COVERAGE")
    }
    secrets = {
        "WEBHOOK_SECRET": SECRET.get_secret_value(),
        "WEBHOOK_SECRET_PREVIOUS": PREVIOUS_SECRET.get_secret_value(),
    }
    return kept | secrets | {"HOST": "127.0.0.1"} | values


async def start(command: str, **values: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "swapshop_receiver", command),
        env=environment(**values),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(command: str, **values: str) -> tuple[int | None, str]:
    """Runs a command to its end; gives its exit code and what it said on stderr."""
    child = await start(command, **values)
    async with asyncio.timeout(30):
        _, stderr = await child.communicate()
    return child.returncode, stderr.decode()


@asynccontextmanager
async def serving(**values: str) -> AsyncGenerator[Process]:
    ports = [free_port() for _ in range(3)]
    names = ("PUBLIC_PORT", "INTERNAL_PORT", "OPERATIONS_PORT")
    child = await start("serve", **values, **dict(zip(names, map(str, ports), strict=True)))
    process = Process(child, *(f"http://127.0.0.1:{port}" for port in ports))
    try:
        async with httpx.AsyncClient() as client:

            async def lives() -> bool:
                assert child.returncode is None, (await child.communicate())[1].decode()
                try:
                    return (await client.get(f"{process.operations}/livez")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(lives)
        yield process
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


@asynccontextmanager
async def key_server(issuer: Issuer, port: int = 0) -> AsyncGenerator[str]:
    """The api's key set; gives its URL."""
    app = FastAPI()
    app.add_api_route("/jwks.json", lambda: issuer.jwks)
    async with running(app, port) as url:
        yield f"{url}/jwks.json"


async def test_a_signal_ends_streams_politely_and_the_process_in_time(
    sqlite_url: str, valkey_server: RedisServer
) -> None:
    issuer, user = Issuer(), new_id()
    async with (
        key_server(issuer) as jwks_url,
        serving(DATABASE_URL=sqlite_url, REDIS_URL=valkey_server.url, JWKS_URL=jwks_url) as process,
        httpx.AsyncClient(timeout=20) as client,
    ):

        async def is_up() -> bool:
            readiness = (await client.get(f"{process.operations}/readyz")).json()
            # a busy Redis may take longer than it is given
            return readiness["dependencies"] == {"database": "up", "redis": "up", "keys": "up"}

        await until(is_up)
        async with client.stream(
            "GET", f"{process.public}/api/notifications/stream", headers=issuer.bearer(user)
        ) as response:
            reader = EventReader(response)
            event = order_ready(user_id=user)
            body = orjson.dumps(event)
            stored = await client.post(
                f"{process.internal}/webhooks/order-ready", content=body, headers=signed(body)
            )
            assert stored.json() == {"stored": True}
            assert await reader.next_order() == event["order_id"]
            metrics = (await client.get(f"{process.operations}/metrics")).text
            process.child.send_signal(signal.SIGTERM)
            [end] = await reader.rest()
            assert (end.event, end.data) == ("end", {"reason": "draining"})
        async with asyncio.timeout(15):
            stdout, _ = await process.child.communicate()
        assert process.child.returncode == 0
    for sample in (
        'swapshop_notifications_stored_total{event_type="ORDER_READY",result="stored"} 1.0',
        "swapshop_notification_streams 1.0",
        "swapshop_notification_hub_listening 1.0",
        'swapshop_database_durable{pool="receiver"} 1.0',
        'db_client_connection_count{pool="receiver",state="idle"} 1.0',
    ):
        assert sample in metrics
    assert re.search(r'swapshop_build_info\{service="receiver",version=".+"\} 1\.0', metrics)
    lines = [orjson.loads(line) for line in stdout.splitlines()]
    assert all(line["service"] == "receiver" for line in lines)
    assert [line["event"] for line in lines[-3:]] == ["drain.started", "request", "drain.finished"]


async def test_each_port_serves_its_own_routes_alone(
    sqlite_url: str, valkey_server: RedisServer
) -> None:
    async with (
        serving(
            DATABASE_URL=sqlite_url,
            REDIS_URL=valkey_server.url,
            JWKS_URL=f"http://127.0.0.1:{CLOSED_PORT}/",
        ) as process,
        httpx.AsyncClient() as client,
    ):
        paths = ("/api/notifications/docs", "/webhooks/order-ready", "/livez")
        found = {
            base: [(await client.get(base + path)).status_code for path in paths]
            for base in (process.public, process.internal, process.operations)
        }
    assert found == {
        process.public: [307, 404, 404],
        process.internal: [404, 405, 404],
        process.operations: [404, 404, 200],
    }


async def test_it_starts_without_redis_and_is_ready_once_it_had_the_keys(
    sqlite_url: str,
) -> None:
    issuer, port = Issuer(), free_port()
    async with (
        serving(
            DATABASE_URL=sqlite_url,
            REDIS_URL=f"redis://127.0.0.1:{CLOSED_PORT}/0",
            JWKS_URL=f"http://127.0.0.1:{port}/jwks.json",
        ) as process,
        httpx.AsyncClient(headers=issuer.bearer(new_id()), timeout=20) as client,
    ):
        ready_url = f"{process.operations}/readyz"
        readiness = (await client.get(ready_url)).json()
        assert readiness["ready"] is False
        assert readiness["dependencies"] == {"database": "up", "redis": "away", "keys": "away"}
        url = f"{process.public}/api/notifications"
        answer = await client.get(url)
        assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
        assert answer.headers["Retry-After"] == "2"

        async def is_let_in() -> bool:
            return (await client.get(url)).status_code == 200

        async with key_server(issuer, port):
            await until(is_let_in)
        assert await is_let_in()  # the last good set is kept
        assert (await client.get(ready_url)).json()["ready"] is True


async def test_it_is_not_ready_before_the_schema_is_there(
    tmp_path_factory: pytest.TempPathFactory, valkey_server: RedisServer
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('process') / 'new.db'}"
    async with (
        key_server(Issuer()) as jwks_url,
        serving(DATABASE_URL=url, REDIS_URL=valkey_server.url, JWKS_URL=jwks_url) as process,
        httpx.AsyncClient() as client,
    ):

        async def readiness() -> tuple[int, str, bool]:
            answer = await client.get(f"{process.operations}/readyz")
            body = answer.json()
            return answer.status_code, body["dependencies"]["keys"], body["ready"]

        async def has_keys() -> bool:
            return await readiness() == (503, "up", False)

        await until(has_keys)
        assert await run("migrate", DATABASE_URL=url) == (0, "")
        assert await readiness() == (200, "up", True)


async def test_a_defect_of_what_wakes_streams_ends_the_process(tmp_path: Path) -> None:
    """It would go on and refuse every stream."""
    file, issuer = tmp_path / "notifications.db", Issuer()
    url = f"sqlite+aiosqlite:///{file}"
    assert await run("migrate", DATABASE_URL=url) == (0, "")
    redis_url = f"redis://127.0.0.1:{CLOSED_PORT}/0"
    async with (
        key_server(issuer) as jwks_url,
        serving(DATABASE_URL=url, REDIS_URL=redis_url, JWKS_URL=jwks_url) as process,
        httpx.AsyncClient(base_url=process.public, headers=issuer.bearer(new_id())) as client,
        client.stream("GET", "/api/notifications/stream") as response,
    ):
        assert response.status_code == 200
        with closing(sqlite3.connect(file)) as database:
            database.execute("ALTER TABLE notifications RENAME COLUMN received_at TO at")
        async with asyncio.timeout(30):
            stdout, _ = await process.child.communicate()
        assert process.child.returncode == 1
    lines = [orjson.loads(line) for line in stdout.splitlines()]
    [failed] = [line for line in lines if line["event"] == "hub.failed"]
    assert failed["level"] == "error"
    assert "no such column" in failed["exception"]


async def test_settings_that_cannot_be_used_are_named_in_one_line() -> None:
    code, stderr = await run("serve", WEBHOOK_SECRET="whsec_tooshort", REDIS_URL="x")
    assert code == 2
    [line] = stderr.splitlines()
    for name in ("DATABASE_URL: ", "REDIS_URL: ", "WEBHOOK_SECRET: ", "JWKS_URL: "):
        assert name in line
    assert "tooshort" not in line


async def test_a_taken_port_is_named_in_one_line(sqlite_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, stderr = await run(
            "serve",
            DATABASE_URL=sqlite_url,
            REDIS_URL="redis://127.0.0.1:9/0",
            JWKS_URL="http://127.0.0.1:9/",
            PUBLIC_PORT="0",
            INTERNAL_PORT=str(port),
            OPERATIONS_PORT="0",
        )
    assert code == 2
    [line] = stderr.splitlines()
    assert f"127.0.0.1:{port} is in use" in line


async def test_a_migration_without_a_database_asks_to_try_again() -> None:
    url = f"mysql+asyncmy://nobody:nothing@127.0.0.1:{CLOSED_PORT}/none"
    code, stderr = await run("migrate", DATABASE_URL=url)
    assert code == 1
    [line] = stderr.splitlines()
    assert line.startswith(f"swapshop_receiver: {DatabaseUnavailable.en.detail} (")
    assert "Connection refused" in line
