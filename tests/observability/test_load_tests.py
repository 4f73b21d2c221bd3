"""What the load tests take from slos.yaml."""

import json
from dataclasses import replace
from pathlib import Path

from swapshop_operations.generate import k6_files
from swapshop_operations.monitoring import rules
from swapshop_operations.repository import ROOT, SCRIPTS

SLO = rules.Slo("made-up", "MadeUp", 0.999, 1, "something", "vector(1)", "vector(0)")


def test_an_objective_without_a_threshold_is_a_rate_of_failures() -> None:
    assert k6_files.condition(SLO) == "rate<=0.001"
    assert k6_files.condition(replace(SLO, objective=0.9995)) == "rate<=0.0005"


def test_an_objective_with_a_threshold_is_a_percentile_in_milliseconds() -> None:
    assert k6_files.condition(replace(SLO, objective=0.99, threshold=0.25)) == "p(99)<=250"
    assert k6_files.condition(replace(SLO, objective=0.999, threshold=120)) == "p(99.9)<=120000"


def test_the_thresholds_are_those_of_the_objectives_that_a_client_sees() -> None:
    assert json.loads(k6_files.thresholds_text()) == {
        "api-availability": ["rate<=0.001"],
        "api-latency": ["p(99)<=250"],
        "notified": ["p(99)<=120000"],
    }


def test_the_chart_installs_the_scripts_of_k6_and_no_other_file() -> None:
    own = SCRIPTS
    scripts = {path.relative_to(own): path for path in own.rglob("*.js")}
    scripts[Path("thresholds.json")] = own / "thresholds.json"
    chart = ROOT / k6_files.CHART_SCRIPTS
    installed = {path.relative_to(chart): path for path in chart.rglob("*.*")}
    assert set(installed) == set(scripts)
    for name, path in installed.items():
        assert path.read_bytes() == scripts[name].read_bytes(), name
