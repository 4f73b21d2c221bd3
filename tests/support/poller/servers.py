"""The poller's two peers as HTTP servers, and the poller as a process."""

import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from support.poller.builders import WEBHOOK_SECRET
from support.poller.in_memory import Dispatch
from support.servers.uvicorn_server import HOST
from support.waiting import until
from swapshop_kit.webhook_signatures import verify
from swapshop_poller.contract import Delivery, LeaseRequest, Report

CLIENT_SECRET = "made-up-secret-of-the-poller-0001"
END_SECONDS = 30


class LostAnswer(Response):
    """Breaks the connection in the middle of the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class ApiServer:
    """The api's internal port over a Dispatch; it can lose answers and refuse tokens."""

    def __init__(self, waiting: Sequence[Delivery] = ()) -> None:
        self.dispatch = Dispatch(time.monotonic, waiting, retry_seconds=0)
        self.lease_tokens: list[str] = []
        self.lose_lease_answers = 0
        self.lose_report_answers = 0
        self.refuse_tokens = 0
        self.is_of_the_release_before = False
        self.tokens = 0
        self.app = Starlette(
            routes=[
                Route("/internal/auth/token", self._token, methods=["POST"]),
                Route("/internal/dispatch/leases", self._lease, methods=["POST"]),
                Route("/internal/dispatch/leases/{token}/receipt", self._confirm, methods=["POST"]),
                Route("/internal/dispatch/leases/{token}/results", self._report, methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        expected = httpx.BasicAuth("poller", CLIENT_SECRET)
        example = next(expected.auth_flow(httpx.Request("POST", "http://api.test")))
        form = (await request.body()).decode()
        if request.headers["authorization"] != example.headers["authorization"]:
            return Response(status_code=401)
        assert form == "grant_type=client_credentials"
        self.tokens += 1
        return JSONResponse(
            {"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": 600}
        )

    def _refuses(self, request: Request) -> bool:
        if self.refuse_tokens:
            self.refuse_tokens -= 1
            return True
        return request.headers.get("authorization") != f"Bearer token-{self.tokens}"

    async def _lease(self, request: Request) -> Response:
        if self._refuses(request):
            return Response(status_code=401)
        asked = LeaseRequest.model_validate_json(await request.body())
        self.lease_tokens.append(asked.lease_token)
        answer = self.dispatch.lease(asked)
        if self.lose_lease_answers:
            self.lose_lease_answers -= 1
            return LostAnswer()
        rows = [
            each.model_dump() | {"body": base64.b64encode(each.body).decode()}
            for each in answer.deliveries
        ]
        return JSONResponse({"remaining_ms": answer.remaining_ms, "deliveries": rows})

    async def _confirm(self, request: Request) -> Response:
        if self._refuses(request):
            return Response(status_code=401)
        if self.is_of_the_release_before:
            return Response(status_code=404)
        self.dispatch.confirm(request.path_params["token"])
        return Response(status_code=204)

    async def _report(self, request: Request) -> Response:
        if self._refuses(request):
            return Response(status_code=401)
        report = Report.model_validate_json(await request.body())
        answers = self.dispatch.report(request.path_params["token"], report.results)
        if self.lose_report_answers:
            self.lose_report_answers -= 1
            return LostAnswer()
        return JSONResponse({"results": [answer.model_dump() for answer in answers]})


class ReceiverServer:
    """The receiver's internal port: checks signatures, answers ``status``, waits at its gate."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.in_flight = 0
        self.received: list[tuple[str, bytes]] = []
        self.traceparents: list[str | None] = []
        self.deadly_id = ""
        """The webhook id whose arrival calls ``strike``."""
        self.strike: Callable[[], None] = lambda: None
        self.app = Starlette(
            routes=[Route("/webhooks/order-ready", self._receive, methods=["POST"])]
        )

    @property
    def received_ids(self) -> list[str]:
        """Webhook ids, in the order in which they came."""
        return [webhook_id for webhook_id, _ in self.received]

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        webhook_id = verify([SecretStr(WEBHOOK_SECRET)], request.headers, body)
        assert request.headers["content-type"] == "application/json"
        self.received.append((webhook_id, body))
        self.traceparents.append(request.headers.get("traceparent"))
        self.in_flight += 1
        if webhook_id == self.deadly_id:
            self.strike()
        try:
            await self.gate.wait()
        finally:
            self.in_flight -= 1
        return Response(status_code=self.status, headers=self.headers)


class PollerProcess:
    """``python -m swapshop_poller`` as a separate process, and its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.log: list[dict[str, Any]] = []

    async def read_log(self) -> None:
        """Collect its log lines, to its end."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.log.append(json.loads(line))

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        return [line for line in self.log if line["event"] == name]

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.returncode is not None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; return its exit code."""
        async with asyncio.timeout(END_SECONDS):
            return await self._process.wait()

    async def operations(self, path: str) -> httpx.Response:
        """Read a page of its operations port, once that listens."""
        await until(lambda: bool(self.events("operations.listening")))
        port = self.events("operations.listening")[0]["port"]
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as http:
            return await http.get(path)

    async def is_draining(self) -> bool:
        """Whether it knows that it should stop."""
        draining: bool = (await self.operations("/readyz")).json()["draining"]
        return draining


@asynccontextmanager
async def poller_process(
    command: str, api_url: str, receiver_url: str, **environment: str
) -> AsyncGenerator[PollerProcess]:
    """Run the poller; what is left of it at the end of the block is killed."""
    given = {
        "API_URL": api_url,
        "RECEIVER_URL": receiver_url,
        "CLIENT_SECRET": CLIENT_SECRET,
        "WEBHOOK_SECRET": WEBHOOK_SECRET,
        "HOST": HOST,
        "OPERATIONS_PORT": "0",
        "IDLE_SECONDS": "0.05",
        "PROBE_SECONDS": "0.05",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "swapshop_poller", command),
        env={**os.environ, **given, **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    poller = PollerProcess(process)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(poller.read_log())
        try:
            yield poller
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
