"""Every part of SwapShop on a MySQL that takes connections through TLS alone."""

from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from support.servers.processes import free_port, run_module
from support.skips import skipping_without_server
from support.stores.tls_servers import TlsServer, tls_mariadb
from support.system.up_process import up
from support.waiting import until
from swapshop_local.demo import CUSTOMER, PASSWORD


@pytest.fixture
def tls_server(tmp_path: Path) -> Generator[TlsServer]:
    with skipping_without_server(), tls_mariadb(tmp_path) as server:
        yield server


async def test_every_part_works_through_tls(tls_server: TlsServer, tmp_path: Path) -> None:
    environment = tls_server.environment("swapshop")
    url = tls_server.server.url().replace("mysql+asyncmy", "mysql").rstrip("/")
    with up(tmp_path, free_port(), **{**environment, "DATABASE_URL": url}) as running:
        await running.ready()
        async with httpx.AsyncClient(base_url=running.url, timeout=15) as http:
            account = {"email": CUSTOMER, "password": PASSWORD}
            token = (await http.post("/api/auth/login", json=account)).json()["token"]
            headers = {"Authorization": f"Bearer {token}"}
            listed = await http.get("/api/notifications", headers=headers)
            assert listed.json()["items"] == []

            async def is_exported() -> bool:
                return "swapshop_orders_unaccounted 0.0" in (await http.get("/metrics")).text

            await until(is_exported)
    for command in (("housekeeping",), ("users", "promote", CUSTOMER)):
        done = run_module("swapshop_api", *command, environment=environment)
        assert done.returncode == 0, done.stderr
