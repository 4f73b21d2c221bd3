"""``./task up``'s command: one process, one port, data that survives."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.servers.processes import HOST, free_port
from support.stores.servers import DatabaseServer, RedisServer
from support.system.up_process import END_SECONDS, Up, up
from support.waiting import until
from swapshop_kit.ids import new_id
from swapshop_local.demo import CUSTOMER, PASSWORD


@contextmanager
def no_orphan(folder: Path) -> Generator[None]:
    """Ends the Valkey that a killed run leaves, if no later run has."""
    try:
        yield
    finally:
        pids = subprocess.run(  # noqa: S603 - fixed words and a path of ours
            ["pgrep", "-f", f"{folder}/data/valkey"],  # noqa: S607 - from the PATH
            capture_output=True,
            text=True,
            check=False,
        )
        for pid in pids.stdout.split():
            os.kill(int(pid), signal.SIGKILL)


async def sign_in(http: httpx.AsyncClient, url: str) -> dict[str, str]:
    answer = await http.post(
        f"{url}/api/auth/login", json={"email": CUSTOMER, "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def place(
    http: httpx.AsyncClient, url: str, headers: dict[str, str], key: str
) -> httpx.Response:
    line = {"producto": "Abrigo", "cantidad": 1, "precio_unitario": 24.9}
    return await http.post(
        f"{url}/api/orders",
        json={"cliente": "Ana", "items": [line]},
        headers={**headers, "Idempotency-Key": key},
    )


async def notified(http: httpx.AsyncClient, url: str, headers: dict[str, str]) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        answer = await http.get(f"{url}/api/notifications", params=params, headers=headers)
        page = answer.raise_for_status().json()
        found += [item["order_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def _order_and_see_it(http: httpx.AsyncClient, url: str) -> str:
    headers = await sign_in(http, url)
    key = new_id()
    first, second = [await place(http, url, headers, key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    order_id = str(first.json()["id"])

    async def is_cached() -> bool:
        got = await http.get(f"{url}/api/orders/{order_id}", headers=headers)
        return got.headers["X-Cache"] == "HIT"

    await until(is_cached)  # the poller may be changing the order

    async def is_notified() -> bool:
        return order_id in await notified(http, url, headers)

    await until(is_notified)
    return order_id


async def test_an_order_is_notified_and_still_there_after_a_restart(tmp_path: Path) -> None:
    port = free_port()
    async with httpx.AsyncClient(timeout=15) as http:
        with up(tmp_path, port) as first:
            await first.ready()
            order_id = await _order_and_see_it(http, first.url)
            assert first.signal_group(signal.SIGINT) == 0
            assert "has stopped" in first.log.read_text()
        with up(tmp_path, port) as second:
            await second.ready()
            headers = await sign_in(http, second.url)
            assert await notified(http, second.url, headers) == [order_id]
            assert second.signal_group(signal.SIGTERM) == 0


async def _paste(*lines: str, **environment: str) -> str:
    shell = await asyncio.create_subprocess_shell(
        "\n".join(lines), stdout=asyncio.subprocess.PIPE, env={**os.environ, **environment}
    )
    written, _ = await shell.communicate()
    return written.decode()


async def test_the_printed_lines_work_when_pasted(tmp_path: Path) -> None:
    with up(tmp_path, free_port()) as running:
        await running.ready()
        lines = running.log.read_text().splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("TOKEN="))
        sign_in, order, notifications = lines[start : start + 3]
        token = await _paste(sign_in, 'printf %s "$TOKEN"')
        order_id = json.loads(await _paste(order, TOKEN=token))["id"]

        async def is_shown() -> bool:
            shown = json.loads(await _paste(notifications, TOKEN=token))
            return [item["order_id"] for item in shown["items"]] == [order_id]

        await until(is_shown)


@pytest.mark.timeout(240)
async def test_a_kill_in_the_middle_of_creates_loses_and_doubles_nothing(tmp_path: Path) -> None:
    port = free_port()
    placed: list[str] = []
    with no_orphan(tmp_path):
        async with httpx.AsyncClient(timeout=15) as http:
            with up(tmp_path, port) as killed:
                await killed.ready()
                headers = await sign_in(http, killed.url)
                await _place_until_killed(http, killed, headers, placed)
            with up(tmp_path, port) as again:
                await again.ready()
                headers = await sign_in(http, again.url)

                async def all_are_notified() -> bool:
                    return set(placed) <= set(await notified(http, again.url, headers))

                # what was being delivered is leased for 60 s
                await until(all_are_notified, 90)
                shown = await notified(http, again.url, headers)
                assert len(shown) == len(set(shown))
                assert again.signal_group(signal.SIGINT) == 0


async def _place_until_killed(
    http: httpx.AsyncClient, running: Up, headers: dict[str, str], placed: list[str]
) -> None:
    """Starts 200 creates, eight at a time, and kills the process once 60 were answered 201."""
    keys = iter([new_id() for _ in range(200)])

    async def client() -> None:
        for key in keys:
            try:
                answer = await place(http, running.url, headers, key)
            except httpx.TransportError:
                return
            assert answer.status_code == 201
            placed.append(answer.json()["id"])

    async def kill() -> None:
        await until(lambda: len(placed) >= 60)
        running.process.kill()
        running.process.wait(END_SECONDS)

    await asyncio.gather(kill(), *(client() for _ in range(8)))
    assert 60 <= len(placed) < 200


async def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(tmp_path, port) as running:
            assert running.process.wait(END_SECONDS) == 2
            text = running.log.read_text()
    assert re.fullmatch(rf"swapshop_local: {HOST}:{port} is in use by .*\n", text)


async def test_the_same_runs_on_servers_of_ones_own(
    tmp_path: Path, mariadb_server: DatabaseServer, redis_server: RedisServer
) -> None:
    database_url = mariadb_server.url().replace("mysql+asyncmy", "mysql").rstrip("/")
    try:
        async with httpx.AsyncClient(timeout=15) as http:
            with up(
                tmp_path, free_port(), DATABASE_URL=database_url, REDIS_URL=redis_server.url
            ) as running:
                await running.ready()
                await _order_and_see_it(http, running.url)
                assert running.signal_group(signal.SIGINT) == 0
        assert not list((tmp_path / "data").glob("*.db"))
    finally:
        for schema in ("swapshop", "notifications"):
            mariadb_server.drop_schema(schema)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "postgresql://u:secret@db/x", "DATABASE_URL must be mysql://"),
        ("DATABASE_URL", "mysql://u:secret@127.0.0.1:1", "database does not answer"),
        ("PORT", "80000", "PORT: "),
    ],
)
async def test_a_setting_that_cannot_be_used_is_told_without_its_secret(
    tmp_path: Path, name: str, value: str, expected: str
) -> None:
    with up(tmp_path, free_port(), **{name: value}) as running:
        assert running.process.wait(END_SECONDS) in (1, 2)
        text = running.log.read_text()
    assert expected in text
    assert "secret" not in text
    assert "Traceback" not in text


def test_reset_forgets_the_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "swapshop.db").touch()
    for expected in ("The data is forgotten.", "There was no data."):
        done = subprocess.run(
            [sys.executable, "-m", "swapshop_local", "reset"],
            env={**os.environ, "DATA_DIR": str(data)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected
    assert not data.exists()
