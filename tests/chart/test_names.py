"""Names and labels fit Kubernetes' limits, however long the release's name is."""

import pytest

from support.cluster.chart import Helm, Manifest
from swapshop_operations.cluster.client import Cluster

LONGEST = "a" * 53
"""Helm allows no longer name of a release."""

LIMITS = {"CronJob": 52, "StatefulSet": 52}
"""Their pods' names and labels are longer by what the controllers append."""


@pytest.mark.parametrize("release", ["swapshop", "shop", "my-swapshop-2", LONGEST, "a-" * 26 + "a"])
def test_names_fit_and_are_unique(helm: Helm, release: str) -> None:
    values = {
        "backup.enabled": True,
        "backup.existingClaim": "backups",
        "k6.enabled": True,
        "k6.scenario": "pipeline-e2e",
        "monitoring.enabled": True,
        "monitoring.kubelet.enabled": True,
    }
    manifests = helm.render(values, release=release)
    names = [(m["kind"], m["metadata"]["name"]) for m in manifests]
    assert len(set(names)) == len(names)
    for kind, name in names:
        assert len(name) <= LIMITS.get(kind, 63), (kind, name)
        assert not name.endswith("-")
        assert "--" not in name
    assert all(len(value) <= 63 for value in labels(manifests))


def labels(manifests: list[Manifest]) -> list[str]:
    return [value for m in manifests for value in m["metadata"].get("labels", {}).values()]


def test_two_releases_share_a_namespace(helm: Helm) -> None:
    first = {(m["kind"], m["metadata"]["name"]) for m in helm.render(release="one")}
    second = {(m["kind"], m["metadata"]["name"]) for m in helm.render(release="two")}
    assert not first & second


@pytest.mark.parametrize(
    "release",
    [
        "swapshop",
        "shop",
        LONGEST,
        "a" * 29 + "-" + "b" * 20,
        "my-swapshop-" + "c" * 40,
        "my-swapshop-" + "c" * 26 + "-2",
    ],
)
def test_our_tools_know_the_names(helm: Helm, release: str) -> None:
    names = {m["metadata"]["name"] for m in helm.render(release=release)}
    assert Cluster(release=release).name("api") in names
