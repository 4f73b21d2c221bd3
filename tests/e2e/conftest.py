"""One release in a new namespace swapshop-e2e; the tests run in the order of their files.

E2E=1 collects them (`./task e2e`). KUBECONFIG names the cluster, CLUSTER_IP the address where its
Ingress listens (127.0.0.1 by default), TAG the images' tag, E2E_NAMESPACE another namespace.
E2E_KEEP=1 leaves the namespace behind.
"""

import os
from collections.abc import Generator
from typing import Any, Final

import pytest
import yaml

from support.cluster.customers import Customer, Door
from support.cluster.release import HOST, NAMESPACE, Release
from swapshop_operations.cluster.client import Cluster
from swapshop_operations.programs import CommandFailed
from swapshop_operations.repository import ROOT

collect_ignore_glob = [] if os.environ.get("E2E") == "1" else ["test_*.py"]

OBSERVED: Final = pytest.StashKey[dict[str, float]]()
BACKUPS: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "backups", "namespace": NAMESPACE},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
}


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    """The namespace, empty but for a claim for backups."""
    cluster = Cluster(NAMESPACE)
    remove(cluster)
    namespace = yaml.safe_load((ROOT / "k8s" / "namespace.yaml").read_text())
    namespace["metadata"]["name"] = NAMESPACE
    cluster.apply(namespace)
    cluster.apply(BACKUPS)
    yield cluster
    if os.environ.get("E2E_KEEP") != "1":
        remove(cluster)


def remove(cluster: Cluster) -> None:
    """Delete the namespace and wait until it is gone."""
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")


@pytest.fixture(scope="session")
def observed(pytestconfig: pytest.Config) -> dict[str, float]:
    """Figures that the tests observe, printed at the end."""
    return pytestconfig.stash.setdefault(OBSERVED, {})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures, for docs/kubernetes.md and docs/observability.md."""
    for name, value in config.stash.setdefault(OBSERVED, {}).items():
        terminalreporter.write_line(f"observed: {name}: {value:.1f}")


@pytest.fixture(scope="session")
def release(cluster: Cluster, observed: dict[str, float]) -> Release:
    """A new installation; if it fails, the test prints the state of the pods."""
    release = Release(cluster)
    try:
        observed["install, until all is ready (s)"] = release.deploy()
    except CommandFailed as error:
        told = cluster.kubectl("get", "pods,events", "--sort-by=.metadata.creationTimestamp")
        pytest.fail(f"{error}\n{told}")
    return release


@pytest.fixture(scope="session")
def door() -> Generator[Door]:
    """Where the Ingress listens."""
    door = Door(os.environ.get("CLUSTER_IP", "127.0.0.1"), HOST)
    yield door
    door.close()


@pytest.fixture
def customer(release: Release, door: Door) -> Customer:
    """A new customer."""
    assert release
    return Customer(door)
