"""Connections that the network policies of a running release let through."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import yaml

from support.cluster.release import Release
from support.cluster.restricted_pod import restricted_pod
from swapshop_operations.repository import CHART, ROOT

TABLE: Final[set[tuple[str, str, int]]] = {
    (row["from"], row["to"], row["port"])
    for row in yaml.safe_load((CHART / "values.yaml").read_text())["networkPolicy"]["connections"]
}
SWITCHED: Final = {"exporter", "prometheus", "alertmanager", "grafana"}
"""Components whose rows count only while they are there."""

COMPONENTS: Final[set[str]] = {str(name) for row in TABLE for name in row[:2]} - {
    "ingress", "dns", "kubernetes", "kubelet",
}  # fmt: skip
PROBE: Final = (ROOT / "tests" / "e2e" / "probe.py").read_text()

Target = tuple[str, str, int, bool]
Pods = dict[str, dict[str, Any]]


def reached_and_allowed(release: Release) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return what is reached from a stray pod and from each component, and what the table allows.

    Every port that a pod declares is tried, from pods that have a component's labels.
    """
    servers = {name: pod for name in COMPONENTS if (pod := _server(release, name))}
    sources = ("stray", *sorted(COMPONENTS))
    wanted = {source: list(_targets(servers, source)) for source in sources}

    def reached_from(source: str) -> set[str]:
        return _reached(release, source, wanted[source])

    with ThreadPoolExecutor(4) as pool:
        reached = dict(zip(sources, pool.map(reached_from, sources), strict=True))
    allowed = {source: {each[0] for each in wanted[source] if each[3]} for source in sources}
    return reached, allowed


def _server(release: Release, component: str) -> dict[str, Any] | None:
    """Return a component's pod; not a probe, whose labels are the same, nor one that has ended."""
    for pod in release.pods(component):
        if "generateName" in pod["metadata"] and pod["status"]["phase"] == "Running":
            return pod
    return None


def _targets(servers: Pods, source: str) -> Iterator[Target]:
    """Yield what a source tries to reach, and whether the table allows it."""
    is_there = source not in SWITCHED or source in servers
    for component, pod in servers.items():
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", []):
                number = int(port["containerPort"])
                is_allowed = is_there and (source, component, number) in TABLE
                yield f"{component}:{number}", pod["status"]["podIP"], number, is_allowed
    if source != "stray":  # nothing of ours rules what a stray pod sends elsewhere
        yield "dns:53", "dns", 53, is_there and (source, "dns", 53) in TABLE


def _reached(release: Release, source: str, wanted: list[Target]) -> set[str]:
    """Return what a pod with a component's labels reaches."""
    pod = _probe(release, source, wanted)
    name = pod["metadata"]["name"]
    release.cluster.apply(pod)
    done = "--for=jsonpath={.status.phase}=Succeeded"
    release.cluster.kubectl("wait", f"pod/{name}", done, "--timeout=180s")
    reached = set(json.loads(release.cluster.kubectl("logs", name)))
    release.cluster.kubectl("delete", "pod", name, "--wait=false")
    return reached


def _probe(release: Release, source: str, wanted: list[Target]) -> dict[str, Any]:
    """Return a pod with a component's labels, never ready, so that no Service sends to it."""
    (container,) = release.pods("receiver")[0]["spec"]["containers"]
    labels = {
        "app.kubernetes.io/name": "swapshop",
        "app.kubernetes.io/instance": "swapshop",
        "app.kubernetes.io/component": source,
    }
    probe = {
        "name": "probe",
        "image": container["image"],
        "command": ["python", "-c", PROBE],
        "env": [{"name": "TARGETS", "value": json.dumps(wanted)}],
        "readinessProbe": {"exec": {"command": ["python", "-c", "raise SystemExit(1)"]}},
    }
    return restricted_pod(f"probe-{source}", probe, {} if source == "stray" else labels)
