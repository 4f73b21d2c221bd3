"""Load tests as they are run, by k6, against the services; and what makes them fail."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.load import addresses
from support.servers import uvicorn_server as web
from support.servers.processes import free_port, running
from support.system.on_this_machine import migrated_system
from support.system.separate_processes import System
from swapshop_operations.load.k6 import run_k6
from swapshop_operations.repository import ROOT

CROSSED = 99
"""k6's exit code for a crossed threshold."""

Body = dict[str, Any]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Generator[System]:
    folder = tmp_path_factory.mktemp("system")
    with migrated_system(folder) as (system, _), ExitStack() as stack:
        for process in (system.api(), system.receiver(), system.poller()):
            stack.enter_context(running(process))
        yield system


class Meddler:
    """Stands before both services, and changes answers.

    Args:
        system: the services.
        meddle: gets path, status and body of an answer; returns status and body.
    """

    def __init__(
        self, system: System, meddle: Callable[[str, int, Body], tuple[int, Body]]
    ) -> None:
        self._system = system
        self._meddle = meddle
        self.seen: list[str] = []
        route = Route("/{path:path}", self._pass_on, methods=["GET", "POST"])
        self.app = Starlette(routes=[route])

    async def _pass_on(self, request: Request) -> Response:
        path = request.url.path
        self.seen.append(f"{request.method} {path}")
        is_receivers = path.startswith("/api/notifications")
        base = self._system.receiver_url if is_receivers else self._system.api_url
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in ("authorization", "content-type", "idempotency-key")
        }
        async with httpx.AsyncClient(timeout=10) as http:
            answer = await http.request(
                request.method,
                f"{base}{path}?{request.url.query}",
                content=await request.body(),
                headers=headers,
            )
        status, body = self._meddle(path, answer.status_code, answer.json())
        waits = {"Retry-After": "1"} if status == 429 else {}
        return Response(
            json.dumps(body), status, headers={"Content-Type": "application/json", **waits}
        )


def unchanged(_path: str, status: int, body: Body) -> tuple[int, Body]:
    return status, body


async def run(
    scenario: str, results: Path, url: dict[str, str], *variables: str
) -> tuple[int, Body]:
    """Runs a scenario; gives k6's exit code and its summary."""
    arguments = [part for variable in variables for part in ("-e", variable)]
    code = await asyncio.to_thread(run_k6, scenario, results, url, arguments)
    return code, json.loads((results / "summary.json").read_text())


def crossed(summary: Body) -> set[str]:
    return {it["metric"] for it in summary["thresholds"] if not it["ok"]}


def renewals(summary: Body) -> tuple[int, int]:
    """How many renewals of sessions passed their check, and how many failed it."""
    found = [it for it in summary["checks"] if it["name"] == "session is renewed"]
    return sum(it["passes"] for it in found), sum(it["fails"] for it in found)


async def test_the_smoke_passes_and_tells_what_it_saw(system: System, tmp_path: Path) -> None:
    results = tmp_path / "smoke-1"
    code, summary = await run("smoke", results, addresses(system), "ITERATIONS=3")
    assert (code, summary["passed"], summary["orders"]) == (0, True, 3)
    counts = {row["label"]: (row["count"], row["failed"]) for row in summary["requests"]}
    assert counts["POST /api/orders"] == (3, 0)
    assert counts["GET /api/orders/:id"] == (6, 0)
    assert all(check["fails"] == 0 for check in summary["checks"])
    report = (results / "report.txt").read_text()
    assert report.startswith("smoke-1: passed after ")
    assert "ok       http_req_failed rate<=0.001: 0\n" in report
    assert "password" not in (results / "summary.json").read_text()


async def test_the_smoke_fails_when_no_notification_arrives(system: System, tmp_path: Path) -> None:
    def meddle(path: str, status: int, body: Body) -> tuple[int, Body]:
        return status, {**body, "items": []} if path == "/api/notifications" else body

    async with web.running(Meddler(system, meddle).app) as url:
        variables = ("ITERATIONS=2", "PATIENCE=2s")
        code, summary = await run("smoke", tmp_path, {"URL": url}, *variables)
    assert (code, crossed(summary)) == (CROSSED, {"notifications_lost"})
    assert (summary["orders"], summary["lost"]) == (2, 2)
    assert "created to notified" not in (tmp_path / "report.txt").read_text()


async def test_the_pipeline_notifies_each_order_once(system: System, tmp_path: Path) -> None:
    variables = ("ORDERS=5", "ACCOUNTS=2", "SETTLING=1s")
    code, summary = await run("pipeline-e2e", tmp_path, addresses(system), *variables)
    assert (code, summary["orders"], summary["lost"], summary["doubled"]) == (0, 10, 0, 0)
    assert 0 < summary["notificationLatency"]["max"] < 10_000


async def test_a_lost_notification_fails_the_pipeline(system: System, tmp_path: Path) -> None:
    lost: list[str] = []

    def meddle(path: str, status: int, body: Body) -> tuple[int, Body]:
        if path == "/api/notifications":
            lost.extend(item["order_id"] for item in body["items"][:1] if not lost)
            body["items"] = [item for item in body["items"] if item["order_id"] not in lost]
        return status, body

    async with web.running(Meddler(system, meddle).app) as url:
        variables = ("ORDERS=3", "ACCOUNTS=1", "SETTLING=1s", "PATIENCE=10s")
        code, summary = await run("pipeline-e2e", tmp_path, {"URL": url}, *variables)
    assert (code, crossed(summary)) == (CROSSED, {"notifications_lost"})
    assert (summary["orders"], summary["lost"]) == (3, 1)


async def test_a_doubled_notification_fails_the_pipeline(system: System, tmp_path: Path) -> None:
    def meddle(path: str, status: int, body: Body) -> tuple[int, Body]:
        if path == "/api/notifications" and len(body["items"]) == 3:
            body["items"].append(body["items"][-1])
        return status, body

    async with web.running(Meddler(system, meddle).app) as url:
        variables = ("ORDERS=3", "ACCOUNTS=1", "SETTLING=1s")
        code, summary = await run("pipeline-e2e", tmp_path, {"URL": url}, *variables)
    assert (code, crossed(summary)) == (CROSSED, {"notifications_doubled"})
    assert summary["doubled"] == 1


async def test_failures_count_against_availability_alone(system: System, tmp_path: Path) -> None:
    def meddle(path: str, status: int, body: Body) -> tuple[int, Body]:
        return (503, {}) if path == "/api/notifications" else (status, body)

    async with web.running(Meddler(system, meddle).app) as url:
        code, summary = await run("load", tmp_path, {"URL": url}, "RATE=5", "DURATION=2s")
    assert code == CROSSED
    assert "http_req_failed" in crossed(summary)
    assert "checks" not in crossed(summary)
    assert (tmp_path / "report.txt").read_text().count("CROSSED  http_req_failed") == 1


async def test_a_wrong_answer_fails_whatever_the_objectives(system: System, tmp_path: Path) -> None:
    def meddle(path: str, status: int, body: Body) -> tuple[int, Body]:
        return status, {**body, "total": 40} if path == "/api/orders" else body

    async with web.running(Meddler(system, meddle).app) as url:
        code, summary = await run("smoke", tmp_path, {"URL": url}, "ITERATIONS=1", "VUS=1")
    assert (code, crossed(summary)) == (CROSSED, {"checks", "orders_created"})


async def test_sessions_are_renewed_and_a_429_is_heeded(system: System, tmp_path: Path) -> None:
    refused: list[str] = []

    def meddle(path: str, status: int, body: Body) -> tuple[int, Body]:
        if path == "/api/auth/login" and not refused:
            refused.append(path)
            return 429, {}
        return status, {**body, "expires_in": 1} if path.startswith("/api/auth") else body

    meddler = Meddler(system, meddle)
    async with web.running(meddler.app) as url:
        variables = ("RATE=2", "DURATION=5s", "VUS=1", "MAX_VUS=1", "ACCOUNTS=1")
        _, summary = await run("load", tmp_path, {"URL": url}, *variables)
    assert meddler.seen.count("POST /api/auth/register") == 1
    logins = meddler.seen.count("POST /api/auth/login")
    assert logins >= 3
    assert renewals(summary) == (logins - len(refused), 0)


@pytest.mark.parametrize(("status", "failed"), [(401, 1), (503, 0)])
async def test_a_renewal_fails_a_check_if_it_is_refused_but_not_if_it_is_unavailable(
    system: System, tmp_path: Path, status: int, failed: int
) -> None:
    def meddle(path: str, given: int, body: Body) -> tuple[int, Body]:
        if path == "/api/auth/login":
            return status, {}
        return given, {**body, "expires_in": 1} if path == "/api/auth/register" else body

    meddler = Meddler(system, meddle)
    async with web.running(meddler.app) as url:
        variables = ("RATE=2", "DURATION=3s", "VUS=1", "MAX_VUS=1", "ACCOUNTS=1")
        _, summary = await run("load", tmp_path, {"URL": url}, *variables)
    assert meddler.seen.count("POST /api/auth/login") == 1
    assert renewals(summary) == (0, failed)
    assert ("checks" in crossed(summary)) == bool(failed)


async def test_a_cache_that_is_not_in_the_mode_that_is_compared_fails(
    system: System, tmp_path: Path
) -> None:
    variables = ("DURATION=1s", "VUS=1", "ORDERS=5", "CACHE=BYPASS")
    code, summary = await run("cache-ab", tmp_path, addresses(system), *variables)
    assert (code, crossed(summary)) == (CROSSED, {"cache_as_expected"})


async def test_a_password_opens_the_same_accounts_in_every_run(
    system: System, tmp_path: Path
) -> None:
    meddler = Meddler(system, unchanged)
    async with web.running(meddler.app) as url:
        for name in ("first", "second"):
            variables = ("ITERATIONS=1", "VUS=1", "ACCOUNTS=2", "PASSWORD=correct horse battery")
            assert (await run("smoke", tmp_path / name, {"URL": url}, *variables))[0] == 0
    made = [it for it in meddler.seen if it.startswith("POST /api/auth")]
    first = ["POST /api/auth/login", "POST /api/auth/register"]
    assert made == [*first, *first, "POST /api/auth/login", "POST /api/auth/login"]


def program(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the load test as a separate process, since it configures logging for its process."""
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "bench.load", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), **environment},
    )


def test_the_program_starts_what_it_measures(tmp_path: Path) -> None:
    done = program("bench", "--results", tmp_path, "-e", "DURATION=1s", "-e", "VUS=2")
    assert done.returncode == 0, done.stderr
    (results,) = tmp_path.iterdir()
    rows = {
        row["label"]: row for row in json.loads((results / "summary.json").read_text())["requests"]
    }
    assert rows["creates"]["perSecond"] == pytest.approx(rows["creates"]["count"], rel=0.01)
    assert f"{results.name}: passed" in done.stdout
    assert results.name in done.stdout.splitlines()[-1]


def test_a_side_of_cache_ab_that_ends_before_its_report_is_told(tmp_path: Path) -> None:
    done = program("cache-ab", "--results", tmp_path, "-e", "DURATION=x")
    assert done.returncode == 1
    assert "DURATION is such as 90s" in done.stderr  # k6's own words
    told = done.stderr.splitlines()[-1]
    assert told.startswith("load: ")
    assert told.endswith("on-1: k6 ended with 107")


def test_a_server_that_refuses_is_told(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    urls = {
        "TEST_DATABASE_URL": f"mysql+asyncmy://root@{nowhere}/",
        "TEST_REDIS_URL": f"redis://{nowhere}/0",
    }
    done = program("smoke", "--results", tmp_path, **urls)
    assert done.returncode == 1
    assert done.stderr.startswith("load: OperationalError: ")
    assert "Traceback" not in done.stderr
