"""Runs a load test as a Job in the cluster; its exit code is k6's: 99 for a crossed threshold.

    python -m swapshop_operations.load.in_cluster [--namespace N] [--release R] SCENARIO [K6 ARGS]

k6 does not report a failed remote write, so a run whose figures are missing in the release's
Prometheus fails here. The scenario ``cache-ab`` restarts the api for each of ten runs, five with
the cache and five without.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.cluster.prometheus import ask
from swapshop_operations.load import cache_comparison
from swapshop_operations.load.results import RESULTS, new_test_id
from swapshop_operations.programs import CommandFailed
from swapshop_operations.repository import CHART

START_SECONDS: Final = 180
"""Time limit for the pod's start, during which a node can have to pull the image."""
SUMMARY: Final = "summary "
"""Prefix of the JSON line in the log: see k6/lib/summary.js."""


@dataclass(frozen=True)
class Run:
    """The result of a Job."""

    exit_code: int
    report: str
    summary: dict[str, Any]
    """Empty if k6 ended early."""
    has_prometheus: bool
    """Whether k6 wrote to the release's Prometheus."""

    @property
    def requests(self) -> int:
        """The number of requests that k6 sent."""
        rows = self.summary["requests"]
        return sum(row["count"] for row in rows if row["label"].startswith(("GET ", "POST ")))


class LoadTests:
    """Runs load tests in one release.

    Args:
        cluster: the target release.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def run(self, scenario: str, test_id: str, arguments: Sequence[str]) -> Run:
        """Run a scenario in a Job, print its log and return its result.

        Args:
            scenario: name of a script in k6/.
            test_id: label of the test in Prometheus.
            arguments: arguments of k6.

        Raises:
            CommandFailed: the release has no scripts, or the pod did not start or was evicted.
        """
        job = self._render(scenario, test_id, arguments)
        name, container = job["metadata"]["name"], job["spec"]["template"]["spec"]["containers"][0]
        self._cluster.apply(job)
        self._await_start(name)
        for line in self._cluster.follow("logs", f"job/{name}", "--follow"):
            if not line.startswith(SUMMARY):
                print(line, end="", flush=True)
        code = self._await_end(name, job["spec"]["activeDeadlineSeconds"])
        lines = self._cluster.kubectl("logs", f"job/{name}").splitlines()
        summary = next((it for it in lines if it.startswith(SUMMARY)), f"{SUMMARY}{{}}")
        report = "\n".join(it for it in lines if it != summary)
        environment = {each["name"]: each["value"] for each in container["env"]}
        own = f"//{self._cluster.fullname}-prometheus:"
        writes_there = own in environment.get("K6_PROMETHEUS_RW_SERVER_URL", "")
        return Run(code, report, json.loads(summary.removeprefix(SUMMARY)), writes_there)

    def check_arrived(self, test_id: str, run: Run) -> None:
        """Check that Prometheus recorded every request of a run.

        Raises:
            CommandFailed: requests are missing in Prometheus.
        """
        # k6 marks its series as stale at the end of the test: they have no current value
        since = f"{int(run.summary['seconds']) + 600}s"
        expression = f'sum(last_over_time(k6_http_reqs_total{{testid="{test_id}"}}[{since}]))'
        found = ask(self._cluster, expression)
        arrived = int(found[0].value) if found else 0
        if arrived != run.requests:
            found_in = f"Prometheus has {arrived} of {run.requests} requests"
            raise CommandFailed(f"{test_id}: {found_in}: remote write failed")
        print(f"Prometheus has all {arrived} requests: testid={test_id}")

    def compare_caches(self, test_id: str, arguments: Sequence[str]) -> cache_comparison.Comparison:
        """Run cache-ab with and without the cache, alternately.

        Raises:
            CommandFailed: a run failed, or the api did not start.
        """
        api = f"deployment/{self._cluster.name('api')}"

        def measure(mode: str, number: int) -> cache_comparison.Reads:
            self._cluster.kubectl("set", "env", api, f"CACHE_MODE={mode}")
            self._cluster.await_rollout(api)
            header = ("-e", f"CACHE={cache_comparison.EXPECTED[mode]}")
            name = f"{test_id}-{mode}-{number}"
            run = self.run(cache_comparison.SCENARIO, name, (*header, *arguments))
            if run.exit_code:
                raise CommandFailed(f"{name}: k6 ended with {run.exit_code}")
            return cache_comparison.reads_of(run.summary)

        try:
            return cache_comparison.compare(measure)
        finally:
            self._cluster.kubectl("set", "env", api, "CACHE_MODE-")
            self._cluster.await_rollout(api)

    def _render(self, scenario: str, test_id: str, arguments: Sequence[str]) -> dict[str, Any]:
        release = self._cluster.release
        if not self._cluster.has("configmap", "k6"):
            raise CommandFailed(f"{release} has no load tests: deploy it with k6.enabled=true")
        values = self._cluster.installed_values()
        values["secrets"] = {**values.get("secrets", {}), "generate": False}
        values["k6"] = {
            **values.get("k6", {}),
            "scenario": scenario,
            "testId": test_id,
            "arguments": list(arguments),
        }
        command = ("template", release, str(CHART), "--values", "-")
        only = ("--show-only", "templates/k6.yaml")
        rendered = self._cluster.helm(*command, *only, stdin=json.dumps(values))
        return next(each for each in yaml.safe_load_all(rendered) if each["kind"] == "Job")

    def _await_start(self, name: str) -> None:
        end = time.monotonic() + START_SECONDS
        while not (pod := self._pod(name)) or pod["status"]["phase"] == "Pending":
            if time.monotonic() > end:
                events = self._cluster.kubectl("get", "events", "--sort-by=.lastTimestamp")
                raise CommandFailed(f"{name}: no pod started within {START_SECONDS} s\n{events}")
            time.sleep(1)

    def _await_end(self, name: str, seconds: int) -> int:
        end = time.monotonic() + seconds
        while (pod := self._pod(name)) and pod["status"]["phase"] == "Running":
            if time.monotonic() > end:
                raise CommandFailed(f"{name}: still running after {seconds} s")
            time.sleep(1)
        if not pod:
            raise CommandFailed(f"{name}: its pod was deleted, or ended after {seconds} s")
        status: dict[str, Any] = pod["status"]
        states: list[dict[str, Any]] = [it["state"] for it in status.get("containerStatuses", [])]
        ended: dict[str, Any] | None = states[0].get("terminated") if states else None
        if ended is None:  # evicted before its container reported an exit code
            state = " ".join(status[it] for it in ("phase", "reason", "message") if it in status)
            raise CommandFailed(f"{name}: its pod has no exit code: {state}")
        return int(ended["exitCode"])

    def _pod(self, job: str) -> dict[str, Any] | None:
        pods = self._cluster.get("pods", "--selector", f"batch.kubernetes.io/job-name={job}")
        return next(iter(pods["items"]), None)


def main(command: Sequence[str] | None = None) -> int:
    """Return k6's exit code, or 1 if k6 could not run or figures are missing in Prometheus."""
    parser = argparse.ArgumentParser(prog="load", description=__doc__, allow_abbrev=False)
    parser.add_argument("--namespace", default="swapshop")
    parser.add_argument("--release", default="swapshop")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="parent folder of the results"
    )
    parser.add_argument("scenario")
    options, arguments = parser.parse_known_args(command)
    tests = LoadTests(Cluster(options.namespace, options.release))
    test_id = new_test_id(options.scenario)
    results: Path = options.results / test_id
    results.mkdir(parents=True)
    try:
        if options.scenario == cache_comparison.SCENARIO:
            cache_comparison.write(tests.compare_caches(test_id, arguments), results)
            return 0
        run = tests.run(options.scenario, test_id, arguments)
        (results / "report.txt").write_text(run.report, encoding="utf-8")
        if run.summary:
            (results / "summary.json").write_text(json.dumps(run.summary), encoding="utf-8")
        if run.summary and run.has_prometheus:
            tests.check_arrived(test_id, run)
    except CommandFailed as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    return run.exit_code


if __name__ == "__main__":
    sys.exit(main())
