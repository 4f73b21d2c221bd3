"""The rules, played by promtool: what rings, what does not, and what nothing rings beside."""

import re
from pathlib import Path
from typing import Any

import pytest

from support.observability.alert_scenarios import play, promtool, run
from support.observability.burn_scenarios import BURNS
from support.observability.cause_scenarios import PAGES, TICKETS
from support.observability.promql import labels_of_result
from support.servers.processes import find_program
from swapshop_api.exporter.figures import DEADLINE
from swapshop_operations.generate import files
from swapshop_operations.monitoring import rules
from swapshop_operations.repository import ROOT

RULES = ROOT / files.CHART_FILES / "rules.yaml"
SOURCES = rules.load()
SCENARIOS = {**BURNS, **PAGES, **TICKETS}


@pytest.fixture(scope="module", autouse=True)
def promtool_is_there() -> None:
    if find_program("promtool") is None:
        pytest.skip("promtool is not installed")


def test_prometheus_reads_the_rules() -> None:
    result = promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", SCENARIOS)
def test_exactly_these_alerts(name: str, tmp_path: Path) -> None:
    run(SCENARIOS[name], RULES, tmp_path)


def alert_rules() -> list[dict[str, Any]]:
    groups = rules.rule_groups(SOURCES)
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_every_alert_fires_in_a_scenario() -> None:
    fired = {
        alert.partition(" ")[0]
        for scenario in SCENARIOS.values()
        for alerts in scenario.firing.values()
        for alert in alerts
    }
    assert {rule["alert"] for rule in alert_rules()} == fired


def test_what_an_alert_inhibits_is_an_alert() -> None:
    names = {rule["alert"] for rule in alert_rules()}
    for alert in SOURCES.alerts:
        assert set(alert.inhibits) <= names - {alert.alert}


def test_no_two_alerts_inhibit_each_other() -> None:
    # Alertmanager would be silent about both.
    inhibits = {alert.alert: set(alert.inhibits) for alert in SOURCES.alerts}
    for source, targets in inhibits.items():
        assert not any(source in inhibits.get(target, set()) for target in targets)


def test_an_alert_tells_how_much_is_bad(tmp_path: Path) -> None:
    document = SCENARIOS["an order lost"].document(RULES)
    document["tests"][0]["alert_rule_test"] = [
        {
            "eval_time": "62m",
            "alertname": "OrdersUnaccounted",
            "exp_alerts": [
                {
                    "exp_labels": {"severity": "page"},
                    "exp_annotations": {
                        "summary": "Orders are lost, the promise is broken",
                        "description": "1 orders are not PENDING, were not notified, and have no "
                        "delivery that would notify them. Find them with the query of the "
                        "runbook, and keep the database as it is until the cause is known.",
                        "runbook": "docs/runbooks/OrdersUnaccounted.md",
                    },
                }
            ],
        }
    ]
    play(document, tmp_path)


LEFT_OPEN = {"[5m1s]": "[5m999ms]", "[5m]": "[4m59s999ms]"}
"""Makes of the ranges of Prometheus 2, which have both their ends, those of Prometheus 3."""


@pytest.mark.parametrize("ranges", [{}, LEFT_OPEN], ids=["Prometheus 2", "Prometheus 3"])
def test_counts_of_the_database_grow_as_they_do(ranges: dict[str, str], tmp_path: Path) -> None:
    text = RULES.read_text(encoding="utf-8")
    for closed, left_open in ranges.items():
        text = text.replace(closed, left_open)
    file = tmp_path / "rules.yaml"
    file.write_text(text, encoding="utf-8")
    document = SCENARIOS["healthy"].document(file)
    series = [f'slo:sli_events:rate5m{{slo="{slo}"}}' for slo in ("notified", "delivery")]
    document["tests"][0]["promql_expr_test"] = [
        {"expr": each, "eval_time": "60m", "exp_samples": [{"labels": each, "value": 1}]}
        for each in series
    ]
    play(document, tmp_path)


def test_the_thresholds_that_clients_read_are_those_of_the_queries() -> None:
    slos = {slo.name: slo for slo in SOURCES.slos}
    assert f'le="{slos["api-latency"].threshold}"' in slos["api-latency"].errors
    assert f">= bool {slos['poller-freshness'].threshold}" in slos["poller-freshness"].errors


def test_the_exporter_counts_by_the_deadline_that_is_promised() -> None:
    [notified] = [slo for slo in SOURCES.slos if slo.name == "notified"]
    assert notified.threshold == DEADLINE.total_seconds()


OF_SERIES = {
    "TargetDown": {"job", "instance"},
    "MetricVanished": {"job"},
    "VolumeFillingUp": {"persistentvolumeclaim"},
}
"""Alerts that keep the labels of the series they read."""


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_an_alert_names_only_labels_that_it_has(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert named <= labels_of_result(rule["expr"]) | OF_SERIES.get(rule["alert"], set[str]())
