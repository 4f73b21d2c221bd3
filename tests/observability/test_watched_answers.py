"""The answers that an alert counts are exported as 0 by the services, before the first of them."""

import re
from collections.abc import Iterator, Mapping

import pytest
from prometheus_client import REGISTRY

from support.observability.promql import reads
from swapshop_api import app as api
from swapshop_kit.web import create_app
from swapshop_operations.monitoring import rules
from swapshop_receiver import app as receiver

COUNTED = "http_server_request_duration_seconds_count"
STATUS = "http_response_status_code"
Labels = Mapping[str, str]


@pytest.fixture(scope="module")
def exported() -> list[Labels]:
    """The labels of every count of requests, once the applications are made."""
    for public in (api.PUBLIC, receiver.PUBLIC_ROUTERS):
        create_app("public", "1", public)
    for internal in (api.INTERNAL, receiver.INTERNAL_ROUTERS):
        create_app("internal", "1", internal, trusted_callers=True)
    [metric] = [m for m in REGISTRY.collect() if COUNTED.startswith(m.name)]
    return [sample.labels for sample in metric.samples if sample.name == COUNTED]


def watched() -> Iterator[tuple[str, Mapping[str, tuple[str, ...]]]]:
    """Each alert that counts answers by status, with the matchers of its selector; 200 goes on."""
    for group in rules.rule_groups(rules.load()):
        for rule in group["rules"]:
            for read in reads(rule["expr"]) if "alert" in rule else ():
                if read.metric == COUNTED and read.matched.get(STATUS, ("200",)) != ("200",):
                    yield rule["alert"], {k: v for k, v in read.matched.items() if k != "job"}


def matches(labels: Labels, matched: Mapping[str, tuple[str, ...]]) -> bool:
    return all(
        any(re.fullmatch(pattern, labels[label]) for pattern in patterns)
        for label, patterns in matched.items()
    )


def test_alerts_count_answers() -> None:
    assert {alert for alert, _ in watched()} == {"MysqlDown", "OrdersFailing", "PeerMisconfigured"}


@pytest.mark.parametrize(("alert", "matched"), [*watched()])
def test_what_an_alert_counts_is_there_before_it_happens(
    alert: str, matched: Mapping[str, tuple[str, ...]], exported: list[Labels]
) -> None:
    assert [labels for labels in exported if matches(labels, matched)], alert


@pytest.mark.parametrize("status", ["500", "503"])
def test_the_failures_of_every_public_route_are(status: str, exported: list[Labels]) -> None:
    routes = {
        (method, route)
        for document in (api.contract_app().openapi(), receiver.contract_app().openapi())
        for route, methods in document["paths"].items()
        for method in methods
        if route.startswith("/api/")
    }
    failing = {
        (labels["http_request_method"].lower(), labels["http_route"])
        for labels in exported
        if labels[STATUS] == status
    }
    assert routes - failing == set()
