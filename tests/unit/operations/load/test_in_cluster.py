"""The load test in the cluster, over a cluster that answers as kubectl and helm do."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.load.in_cluster import LoadTests
from swapshop_operations.programs import CommandFailed

SUMMARY = {
    "seconds": 12.5,
    "requests": [{"label": label, "count": 5} for label in ("GET /a", "POST /b", "reads")],
}
LOG = f"report, line 1\nreport, line 2\nsummary {json.dumps(SUMMARY)}\nlast words of k6\n"
JOB = {
    "kind": "Job",
    "metadata": {"name": "shop-swapshop-k6-1"},
    "spec": {
        "activeDeadlineSeconds": 60,
        "template": {
            "spec": {
                "containers": [
                    {
                        "env": [
                            {
                                "name": "K6_PROMETHEUS_RW_SERVER_URL",
                                "value": "http://shop-swapshop-prometheus:9090/api/v1/write",
                            }
                        ]
                    }
                ]
            }
        },
    },
}


class FakeCluster(Cluster):
    """A release whose k6 ends at once.

    Args:
        exit_code: of k6.
        arrived: requests that Prometheus has; None: it knows no such series.
        has_scripts: whether the release has k6.enabled.
        log: what k6 prints.
        status: of the pod, in place of one with k6's exit code.
    """

    def __init__(
        self,
        exit_code: int = 0,
        arrived: int | None = 10,
        *,
        has_scripts: bool = True,
        log: str = LOG,
        status: dict[str, Any] | None = None,
    ) -> None:
        super().__init__("load", "shop")
        answers = {
            ("get", "configmap"): "configmap/shop-swapshop-k6" if has_scripts else "",
            ("logs", "job/shop-swapshop-k6-1"): log,
            ("exec", "shop-swapshop-prometheus-0"): json.dumps(
                [] if arrived is None else [{"metric": {}, "value": [0, str(arrived)]}]
            ),
        }
        state = {"terminated": {"exitCode": exit_code}}
        ended = {"phase": "Failed", "containerStatuses": [{"state": state}]}
        pods = {"items": [{"status": status or ended}]}
        # the base class is frozen
        own: dict[str, Any] = {"answers": answers, "pods": pods, "calls": [], "values": {}}
        for name, value in own.items():
            object.__setattr__(self, name, value)

    answers: dict[tuple[str, ...], str]
    pods: dict[str, Any]
    calls: list[tuple[str, ...]]
    values: dict[str, Any]

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
        self.calls.append(arguments)
        return self.answers.get(arguments[:2], "")

    def helm(self, *arguments: str, stdin: str | None = None, seconds: float = 600) -> str:
        if arguments[0] == "get":
            return json.dumps({"k6": {"enabled": True, "image": "k6:mine"}})
        self.values.update(json.loads(stdin or ""))
        return yaml.safe_dump_all([{"kind": "ConfigMap"}, JOB])

    def follow(self, *arguments: str) -> Iterator[str]:
        yield from self.answers["logs", arguments[1]].splitlines(keepends=True)

    def get(self, *arguments: str) -> dict[str, Any]:
        return self.pods

    def apply(self, manifest: Mapping[str, Any]) -> None:
        self.calls.append(("apply", manifest["kind"]))


def test_the_job_is_the_releases_with_this_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = FakeCluster()
    run = LoadTests(cluster).run("smoke", "smoke-1", ["-e", "RATE=5"])
    assert ("apply", "Job") in cluster.calls
    assert ("apply", "ConfigMap") not in cluster.calls
    assert cluster.values["k6"] == {
        "enabled": True,
        "image": "k6:mine",
        "scenario": "smoke",
        "testId": "smoke-1",
        "arguments": ["-e", "RATE=5"],
    }
    assert run.summary == SUMMARY
    assert run.report == "report, line 1\nreport, line 2\nlast words of k6"
    assert "summary" not in capsys.readouterr().out


@pytest.mark.parametrize("exit_code", [0, 99, 107])
def test_the_exit_code_is_k6s(exit_code: int) -> None:
    assert LoadTests(FakeCluster(exit_code)).run("smoke", "smoke-1", []).exit_code == exit_code


@pytest.mark.parametrize(
    "containers",
    [{}, {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}],
)
def test_an_evicted_pod_is_told_by_its_reason(containers: dict[str, Any]) -> None:
    told = {"reason": "Evicted", "message": "The node was low on resource: memory."}
    cluster = FakeCluster(status={"phase": "Failed", **told, **containers})
    with pytest.raises(CommandFailed, match=r"k6-1: .*: Failed Evicted The node was low"):
        LoadTests(cluster).run("smoke", "smoke-1", [])


def test_a_script_that_breaks_leaves_no_summary() -> None:
    run = LoadTests(FakeCluster(107, log="ReferenceError\n")).run("smoke", "smoke-1", [])
    assert (run.exit_code, run.report, run.summary) == (107, "ReferenceError", {})


def test_every_request_must_have_reached_prometheus() -> None:
    cluster = FakeCluster()
    tests = LoadTests(cluster)
    run = tests.run("smoke", "smoke-1", [])
    assert run.has_prometheus
    assert run.requests == 10  # the row of a scenario counts none a second time
    tests.check_arrived("smoke-1", run)
    (expression,) = [call[-1] for call in cluster.calls if call[0] == "exec"]
    # all of the run, and the time until it is asked
    assert 'k6_http_reqs_total{testid="smoke-1"}[612s]' in expression


@pytest.mark.parametrize("arrived", [None, 0, 9])
def test_figures_that_did_not_reach_prometheus_fail_the_run(arrived: int | None) -> None:
    tests = LoadTests(FakeCluster(arrived=arrived))
    run = tests.run("smoke", "smoke-1", [])
    with pytest.raises(CommandFailed, match=f"has {arrived or 0} of 10 requests"):
        tests.check_arrived("smoke-1", run)


def test_a_release_without_the_scripts_is_told_how_to_get_them() -> None:
    with pytest.raises(CommandFailed, match=r"k6\.enabled=true"):
        LoadTests(FakeCluster(has_scripts=False)).run("smoke", "smoke-1", [])


def test_a_failed_side_of_cache_ab_ends_it_and_the_api_is_as_before() -> None:
    cluster = FakeCluster(99)
    with pytest.raises(CommandFailed, match="cache-ab-1-on-1: k6 ended with 99"):
        LoadTests(cluster).compare_caches("cache-ab-1", [])
    settings = [call[-1] for call in cluster.calls if call[:2] == ("set", "env")]
    assert settings == ["CACHE_MODE=on", "CACHE_MODE-"]
