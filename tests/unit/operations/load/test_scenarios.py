"""Each scenario of k6/, as k6 itself reads it."""

import json
import re
import subprocess
from typing import Any

import pytest

from swapshop_operations.load.k6 import SCENARIOS
from swapshop_operations.programs import find_program
from swapshop_operations.repository import SCRIPTS

EXECUTORS = {
    "bench": "constant-vus",
    "breakpoint": "ramping-arrival-rate",
    "cache-ab": "constant-vus",
    "load": "constant-arrival-rate",
    "pipeline-e2e": "per-vu-iterations",
    "smoke": "shared-iterations",
    "soak": "constant-arrival-rate",
    "spike": "ramping-arrival-rate",
    "stress": "ramping-arrival-rate",
}
SLOS: dict[str, list[str]] = json.loads((SCRIPTS / "thresholds.json").read_text())


def inspect(scenario: str, *variables: str) -> subprocess.CompletedProcess[str]:
    environment = [part for it in ("URL=http://shop.test", *variables) for part in ("-e", it)]
    command = [find_program("k6"), "inspect", *environment, f"{scenario}.js"]
    return subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=False)  # noqa: S603 - k6 with words of ours


def options(scenario: str, *variables: str) -> dict[str, Any]:
    done = inspect(scenario, *variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def conditions(thresholds: dict[str, Any], metric: str) -> list[str]:
    return [it["threshold"] if isinstance(it, dict) else it for it in thresholds[metric]]


def test_the_scenarios_are_these_and_the_docs_tell_of_each() -> None:
    assert sorted(EXECUTORS) == SCENARIOS
    docs = (SCRIPTS.parent / "docs" / "load.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `([a-z0-9-]+)` \|", docs, re.MULTILINE)) == SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_has_its_executor_and_fails_on_a_wrong_answer(scenario: str) -> None:
    found = options(scenario)
    assert {it["executor"] for it in found["scenarios"].values()} == {EXECUTORS[scenario]}
    assert conditions(found["thresholds"], "checks") == ["rate==1"]
    assert conditions(found["thresholds"], "http_req_failed") == SLOS["api-availability"]
    assert {"url", "ip", "vu", "iter"}.isdisjoint(found["systemTags"])


@pytest.mark.parametrize("scenario", ["load", "soak", "breakpoint"])
def test_latency_is_judged_where_there_are_enough_requests(scenario: str) -> None:
    thresholds = options(scenario)["thresholds"]
    metric = f"http_req_duration{{scenario:{scenario}}}"
    assert conditions(thresholds, metric) == SLOS["api-latency"]


@pytest.mark.parametrize("scenario", ["smoke", "pipeline-e2e"])
def test_notifications_are_judged_where_they_are_awaited(scenario: str) -> None:
    thresholds = options(scenario)["thresholds"]
    assert conditions(thresholds, "order_notification_latency") == SLOS["notified"]


@pytest.mark.parametrize("scenario", ["smoke", "pipeline-e2e"])
def test_no_notification_may_be_lost_or_doubled(scenario: str) -> None:
    thresholds = options(scenario)["thresholds"]
    assert conditions(thresholds, "notifications_lost") == ["count==0"]
    assert conditions(thresholds, "notifications_doubled") == ["count==0"]


def test_the_breakpoint_ends_at_the_first_objective_that_is_missed() -> None:
    thresholds: dict[str, list[Any]] = options("breakpoint")["thresholds"]
    aborting = {
        metric for metric, own in thresholds.items() if '"abortOnFail": true' in json.dumps(own)
    }
    assert aborting == {
        "http_req_failed",
        "http_req_duration{scenario:breakpoint}",
        "dropped_iterations",
    }


def test_the_environment_sets_the_load() -> None:
    load = options("load", "RATE=7", "DURATION=90s")["scenarios"]["load"]
    assert (load["rate"], load["duration"]) == (7, "1m30s")


@pytest.mark.parametrize(
    "variable",
    ["RATE=0", "RATE=2000", "RATE=1.5", "RATE=x", "DURATION=13h", "DURATION=1", "DURATION=-1s"],
)
def test_what_is_out_of_bounds_is_refused(variable: str) -> None:
    done = inspect("load", variable)
    assert done.returncode != 0
    assert re.search(rf"{variable.partition('=')[0]} is ", done.stderr)


def test_an_address_is_needed() -> None:
    assert "set URL" in inspect("smoke", "URL=").stderr
