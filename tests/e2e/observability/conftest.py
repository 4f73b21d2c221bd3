"""One release with all that is measured; `./task e2e:observability` collects these tests."""

import os
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from support.cluster.pager import Pager
from support.cluster.port_forward import forwarded
from support.cluster.release import Release
from swapshop_operations.cluster.client import Cluster
from swapshop_operations.programs import CommandFailed

collect_ignore_glob = [] if os.environ.get("E2E") == "1" else ["test_*.py"]

VALUES = ("--values", str(Path(__file__).with_name("values.yaml")))


@pytest.fixture(scope="session")
def pager(cluster: Cluster) -> Pager:
    """Who is woken by the release's pages."""
    return Pager(cluster)


@pytest.fixture(scope="session")
def release(cluster: Cluster, pager: Pager, observed: dict[str, float]) -> Release:
    """Installed from nothing, with its own Prometheus."""
    release = Release(cluster)
    try:
        seconds = release.deploy(*VALUES, *pager.options)
        observed["install with monitoring, until all is ready (s)"] = seconds
    except CommandFailed as error:
        told = cluster.kubectl("get", "pods,events", "--sort-by=.metadata.creationTimestamp")
        pytest.fail(f"{error}\n{told}")
    return release


@pytest.fixture(scope="module")
def prometheus(release: Release) -> Generator[httpx.Client]:
    """The release's own."""
    with (
        forwarded(release.cluster, "statefulset/swapshop-prometheus", 9090) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        yield client
