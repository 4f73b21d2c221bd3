"""The catalogue of metrics against the rules and the dashboards, both ways."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from support.observability.promql import Read, labels_of_result, reads
from swapshop_operations.dashboards import dashboards
from swapshop_operations.monitoring import queries, rules
from swapshop_operations.monitoring.catalogue import CONTENT, EXTERNAL, OWN, metric_of

JOBS = [
    f"swapshop-{component}"
    for component in (
        *("api", "receiver", "poller", "exporter", "mysql", "redis"),
        *("prometheus", "alertmanager", "ingress", "kubelet"),
    )
]
TARGET_LABELS = {"job", "instance", "pod", "namespace", "node", "container"}
"""What Prometheus adds to the series of a target."""

EXPRESSIONS = [(query.where, query.expression) for query in queries.queries()]
RULES = [rule for group in rules.rule_groups(rules.load()) for rule in group["rules"]]
RECORDS = [rule for rule in RULES if "record" in rule]
READS = [(where, read) for where, expression in EXPRESSIONS for read in reads(expression)]
RECORDED: Mapping[str, set[str]] = {
    name: {"slo"}
    if name.startswith("slo:")
    else {
        label
        for rule in RECORDS
        if rule["record"] == name
        for label in [*rule.get("labels", {}), *labels_of_result(rule["expr"])]
    }
    for name in {rule["record"] for rule in RECORDS}
}


def declared_labels(metric: str) -> Mapping[str, Any]:
    name = metric_of(metric)
    entry = OWN.get(name) or EXTERNAL.get(name)
    if entry is None:
        return {label: {"source": "a recording rule"} for label in RECORDED[name]}
    histogram = {"le": {"source": "its buckets"}} if metric.endswith("_bucket") else {}
    return {**entry["labels"], **histogram}


def test_every_metric_that_a_rule_or_dashboard_reads_is_in_the_catalogue() -> None:
    known = {*OWN, *EXTERNAL, *RECORDED}
    unknown = {(where, read.metric) for where, read in READS if metric_of(read.metric) not in known}
    assert unknown == set()


def test_a_histogram_is_read_by_its_series_and_nothing_else_has_such() -> None:
    bare = {read.metric for _, read in READS if OWN.get(read.metric, {}).get("type") == "histogram"}
    assert bare == set()


def unknown_labels(read: Read) -> set[str]:
    declared = set(declared_labels(read.metric)) | TARGET_LABELS
    return set(read.matched) - declared


def test_every_label_that_is_matched_is_declared() -> None:
    unknown = {
        (where, read.metric, label) for where, read in READS for label in unknown_labels(read)
    }
    assert unknown == set()


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_label_that_is_grouped_by_is_declared(where: str, expression: str) -> None:
    found = reads(expression)
    declared = TARGET_LABELS.union(*(declared_labels(read.metric) for read in found))
    for read in found:
        assert read.grouped <= declared | read.made, where


def forbidden_values(read: Read) -> Iterator[tuple[str, str]]:
    allowed = {**declared_labels(read.metric), "job": JOBS}
    for label, patterns in read.matched.items():
        values = allowed.get(label)
        if isinstance(values, list):
            names = cast("list[str]", values)
            for pattern in patterns:
                if not any(re.fullmatch(pattern, name) for name in names):
                    yield label, pattern


def test_every_value_that_is_matched_can_occur() -> None:
    impossible = {
        (where, read.metric, *pair) for where, read in READS for pair in forbidden_values(read)
    }
    assert impossible == set()


def test_every_metric_of_the_catalogue_is_read() -> None:
    read = {metric_of(read.metric) for _, read in READS}
    assert {*OWN, *EXTERNAL} - read == set()


def test_every_recorded_series_is_read() -> None:
    # The dashboards show the short windows that no alert reads.
    assert set(RECORDED) - {read.metric for _, read in READS} == set()


def mentioned_labels() -> set[str]:
    """Labels in the texts of alerts and in the legends of panels."""
    texts = [text for rule in RULES for text in rule.get("annotations", {}).values()]
    legends = [
        target["legendFormat"]
        for board in dashboards().values()
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]
    return {
        *re.findall(r"\$labels\.(\w+)", " ".join(texts)),
        *re.findall(r"\{\{\s*(\w+)\s*\}\}", " ".join(legends)),
    }


def test_the_labels_of_external_metrics_are_those_that_are_used() -> None:
    used = {name: mentioned_labels() for name in EXTERNAL}
    for _, read in READS:
        if metric_of(read.metric) in EXTERNAL:
            used[metric_of(read.metric)] |= set(read.matched) | read.grouped
    unused = {
        (name, label)
        for name, metric in EXTERNAL.items()
        for label in metric["labels"]
        if label not in used[name]
    }
    assert unused == set()


def test_the_catalogue_names_each_metric_once() -> None:
    names = [metric["name"] for metric in [*CONTENT["metrics"], *CONTENT["external"]]]
    assert sorted(set(names)) == sorted(names)
