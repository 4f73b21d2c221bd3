"""The autoscaler adds pods under load and removes them after it."""

import pytest

from support.cluster.customers import Door, traffic
from support.cluster.release import Release
from support.waiting import wait_until

SERVING = ("api", "receiver", "web", "mysql", "redis")


def is_ready(release: Release, component: str) -> bool:
    """Return whether every pod of a component is ready."""
    return 1 <= len(release.pods(component)) == release.ready(component)


def memory(release: Release, component: str) -> list[int]:
    """Return the memory of a component's pods in MiB, as metrics-server has it."""
    labels = f"app.kubernetes.io/component={component}"
    lines = release.cluster.kubectl("top", "pods", "--no-headers", "--selector", labels)
    return [int(line.split()[2].removesuffix("Mi")) for line in lines.splitlines()]


@pytest.mark.timeout(600)
def test_the_api_scales_out_and_back_in(
    release: Release, door: Door, observed: dict[str, float]
) -> None:
    wait_until(lambda: len(release.pods("api")) == 2, 240, every=2)
    # All cores are busy with it, those of the database too: here pods count, not answers.
    with traffic(door, customers=6, pause=0) as counted:
        seconds = wait_until(lambda: release.ready("api") > 2, 180, every=1)
        observed["most memory of an api pod under load (MiB)"] = max(memory(release, "api"))
        observed["load to a third ready pod of the api (s)"] = seconds
    observed["requests refused while all cores were busy"] = len(counted.failures)
    # Those that missed a probe meanwhile, such as the only one of the web, are back.
    wait_until(lambda: all(is_ready(release, component) for component in SERVING), 120, every=1)
    with traffic(door) as calm:
        wait_until(lambda: calm.requests >= 50, 60, every=1)
    assert calm.failures == []
    seconds = wait_until(lambda: len(release.pods("api")) == 2, 300, every=2)
    observed["end of the load to two pods again (s)"] = seconds
