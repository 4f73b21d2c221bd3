"""``python -m swapshop_api exporter``: the operations port, with or without a database."""

import os
import sys
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

import swapshop_api.container
import swapshop_receiver.container
from support.servers.processes import ChildProcess, answers, free_port, running
from support.stores.pairs import Stores, migrate_to_head
from support.waiting import until

URL = "http://127.0.0.1:{}"


def exporter(folder: Path, port: int, url: str, schema: str) -> ChildProcess:
    """An exporter, not started yet; it counts as started once it lives."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("COVERAGE")
    }
    settings = {
        "DATABASE_URL": url,
        "NOTIFICATIONS_SCHEMA": schema,
        "SNAPSHOT_SECONDS": "1",
        "OPERATIONS_PORT": str(port),
        "HOST": "127.0.0.1",
        "LOG_LEVEL": "info",
    }
    command = [sys.executable, "-m", "swapshop_api", "exporter"]
    livez = f"{URL.format(port)}/livez"
    return ChildProcess(command, folder / "exporter.log", lambda: answers(livez), kept | settings)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def process(
    stores: Stores, receiver_schema: str, port: int, tmp_path: Path
) -> Generator[ChildProcess]:
    """An exporter of both schemas."""
    process = exporter(tmp_path, port, stores.database_url, receiver_schema)
    with running(process):
        yield process


async def test_it_serves_operations_and_nothing_else(process: ChildProcess, port: int) -> None:
    async with httpx.AsyncClient(base_url=URL.format(port), timeout=15) as http:

        async def has_figures() -> bool:
            return 'swapshop_orders{estado="PENDING"}' in (await http.get("/metrics")).text

        await until(has_figures)
        assert (await http.get("/readyz")).status_code == 200
        for path in ("/api/orders", "/api/docs", "/internal/dispatch/leases", "/openapi.json"):
            assert (await http.get(path)).status_code == 404
    assert process.terminate() == 0


async def test_it_lives_without_a_database_and_sees_it_come(port: int, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/swapshop.db"
    with running(exporter(tmp_path, port, url, "notifications")):
        async with httpx.AsyncClient(base_url=URL.format(port), timeout=15) as http:

            async def page() -> str:
                return (await http.get("/metrics")).text

            async def has_failed_twice() -> bool:
                return "swapshop_pipeline_collect_errors_total 2.0" in await page()

            await until(has_failed_twice)
            assert "swapshop_orders{" not in await page()
            assert (await http.get("/readyz")).status_code == 503
            assert (await http.get("/livez")).status_code == 200
            migrate_to_head(url, swapshop_api.container.MIGRATIONS)
            receiver = f"sqlite+aiosqlite:///{tmp_path}/notifications.db"
            migrate_to_head(receiver, swapshop_receiver.container.MIGRATIONS)

            async def has_figures() -> bool:
                return "swapshop_orders_unaccounted 0.0" in await page()

            await until(has_figures)
            assert (await http.get("/readyz")).status_code == 200
