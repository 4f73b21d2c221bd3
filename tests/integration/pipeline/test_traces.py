"""One trace leads from the POST of an order to the row of its notification."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families,  # pyright: ignore[reportUnknownVariableType] - untyped
)

from support.observability.otlp_collector import Collector, Span, collecting
from support.poller.servers import poller_process
from support.servers.processes import HOST, free_port
from support.stores.servers import DatabaseServer
from support.system.separate_processes import (
    CLIENT_SECRET,
    PASSWORD,
    WEBHOOK_SECRET,
    Customer,
    Started,
    System,
    migrated_schemas,
)
from support.waiting import until
from swapshop_kit.ids import new_id

ORDERS = "/api/orders"
WEBHOOK = "POST /webhooks/order-ready"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
STORE_ATTRIBUTES = (
    *("db.system.name", "db.namespace", "db.operation.name", "db.collection.name"),
    *("db.query.summary", "db.query.text", "server.address", "server.port"),
)
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
LOW_TRACE_ID = "0" * 31 + "1"
"""A ratio takes the ids of a range from zero on, so a caller could choose one."""


@dataclass
class Collectors:
    """One for each service, since OTLP's spans do not name theirs."""

    api: Collector
    poller: Collector
    receiver: Collector


@pytest.fixture
def schemas(mariadb_server: DatabaseServer) -> Generator[tuple[str, str]]:
    """A pair for each test: an order that waits still has the decision of another's."""
    with migrated_schemas(mariadb_server) as urls:
        yield urls


@pytest.fixture
async def collectors() -> AsyncGenerator[Collectors]:
    async with AsyncExitStack() as stack:
        yield Collectors(*[await stack.enter_async_context(collecting()) for _ in range(3)])


async def _run_poller_once(system: System, **environment: str) -> float:
    """Runs it as the CronJob does; returns the seconds from its last round to its end."""
    given = {
        "CLIENT_SECRET": CLIENT_SECRET,
        "WEBHOOK_SECRET": WEBHOOK_SECRET,
        "RUN_SECONDS": "5",
    }
    urls = (system.url("api", 1), system.webhook_url)
    async with poller_process("once", *urls, **given, **environment) as poller:
        await until(lambda: bool(poller.events("run.finished")))
        started = time.monotonic()
        assert await poller.ended() == 0
    return time.monotonic() - started


def _children(collector: Collector, parent: Span, name: str) -> list[Span]:
    return [span for span in collector.named(name) if span.parent_id == parent.span_id]


async def _first_child(collector: Collector, parent: Span, name: str) -> Span:
    """The first of a span's children of a name, once it has arrived: their order is not kept."""
    await until(lambda: bool(_children(collector, parent, name)))
    return _children(collector, parent, name)[0]


@dataclass
class Traced:
    """The orders that it took until one was cached: the last."""

    ids: list[str]
    span: Span
    """Of its POST."""
    children: list[Span]
    """One of each kind, of database and cache."""


async def _place_traced(customer: Customer, api: Collector, **changes: str) -> Traced:
    """Places an order; up to two others, if a busy Redis is not heard within its 50 ms."""
    names = ("INSERT orders", "INSERT order_items", "SET", "EVALSHA")
    ids: list[str] = []
    for _ in range(3):
        ids.append((await customer.place(new_id(), **changes)).json()["id"])
        await until(lambda: len(api.named("POST /api/orders")) == len(ids))
        span = api.named("POST /api/orders")[-1]
        # What has not come by then will not; and the circuit is closed again.
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                return Traced(ids, span, [await _first_child(api, span, name) for name in names])
    pytest.fail("none of three orders was cached")


async def test_one_trace_from_the_order_to_its_notification(
    http: httpx.AsyncClient, system: System, started: Started, collectors: Collectors
) -> None:
    started.start(system.api(**collectors.api.environment))
    started.start(system.receiver(**collectors.receiver.environment))
    customer = await Customer.register(http, system, f"ana-{new_id()}@example.com")
    traced = await _place_traced(customer, collectors.api)
    order = traced.span
    # Long delay: what arrives was flushed at the end of the process, and by nothing else.
    patient = collectors.poller.environment | {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
    await _run_poller_once(system, **patient)
    assert sorted(await customer.notified_orders()) == sorted(traced.ids)

    for collector in (collectors.poller, collectors.receiver):
        await until(lambda to=collector: len(to.named(WEBHOOK)) == len(traced.ids))
    send = await _first_child(collectors.poller, order, WEBHOOK)
    take = await _first_child(collectors.receiver, send, WEBHOOK)

    assert (order.kind, send.kind, take.kind) == ("SERVER", "CLIENT", "SERVER")
    assert (order.parent_id, send.parent_id, take.parent_id) == ("", order.span_id, send.span_id)
    assert {order.trace_id} == {send.trace_id, take.trace_id}
    for created in traced.children:
        assert (created.trace_id, created.kind) == (order.trace_id, "CLIENT")
    insert = await _first_child(collectors.receiver, take, "INSERT notifications")
    assert (insert.trace_id, insert.kind) == (order.trace_id, "CLIENT")
    assert insert.attributes["db.system.name"] == "mysql"
    assert "VALUES (%s, " in str(insert.attributes["db.query.text"])

    [(trace_id, span_id)] = send.links
    await until(lambda: span_id in {span.span_id for span in collectors.poller.spans})
    [round_] = [span for span in collectors.poller.spans if span.span_id == span_id]
    assert (round_.name, round_.parent_id) == ("dispatch round", "")
    assert round_.trace_id == trace_id != order.trace_id
    lease = await _first_child(collectors.poller, round_, "POST /internal/dispatch/leases")
    leased = await _first_child(collectors.api, lease, "POST /internal/dispatch/leases")
    assert (lease.kind, leased.kind, leased.trace_id) == ("CLIENT", "SERVER", trace_id)
    await _first_child(collectors.api, leased, "INSERT leases")
    marks = await _first_child(collectors.api, leased, "PIPELINE EVAL")
    assert (marks.kind, marks.attributes["db.system.name"]) == ("CLIENT", "redis")
    confirmed = "POST /internal/dispatch/leases/{lease_token}/receipt"
    confirm = await _first_child(collectors.poller, round_, confirmed)
    await _first_child(collectors.api, confirm, confirmed)


async def test_no_span_holds_what_is_personal_or_secret(
    http: httpx.AsyncClient, system: System, started: Started, collectors: Collectors
) -> None:
    started.start(system.api(**collectors.api.environment))
    email = f"ana-{new_id()}@example.com"
    customer = await Customer.register(http, system, email)
    again = {"nombre": "Ana", "email": email, "password": PASSWORD}
    taken = await http.post(f"{system.api_url}/api/auth/register", json=again)
    assert taken.status_code == 409
    traced = await _place_traced(customer, collectors.api, producto="Secreter", color="malva")
    for child in traced.children:
        allowed = {*STORE_ATTRIBUTES, "db.stored_procedure.name", "error.type"}
        assert set(child.attributes) <= allowed

    spans = collectors.api.spans
    await until(lambda: any(span.name == "INSERT users" and span.failed for span in spans))
    [failed] = [span for span in spans if span.name == "INSERT users" and span.failed]
    assert failed.attributes["error.type"] == "IntegrityError"
    assert not [span for span in spans if "db.query.text" in span.attributes and span.name == "SET"]
    everything = "\n".join(span.message for span in spans)
    for text in (email, "ana-", PASSWORD, "Secreter", "malva", *traced.ids, CLIENT_SECRET):
        assert text not in everything


async def test_a_ratio_of_zero_takes_no_trace_whatever_a_caller_asks(
    http: httpx.AsyncClient, system: System, started: Started, collectors: Collectors
) -> None:
    api = started.start(system.api(**collectors.api.environment | {"TRACE_RATIO": "0"}))
    started.start(system.receiver(**collectors.receiver.environment | {"TRACE_RATIO": "0"}))
    for trace_id in (TRACE_ID, LOW_TRACE_ID):
        asked = {"traceparent": f"00-{trace_id}-{'1' * 16}-01"}
        assert (await http.get(f"{system.api_url}/api/auth/me", headers=asked)).status_code == 401
    customer = await Customer.register(http, system, f"ana-{new_id()}@example.com")
    await customer.place(new_id())
    await _run_poller_once(system, **collectors.poller.environment | {"TRACE_RATIO": "0"})
    assert len(await customer.notified_orders()) == 1
    assert api.terminate() == 0

    assert not collectors.api.spans + collectors.poller.spans + collectors.receiver.spans


async def test_a_service_that_ends_has_sent_its_last_spans(
    http: httpx.AsyncClient, system: System, started: Started, collectors: Collectors
) -> None:
    patient = collectors.api.environment | {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
    api = started.start(system.api(**patient))
    asked = {"traceparent": f"00-{TRACE_ID}-{'1' * 16}-00"}
    await http.get(f"{system.api_url}/api/auth/me", headers=asked)
    assert api.terminate() == 0

    await until(lambda: bool(collectors.api.named("GET /api/auth/me")))
    [span] = collectors.api.named("GET /api/auth/me")
    assert not span.parent_id, "a stranger's span became a parent of ours"
    assert span.trace_id != TRACE_ID
    probes = ("/readyz", "/livez", "/metrics")
    assert not [each for each in collectors.api.spans if each.attributes.get("url.path") in probes]


async def test_without_its_collector_the_system_works_and_says_so_once(
    http: httpx.AsyncClient, system: System, started: Started, tmp_path: Path
) -> None:
    away = {
        "OTLP_ENDPOINT": f"http://{HOST}:{free_port()}",
        "TRACE_RATIO": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    api = started.start(system.api(**away))
    receiver = started.start(system.receiver(**away))
    customer = await Customer.register(http, system, f"ana-{new_id()}@example.com")
    order = (await customer.place(new_id())).json()["id"]
    seconds = await _run_poller_once(system, **away)
    assert await customer.notified_orders() == [order]
    log = tmp_path / "api.log"
    await until(lambda: "traces.export_failed" in log.read_text())
    await customer.place(new_id())
    started_at = time.monotonic()
    assert (api.terminate(), receiver.terminate()) == (0, 0)

    assert seconds < 8
    assert time.monotonic() - started_at < 16
    lines = log.read_text().splitlines()
    assert all(line.startswith("{") for line in lines)
    assert sum("traces.export_failed" in line for line in lines) == 1
    assert not re.search("opentelemetry|urllib3|Traceback", log.read_text())


async def test_a_measured_request_leads_to_its_trace(
    http: httpx.AsyncClient, system: System, started: Started, collectors: Collectors
) -> None:
    started.start(system.api(**collectors.api.environment))
    await http.get(f"{system.api_url}/api/auth/me")
    await until(lambda: bool(collectors.api.named("GET /api/auth/me")))
    [span] = collectors.api.named("GET /api/auth/me")

    url = f"{system.url('api', 2)}/metrics"
    modern = await http.get(url, headers={"accept": OPENMETRICS})
    plain = await http.get(url)

    exemplars = [
        sample.exemplar.labels
        for family in text_string_to_metric_families(modern.text)
        if family.name == "http_server_request_duration_seconds"
        for sample in family.samples
        if sample.exemplar and sample.labels["http_route"] == "/api/auth/me"
    ]
    assert exemplars == [{"trace_id": span.trace_id, "span_id": span.span_id}]
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    assert plain.headers["content-type"].startswith("text/plain")
    assert span.trace_id not in plain.text
