"""An api process that is paused, and what it does with requests whose clients have left."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import httpx

from support.api.accounts import pass_time
from support.servers.kit_server import connected
from support.system.separate_processes import ORIGIN, PASSWORD, Started, System
from support.waiting import until
from swapshop_kit.database import Database
from swapshop_kit.ids import new_id

_COOKIE = "swapshop_refresh"
_REFRESH = "/api/auth/refresh"


async def _refresh(http: httpx.AsyncClient, system: System, token: str) -> httpx.Response:
    headers = {"Origin": ORIGIN, "Cookie": f"{_COOKIE}={token}"}
    http.cookies.clear()
    return await http.post(f"{system.api_url}{_REFRESH}", headers=headers)


async def test_a_late_refresh_whose_page_went_on_elsewhere_ends_no_session(
    system: System,
    started: Started,
    http: httpx.AsyncClient,
    api_database: Database,
    tmp_path: Path,
) -> None:
    """The page gave up on it, and has exchanged the token and its successor meanwhile."""
    api = started.start(system.api())
    credentials = {"email": f"ana-{new_id()}@example.com", "password": PASSWORD}
    answer = await http.post(
        f"{system.api_url}/api/auth/register",
        json={"nombre": "Ana", **credentials},
        headers={"Origin": ORIGIN},
    )
    token = answer.cookies[_COOKIE]
    latest = token
    for _ in range(2):
        latest = (await _refresh(http, system, latest)).cookies[_COOKIE]
    await pass_time(api_database, timedelta(seconds=16))

    os.kill(api.pid, signal.SIGSTOP)
    async with connected(int(system.api_url.rpartition(":")[2])) as page:
        page.send(
            f"POST {_REFRESH} HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n"
            f"Origin: {ORIGIN}\r\nCookie: {_COOKIE}={token}\r\n\r\n"
        )
        await page.writer.drain()
        page.writer.close()
    os.kill(api.pid, signal.SIGCONT)
    await until(lambda: (tmp_path / "api.log").read_text().count(_REFRESH) >= 3)

    assert (await _refresh(http, system, latest)).status_code == 200
