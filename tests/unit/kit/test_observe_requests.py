"""Every request gets an id, one measurement and one log line."""

import asyncio
import re
from collections.abc import AsyncIterator, Generator, Mapping, MutableMapping
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI, Request, Response
from prometheus_client import REGISTRY
from starlette.responses import StreamingResponse
from starlette.types import Message, Scope
from structlog.testing import capture_logs

from swapshop_kit import web
from swapshop_kit.telemetry import current_traceparent

_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def waiting() -> asyncio.Event:
    """Set once a POST has reached its endpoint, which never answers."""
    return asyncio.Event()


@pytest.fixture
def app(waiting: asyncio.Event) -> FastAPI:
    router = web.router(prefix="/api/toys", tag="toys")

    @router.get("/{number}")
    async def read(number: int) -> tuple[int, str | None]:
        return number, current_traceparent()

    @router.delete("/{number}")
    async def delete(number: int) -> None:
        raise RuntimeError(f"broken {number}")

    @router.put("/{number}")
    async def put(number: int) -> StreamingResponse:
        async def half() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError(f"broken {number}")

        return StreamingResponse(half())

    @router.post("/{number}/parts")
    async def take(number: int, request: Request) -> int:
        return number + len(await request.body())

    @router.post("/{number}")
    async def wait(number: int) -> int:
        waiting.set()
        await asyncio.Event().wait()
        return number

    return web.create_app("t", "1", [router], docs_prefix="/api", trusted_callers=True)


@pytest.fixture
def logs() -> Generator[list[MutableMapping[str, Any]]]:
    with capture_logs([structlog.contextvars.merge_contextvars]) as entries:
        yield entries


async def _request(
    app: FastAPI, method: str, path: str, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        return await client.request(method, path, headers=headers)


def _active(method: str) -> float | None:
    labels = {"http_request_method": method}
    return REGISTRY.get_sample_value("http_server_active_requests", labels)


def _count(method: str, route: str, status: int) -> float:
    labels = {
        "http_request_method": method,
        "http_route": route,
        "http_response_status_code": str(status),
    }
    name = "http_server_request_duration_seconds_count"
    return REGISTRY.get_sample_value(name, labels) or 0


@pytest.mark.parametrize("given", ["abcd-1234", "A.b_c-9" * 9, "0" * 64])
async def test_a_sane_request_id_is_kept(app: FastAPI, given: str) -> None:
    answer = await _request(app, "GET", "/api/toys/1", {"X-Request-Id": given})

    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "short",
        "0" * 65,
        "has space here",
        "semi;colon",
        '{"json":"injected"}',
        "caf\xe9-caf\xe9",
    ],
)
async def test_any_other_is_replaced(app: FastAPI, given: str) -> None:
    headers = httpx.Headers({"X-Request-Id": given}, encoding="latin-1")
    answer = await _request(app, "GET", "/api/toys/1", headers)

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("request_line", "route", "status"),
    [
        ("GET /api/toys/1", "/api/toys/{number}", 200),
        ("GET /api/toys/one", "/api/toys/{number}", 422),
        ("PATCH /api/toys/1", "/api/toys/{number}", 405),
        ("DELETE /api/toys/1", "/api/toys/{number}", 500),
        ("GET /api/toys/1/2/3", "unmatched", 404),
        ("GET /wp-login.php", "unmatched", 404),
    ],
)
async def test_requests_are_measured_and_logged_by_route(
    app: FastAPI,
    logs: list[MutableMapping[str, Any]],
    request_line: str,
    route: str,
    status: int,
) -> None:
    method, path = request_line.split()
    before = _count(method, route, status)
    answer = await _request(app, method, path, {"traceparent": f"00-{_TRACE_ID}-{'1' * 16}-01"})

    assert answer.status_code == status
    assert _count(method, route, status) == before + 1
    line = logs[-1]
    assert 0 <= line.pop("seconds") < 10
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": method,
        "route": route,
        "status": status,
        "request_id": answer.headers["x-request-id"],
        "trace_id": _TRACE_ID,
    }


async def test_an_unknown_method_is_no_label_of_its_own(app: FastAPI) -> None:
    before = _count("_OTHER", "unmatched", 404)
    await _request(app, "BREW", "/teapot")

    assert _count("_OTHER", "unmatched", 404) == before + 1
    assert (_active("_OTHER"), _active("BREW")) == (0, None)
    assert _count("BREW", "unmatched", 404) == 0


async def test_a_request_without_a_trace_gets_one_that_goes_onward(
    app: FastAPI, logs: list[MutableMapping[str, Any]]
) -> None:
    _, onward = (await _request(app, "GET", "/api/toys/1")).json()

    assert onward.split("-")[1] == logs[-1]["trace_id"]
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", onward)
    assert current_traceparent() is None


async def test_a_defect_is_logged_with_its_exception_and_answered(
    app: FastAPI, logs: list[MutableMapping[str, Any]]
) -> None:
    answer = await _request(app, "DELETE", "/api/toys/7", {"Accept-Language": "en"})

    assert [line["event"] for line in logs] == ["request.failed", "request"]
    assert logs[0]["exc_info"]
    assert logs[0]["path"] == "/api/toys/7"
    assert logs[0]["request_id"] == answer.headers["x-request-id"]
    assert answer.json()["title"] == "Internal error"


async def test_a_defect_after_the_first_byte_breaks_the_connection(
    app: FastAPI, logs: list[MutableMapping[str, Any]]
) -> None:
    before = _count("PUT", "/api/toys/{number}", 200)

    with pytest.raises(RuntimeError, match="broken"):
        await _request(app, "PUT", "/api/toys/1")

    assert [line["event"] for line in logs] == ["request.failed", "request"]
    assert _count("PUT", "/api/toys/{number}", 200) == before + 1


async def test_a_cancelled_request_is_counted_once_and_stays_cancelled(
    app: FastAPI, waiting: asyncio.Event, logs: list[MutableMapping[str, Any]]
) -> None:
    task = asyncio.create_task(_request(app, "POST", "/api/toys/1"))
    await waiting.wait()
    assert (_active("POST"), _active("GET")) == (1, 0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert _active("POST") == 0
    assert [(line["event"], line["status"]) for line in logs] == [("request", 503)]


async def test_a_client_that_leaves_before_its_body_has_arrived_is_no_defect(
    app: FastAPI, logs: list[MutableMapping[str, Any]]
) -> None:
    parts = iter([{"type": "http.request", "body": b"half", "more_body": True}])

    async def receive() -> Message:
        return next(parts, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        raise AssertionError(f"nobody is there to get {message}")

    path = "/api/toys/1/parts"
    scope: Scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"",
        "headers": [],
    }  # fmt: skip
    await app(scope, receive, send)

    assert [(line["event"], line["status"]) for line in logs] == [("request", 499)]


async def test_ids_do_not_outlive_their_request(
    app: FastAPI, logs: list[MutableMapping[str, Any]]
) -> None:
    answers = await asyncio.gather(*(_request(app, "GET", "/api/toys/1") for _ in range(20)))
    structlog.get_logger().info("between")

    ids = [line["request_id"] for line in logs if line["event"] == "request"]
    assert sorted(ids) == sorted(answer.headers["x-request-id"] for answer in answers)
    assert len(set(ids)) == 20
    assert logs[-1] == {"event": "between", "log_level": "info"}


async def test_the_lifespan_passes_unobserved(logs: list[MutableMapping[str, Any]]) -> None:
    received = iter(["lifespan.startup", "lifespan.shutdown"])
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": next(received)}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    scope: Scope = {"type": "lifespan"}
    await web.create_app("t", "1", [])(scope, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert logs == []


def _public_app() -> FastAPI:
    router = web.router(prefix="/api/toys", tag="toys")

    @router.get("/{number}")
    async def read(number: int) -> tuple[int, str | None]:
        return number, current_traceparent()

    return web.create_app("t", "1", [router])


async def test_a_strangers_ids_are_not_those_of_the_log(
    logs: list[MutableMapping[str, Any]],
) -> None:
    given = {
        "X-Request-Id": "victim-request-0001",
        "traceparent": f"00-{_TRACE_ID}-{'1' * 16}-01",
    }
    answer = await _request(_public_app(), "GET", "/api/toys/1", given)

    (line,) = logs
    assert re.fullmatch("[0-9a-f]{32}", line["request_id"])
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["client_request_id"] == "victim-request-0001"
    assert line["trace_id"] != _TRACE_ID
    assert answer.json()[1].split("-")[1] == line["trace_id"]


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space", 'quote"'])
async def test_a_strangers_odd_id_is_not_logged(
    logs: list[MutableMapping[str, Any]], given: str
) -> None:
    await _request(_public_app(), "GET", "/api/toys/1", {"X-Request-Id": given})

    assert "client_request_id" not in logs[0]


async def test_every_answer_is_marked_as_data_that_nobody_keeps() -> None:
    app = _public_app()
    answers = [
        await _request(app, "GET", "/api/toys/1"),
        await _request(app, "GET", "/api/toys/one"),
        await _request(app, "DELETE", "/api/toys/1"),
        await _request(app, "GET", "/nowhere"),
    ]

    assert [answer.status_code for answer in answers] == [200, 422, 405, 404]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers


async def test_over_tls_a_browser_is_told_to_stay_there() -> None:
    answer = await _request(_public_app(), "GET", "/nowhere", {"X-Forwarded-Proto": "https"})

    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_header_of_the_route_is_kept_as_it_is() -> None:
    router = web.router(tag="toys")

    @router.get("/kept")
    async def kept(response: Response) -> None:
        response.headers["Cache-Control"] = "public, max-age=60"

    answer = await _request(web.create_app("t", "1", [router]), "GET", "/kept")

    assert answer.headers.get_list("cache-control") == ["public, max-age=60"]
