"""Every part is scraped, and a load test's own figures arrive."""

import subprocess
import sys

import httpx

from support.cluster.release import Release
from support.waiting import wait_until

JOBS = {
    f"swapshop-{part}"
    for part in (
        *("api", "receiver", "poller", "exporter", "mysql", "redis"),
        *("prometheus", "alertmanager", "kubelet"),
    )
}


def targets(prometheus: httpx.Client) -> dict[str, set[str]]:
    """Return the health of each job's targets."""
    found: dict[str, set[str]] = {}
    for target in prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]:
        found.setdefault(target["labels"]["job"], set()).add(target["health"])
    return found


def test_every_part_is_scraped(prometheus: httpx.Client) -> None:
    up = {job: {"up"} for job in JOBS}
    wait_until(lambda: targets(prometheus) == up, 120, every=2)


def test_the_smoke_test_passes_in_the_cluster(release: Release) -> None:
    where = ("--namespace", release.cluster.namespace)
    # for longer than a few scrapes
    smoke = ("smoke", "-e", "ITERATIONS=100")
    done = subprocess.run(
        [sys.executable, "-m", "swapshop_operations.load.in_cluster", *where, *smoke],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Prometheus has all" in done.stdout
