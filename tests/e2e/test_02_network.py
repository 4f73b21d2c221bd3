"""From a stray pod and from each component, what the table allows works and nothing else does."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from cluster import CHART
from support.releases import NAMESPACE, Release

TABLE: Final = {
    (row["from"], row["to"], row["port"])
    for row in yaml.safe_load((CHART / "values.yaml").read_text())["networkPolicy"]["connections"]
}
LISTENING: Final = {
    "api": (8000, 8001, 9000),
    "receiver": (8000, 8001, 9000),
    "web": (8080,),
    "mysql": (3306,),
    "redis": (6379,),
}
COMPONENTS: Final = (
    "api", "receiver", "poller", "web", "mysql", "redis",
    "migrate", "housekeeping", "backup", "restore", "test",
)  # fmt: skip
PROBE: Final = (Path(__file__).parent / "probe.py").read_text()

Target = tuple[str, str, int, bool]


def targets(release: Release, source: str) -> Iterator[Target]:
    """Yield what a source tries to reach, and whether the table allows it."""
    for component, ports in LISTENING.items():
        # not one of the probes, whose labels are the same
        pods = [p for p in release.pods(component) if "generateName" in p["metadata"]]
        address = pods[0]["status"]["podIP"]
        for port in ports:
            yield f"{component}:{port}", address, port, (source, component, port) in TABLE
    if source != "stray":  # nothing of ours rules what a stray pod sends elsewhere
        yield "dns:53", "dns", 53, (source, "dns", 53) in TABLE


def probe_pod(release: Release, source: str, wanted: list[Target]) -> dict[str, Any]:
    """Return a pod with a component's labels, never ready, so that no Service sends to it."""
    (container,) = release.pods("receiver")[0]["spec"]["containers"]
    labels = {
        "app.kubernetes.io/name": "swapshop",
        "app.kubernetes.io/instance": "swapshop",
        "app.kubernetes.io/component": source,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"probe-{source}",
            "namespace": NAMESPACE,
            "labels": {} if source == "stray" else labels,
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "probe",
                    "image": container["image"],
                    "command": ["python", "-c", PROBE],
                    "env": [{"name": "TARGETS", "value": json.dumps(wanted)}],
                    "readinessProbe": {
                        "exec": {"command": ["python", "-c", "raise SystemExit(1)"]}
                    },
                    "securityContext": container["securityContext"],
                }
            ],
        },
    }


@pytest.mark.timeout(300)
def test_the_policies_are_the_table(release: Release) -> None:
    cluster = release.cluster

    def reached_from(source: str) -> tuple[set[str], set[str]]:
        wanted = list(targets(release, source))
        pod = probe_pod(release, source, wanted)
        name = pod["metadata"]["name"]
        cluster.apply(pod)
        cluster.kubectl(
            *("wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=180s")
        )
        reached = set(json.loads(cluster.kubectl("logs", name)))
        cluster.kubectl("delete", "pod", name, "--wait=false")
        return reached, {target[0] for target in wanted if target[3]}

    with ThreadPoolExecutor(4) as pool:
        sources = ("stray", *COMPONENTS)
        results = dict(zip(sources, pool.map(reached_from, sources), strict=True))
    assert {source: reached for source, (reached, _) in results.items()} == {
        source: allowed for source, (_, allowed) in results.items()
    }
