"""Each alert has its page, and what the pages tell one to type exists."""

import re
from pathlib import Path

import pytest

from support.observability.promql import reads
from swapshop_operations.monitoring import catalogue, rules
from swapshop_operations.repository import ROOT

PAGES = ROOT / "docs/runbooks"
NAMES = sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "README")
PATHS = {
    rule["alert"]: rule["annotations"]["runbook"]
    for group in rules.rule_groups(rules.load())
    for rule in group["rules"]
    if "alert" in rule
}
QUERY = re.compile(r"\bq '([^']+)'")
LINK = re.compile(r"\]\(([^)#]+)\)")
OF_PROMETHEUS_ALONE = {"ALERTS", "prometheus_rule_group_last_duration_seconds"}
"""What a person looks at, and no rule or dashboard does."""


def recorded() -> set[str]:
    groups = rules.rule_groups(rules.load())
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


KNOWN = catalogue.SERIES | recorded() | OF_PROMETHEUS_ALONE


OF_THE_CHARTS_PROMETHEUS = {
    re.escape(f"swapshop-{job}") for job in ("kubelet", "ingress", "prometheus", "alertmanager")
}
"""Jobs that the chart's own Prometheus has, and an operator's has not."""


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert sorted(PATHS) == NAMES


def test_an_alert_names_its_page() -> None:
    assert {alert: ROOT / path for alert, path in PATHS.items()} == {
        name: PAGES / f"{name}.md" for name in NAMES
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_what_it_means_whom_it_hurts_and_when_it_is_over(name: str) -> None:
    text = page(name)
    assert text.startswith(f"# {name}\n")
    heading = r"^\*\*(Meaning|Impact|First look|Causes|Resolved when)\b"
    parts = re.findall(heading, text, re.MULTILINE)
    assert parts == ["Meaning", "Impact", "First look", "Causes", "Resolved when"]


@pytest.mark.parametrize("name", [*NAMES, "README"])
def test_the_queries_of_a_page_read_metrics_that_there_are(name: str) -> None:
    for query in QUERY.findall(page(name)):
        assert {read.metric for read in reads(query)} <= KNOWN, query


@pytest.mark.parametrize("name", [*NAMES, "README"])
def test_the_links_of_a_page_lead_somewhere(name: str) -> None:
    for target in LINK.findall(page(name)):
        assert (PAGES / Path(target)).resolve().exists(), target


def test_the_alerts_that_an_operators_prometheus_cannot_ring_are_told() -> None:
    text = (ROOT / "docs/observability.md").read_text(encoding="utf-8")
    told = text.partition("## With an operator that is there")[2].partition("\n## ")[0]
    silent = {
        rule["alert"]
        for group in rules.rule_groups(rules.load())
        for rule in group["rules"]
        if "alert" in rule
        for read in reads(rule["expr"])
        if OF_THE_CHARTS_PROMETHEUS & set(read.matched.get("job", ()))
    }
    assert {name for name in NAMES if name in told} == silent
