"""The catalogue of metrics against the code, both ways: names, types, labels and their values."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast, get_args

import httpx
import jsonschema
import pytest
from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

import swapshop_api
import swapshop_kit
import swapshop_poller
import swapshop_receiver
from support.api.exporter import snapshot_of_one_order
from support.servers.processes import free_port
from support.system.up_process import up
from support.waiting import until
from swapshop_api.deliveries.schemas import State
from swapshop_api.dispatch.events import EventName
from swapshop_api.dispatch.policy import DeadReason
from swapshop_api.dispatch.schemas import Outcome
from swapshop_api.exporter.metrics import PipelineCollector
from swapshop_api.orders.cache import Result
from swapshop_api.orders.schemas import Estado
from swapshop_kit.metrics import METHODS, OTHER_METHOD
from swapshop_local.demo import CUSTOMER, PASSWORD
from swapshop_operations.monitoring import catalogue
from swapshop_poller.contract import Outcome as PollerOutcome
from swapshop_receiver.events import EVENTS

METRICS = catalogue.OWN
PACKAGES = {
    "kit": swapshop_kit,
    "api": swapshop_api,
    "poller": swapshop_poller,
    "receiver": swapshop_receiver,
}
"""The kit first: what the services take from it is the kit's."""

Values = frozenset[str] | None
"""The values that a label may have; None where the code does not fix them."""

# --- the catalogue by itself ---

_labels: Any = {
    "type": "object",
    "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
    "additionalProperties": {
        "anyOf": [
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
            {
                "type": "object",
                "properties": {"source": {"type": "string", "minLength": 1}},
                "required": ["source"],
                "additionalProperties": False,
            },
        ]
    },
}
_common: Any = {
    "name": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
    "labels": _labels,
    "meaning": {"type": "string", "minLength": 1},
}


def _entries(properties: Any) -> Any:
    return {
        "type": "array",
        "items": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
    }


SCHEMA: Final[Any] = {
    "type": "object",
    "properties": {
        "metrics": _entries(
            {
                **_common,
                "type": {"enum": ["counter", "gauge", "histogram"]},
                "unit": {"type": "string", "minLength": 1},
                "owner": {"enum": [*PACKAGES, "exporter"]},
            }
        ),
        "external": _entries(
            {
                **_common,
                "name": {"type": "string", "pattern": "^[A-Za-z_:][A-Za-z0-9_:]*$"},
                "owner": {"type": "string", "minLength": 1},
            }
        ),
    },
    "required": ["metrics", "external"],
    "additionalProperties": False,
}


def test_the_catalogue_has_its_form() -> None:
    jsonschema.validate(catalogue.CONTENT, SCHEMA)


@pytest.mark.parametrize("name", METRICS)
def test_a_name_tells_type_and_unit(name: str) -> None:
    metric = METRICS[name]
    assert name.endswith("_total") == (metric["type"] == "counter")
    if metric["unit"].startswith("seconds"):
        assert name.endswith("_seconds")


# --- what the code exports ---


def _modules() -> Iterator[tuple[str, Any]]:
    for owner, package in PACKAGES.items():
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in found.name and not found.name.endswith("__main__"):
                yield owner, importlib.import_module(found.name)


def _name_of(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _metrics() -> Mapping[str, tuple[str, MetricWrapperBase]]:
    """Each metric that a module makes, with its owner."""
    found: dict[str, tuple[str, MetricWrapperBase]] = {}
    for owner, module in _modules():
        for value in cast("dict[str, object]", vars(module)).values():
            if isinstance(value, MetricWrapperBase):
                [metric] = value.describe()
                found.setdefault(_name_of(metric), (owner, value))
    return found


def _exported() -> Mapping[str, tuple[str, str, tuple[str, ...]]]:
    """Owner, type and labels of every metric, by name."""
    found: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for name, (owner, wrapper) in _metrics().items():
        [metric] = wrapper.describe()
        # nothing public tells them
        labels = cast("tuple[str, ...]", getattr(wrapper, "_labelnames"))  # noqa: B009
        found[name] = (owner, metric.type, tuple(sorted(labels)))
    for metric in _pipeline():
        labels = {label for sample in metric.samples for label in sample.labels} - {"le"}
        found[_name_of(metric)] = ("exporter", metric.type, tuple(sorted(labels)))
    return found


def _pipeline() -> list[Metric]:
    collector = PipelineCollector()
    collector.show(snapshot_of_one_order())
    return list(collector.collect())


def test_the_code_exports_exactly_what_the_catalogue_has() -> None:
    documented = {
        name: (metric["owner"], metric["type"], tuple(sorted(metric["labels"])))
        for name, metric in METRICS.items()
    }
    assert _exported() == documented


def test_nothing_else_is_registered_but_the_librarys_own() -> None:
    """Of the process, of Python and of its garbage collector."""
    own = [PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR]
    librarys = {metric.name for collector in own for metric in collector.collect()}
    registered = {_name_of(metric) for metric in REGISTRY.collect() if metric.name not in librarys}
    assert registered - set(METRICS) == set()


# --- the values of labels ---

DECLARED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("http_server_request_duration_seconds", "http_request_method"): (*METHODS, OTHER_METHOD),
    ("http_server_active_requests", "http_request_method"): (*METHODS, OTHER_METHOD),
    ("swapshop_cache_requests_total", "result"): (*get_args(Result), "stale"),
    ("swapshop_delivery_attempts_total", "event_type"): get_args(EventName),
    ("swapshop_delivery_attempts_total", "outcome"): get_args(Outcome),
    ("swapshop_notifications_stored_total", "event_type"): tuple(EVENTS),
    ("swapshop_poller_send_duration_seconds", "outcome"): tuple(PollerOutcome),
    ("swapshop_orders", "estado"): get_args(Estado),
    ("swapshop_deliveries", "state"): get_args(State),
    ("swapshop_dead_letters_total", "reason"): get_args(DeadReason),
}
"""Labels whose values the code declares as a type."""


def _allowed(name: str, label: str) -> Values:
    allowed: Any = METRICS[name]["labels"][label]
    return None if isinstance(allowed, dict) else frozenset[str](allowed)


@pytest.mark.parametrize(("name", "label"), DECLARED)
def test_declared_values_are_the_allowed_ones(name: str, label: str) -> None:
    assert _allowed(name, label) == frozenset(DECLARED[name, label])


def _refused(metrics: list[Metric]) -> set[tuple[str, str, str]]:
    """Labels whose value is not allowed: metric, label and value."""
    refused: set[tuple[str, str, str]] = set()
    for metric in metrics:
        name = _name_of(metric)
        for sample in metric.samples if name in METRICS else []:
            for label, value in sample.labels.items():
                allowed = None if label == "le" else _allowed(name, label)
                if allowed is not None and value not in allowed:
                    refused.add((name, label, value))
    return refused


def test_the_exporter_shows_every_allowed_value_and_no_other() -> None:
    shown = {
        (_name_of(metric), label, value)
        for metric in _pipeline()
        for sample in metric.samples
        for label, value in sample.labels.items()
        if label != "le"
    }
    allowed = {
        (name, label, value)
        for name, metric in METRICS.items()
        if metric["owner"] == "exporter"
        for label, values in metric["labels"].items()
        for value in values
    }
    assert shown == allowed


async def _order(http: httpx.AsyncClient) -> None:
    """Sign in, also with a wrong password, place an order, and see its notification."""
    wrong = {"email": CUSTOMER, "password": PASSWORD + "!"}
    assert (await http.post("/api/auth/login", json=wrong)).status_code == 401
    answer = await http.post("/api/auth/login", json={"email": CUSTOMER, "password": PASSWORD})
    http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    line = {"producto": "Abrigo", "cantidad": 1, "precio_unitario": 24.9}
    placed = await http.post("/api/orders", json={"cliente": "Ana", "items": [line]})
    assert placed.status_code == 201
    assert (await http.get(placed.headers["location"])).status_code == 200
    assert (await http.request("PROPFIND", "/api/teapot")).status_code == 404

    async def is_notified() -> bool:
        return bool((await http.get("/api/notifications")).json()["items"])

    await until(is_notified)


async def test_a_real_run_shows_only_what_the_catalogue_has(tmp_path: Path) -> None:
    """All parts in one process, the exporter too: one page of metrics."""
    with up(tmp_path, free_port()) as running:
        await running.ready()
        async with httpx.AsyncClient(base_url=running.url, timeout=15) as http:
            await _order(http)
            page: str = ""

            async def is_counted() -> bool:
                nonlocal page
                page = (await http.get("/metrics")).text
                return 'swapshop_deliveries{state="DONE"} 1.0' in page

            await until(is_counted)
    metrics = list(text_string_to_metric_families(page))
    own = ("python_", "process_")
    shown = {_name_of(metric) for metric in metrics if not metric.name.startswith(own)}
    assert shown == set(METRICS)
    assert _refused(metrics) == set()
    samples = [sample for metric in metrics for sample in metric.samples]
    assert not {sample.name for sample in samples if sample.name.endswith("_created")}
    failures = {
        (sample.labels["http_request_method"], sample.labels["http_response_status_code"])
        for sample in samples
        if sample.name == "http_server_request_duration_seconds_count"
        and sample.labels["http_route"] == "/api/orders"
        and sample.value == 0
    }
    assert failures == {(method, status) for method in ("GET", "POST") for status in ("500", "503")}
