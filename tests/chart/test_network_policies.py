"""The network policies open what the table in the values lists, both ways, and nothing else."""

from collections.abc import Iterable
from typing import Any, Final

import pytest
import yaml

from support.cluster.chart import CHART, Helm, Manifest, component, pods

TABLE: Final[list[dict[str, Any]]] = yaml.safe_load((CHART / "values.yaml").read_text())[
    "networkPolicy"
]["connections"]
DESIGN: Final = {
    ("ingress", "api", 8000), ("ingress", "receiver", 8000), ("ingress", "web", 8080),
    ("poller", "api", 8001), ("poller", "receiver", 8001), ("receiver", "api", 8001),
    ("api", "mysql", 3306), ("api", "redis", 6379),
    ("receiver", "mysql", 3306), ("receiver", "redis", 6379),
    ("migrate", "mysql", 3306), ("housekeeping", "mysql", 3306), ("backup", "mysql", 3306),
    ("restore", "mysql", 3306), ("restore", "redis", 6379),
    ("test", "api", 8000), ("test", "receiver", 8000),
    ("exporter", "mysql", 3306),
    ("k6", "api", 8000), ("k6", "receiver", 8000), ("k6", "prometheus", 9090),
    ("grafana", "prometheus", 9090), ("prometheus", "alertmanager", 9093),
    ("prometheus", "api", 9000), ("prometheus", "receiver", 9000), ("prometheus", "poller", 9000),
    ("prometheus", "exporter", 9000), ("prometheus", "mysql", 9000), ("prometheus", "redis", 9000),
    ("prometheus", "ingress", 9100), ("prometheus", "kubernetes", 443),
    ("prometheus", "kubernetes", 6443), ("prometheus", "kubelet", 10250),
}  # fmt: skip
"""Connections that the design allows in addition to DNS; listed so that a new row is a decision."""

MONITORING: Final[dict[str, Any]] = {
    "mysql.exporter.enabled": True,
    "redis.exporter.enabled": True,
    "monitoring.enabled": True,
    "monitoring.kubelet.enabled": True,
    "monitoring.ingressMetrics.enabled": True,
    "networkPolicy.kubernetes": [{"ipBlock": {"cidr": "192.0.2.6/32"}}],
    "networkPolicy.kubelet": [{"ipBlock": {"cidr": "192.0.2.7/32"}}],
}
"""Everything that the table names is there, and what is outside has its own networks."""

NETWORKS: Final = {"192.0.2.6/32": "kubernetes", "192.0.2.7/32": "kubelet"}
NAMESPACES: Final = {"kube-system": "dns", "ingress": "ingress", "monitoring": "prometheus"}
OUTSIDE: Final = {"ingress", "dns", "kubernetes", "kubelet"}

Opening = tuple[str, str, int]


def peer_name(peer: Manifest) -> str:
    """Return what the table calls a peer."""
    if "ipBlock" in peer:
        cidr = str(peer["ipBlock"]["cidr"])
        return NETWORKS.get(cidr, cidr)
    if "namespaceSelector" in peer:
        namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        return NAMESPACES[namespace]
    labels = peer["podSelector"]["matchLabels"]
    assert labels["app.kubernetes.io/instance"] == "swapshop"
    return str(labels["app.kubernetes.io/component"])


def openings(manifests: Iterable[Manifest], direction: str) -> set[Opening]:
    """Return what the policies open in one direction, as (from, to, TCP port)."""
    found: set[Opening] = set()
    for manifest in manifests:
        if manifest["kind"] != "NetworkPolicy":
            continue
        labels = manifest["spec"]["podSelector"]["matchLabels"]
        own = labels.get("app.kubernetes.io/component", "every pod")
        rules: list[dict[str, list[Manifest]]] = manifest["spec"].get(direction) or []
        for rule in rules:
            ports = [int(port["port"]) for port in rule["ports"] if port["protocol"] == "TCP"]
            for peer in rule["from" if direction == "ingress" else "to"]:
                other = peer_name(peer)
                source, target = (other, own) if direction == "ingress" else (own, other)
                found |= {(source, target, port) for port in ports}
    return found


def test_the_table_is_the_designs() -> None:
    rows = {(row["from"], row["to"], row["port"]) for row in TABLE}
    assert len(rows) == len(TABLE)
    assert {row for row in rows if row[1] != "dns"} == DESIGN


def test_the_policies_open_the_table_both_ways(helm: Helm) -> None:
    manifests = helm.render(MONITORING)
    rows = {(row["from"], row["to"], row["port"]) for row in TABLE}
    assert openings(manifests, "egress") == {row for row in rows if row[0] not in OUTSIDE}
    assert openings(manifests, "ingress") == {row for row in rows if row[1] not in OUTSIDE}


@pytest.mark.parametrize(
    ("switch", "closed"),
    [
        ("exporter.enabled", {("prometheus", "exporter", 9000), ("exporter", "mysql", 3306)}),
        ("mysql.exporter.enabled", {("prometheus", "mysql", 9000)}),
        ("redis.exporter.enabled", {("prometheus", "redis", 9000)}),
        ("monitoring.grafana.enabled", {("grafana", "prometheus", 9090)}),
        ("monitoring.kubelet.enabled", {("prometheus", "kubelet", 10250)}),
        ("monitoring.ingressMetrics.enabled", {("prometheus", "ingress", 9100)}),
    ],
)
def test_what_is_switched_off_has_no_opening(helm: Helm, switch: str, closed: set[Opening]) -> None:
    before = helm.render(MONITORING)
    after = helm.render({**MONITORING, switch: False})
    for direction in ("ingress", "egress"):
        less = openings(before, direction) - openings(after, direction)
        theirs = {row for row in less if row[1] != "dns"}
        assert theirs <= closed
        assert direction == "ingress" or theirs == closed


def test_without_monitoring_there_is_no_opening_for_it(helm: Helm) -> None:
    names = {name for row in openings(helm.render(), "egress") for name in row[:2]}
    assert not names & {"prometheus", "alertmanager", "grafana", "kubernetes", "kubelet"}
    operations = {row for row in openings(helm.render(), "ingress") if row[2] == 9000}
    assert operations == set()


def test_the_operators_prometheus_comes_from_its_namespace(helm: Helm) -> None:
    manifests = helm.render(
        {
            "mysql.exporter.enabled": True,
            "redis.exporter.enabled": True,
            "monitoring.operator.enabled": True,
        }
    )
    from_prometheus = {r for r in openings(manifests, "ingress") if r[0] == "prometheus"}
    assert from_prometheus == {
        ("prometheus", name, 9000)
        for name in ("api", "receiver", "poller", "exporter", "mysql", "redis")
    }
    assert ("k6", "prometheus", 9090) in openings(manifests, "egress")
    policies = {m["metadata"]["name"] for m in manifests if m["kind"] == "NetworkPolicy"}
    assert "swapshop-prometheus" not in policies


def test_alerts_leave_for_their_receivers_alone(helm: Helm) -> None:
    values: dict[str, Any] = {
        "monitoring.alertmanager.cidrs": ["192.0.2.9/32"],
        "monitoring.alertmanager.port": 8443,
    }
    after = helm.render({**MONITORING, **values})
    more = openings(after, "egress") - openings(helm.render(MONITORING), "egress")
    assert more == {("alertmanager", "192.0.2.9/32", 8443)}


def test_figures_of_k6_leave_for_their_server_alone(helm: Helm) -> None:
    values: dict[str, Any] = {
        "k6.enabled": True,
        "k6.remoteWriteUrl": "https://metrics.example:8443/api/v1/write",
        "k6.cidrs": ["192.0.2.9/32"],
        "k6.port": 8443,
    }
    more = openings(helm.render(values), "egress") - openings(helm.render(), "egress")
    assert more == {("k6", "192.0.2.9/32", 8443)}


def test_the_ingress_is_scraped_on_the_port_of_the_values(helm: Helm) -> None:
    after = helm.render({**MONITORING, "monitoring.ingressMetrics.port": 8082})
    assert ("prometheus", "ingress", 8082) in openings(after, "egress")


def test_every_pod_is_denied_the_rest(manifests: list[Manifest]) -> None:
    (policy,) = [m for m in manifests if m["metadata"]["name"] == "swapshop-default-deny"]
    assert sorted(policy["spec"]["policyTypes"]) == ["Egress", "Ingress"]
    assert "ingress" not in policy["spec"]
    assert "egress" not in policy["spec"]
    selected = policy["spec"]["podSelector"]["matchLabels"].items()
    for name, pod in pods(manifests):
        assert selected <= pod["metadata"]["labels"].items(), name


def test_every_pod_has_a_policy_of_its_own(manifests: list[Manifest]) -> None:
    policies = {
        m["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
        for m in manifests
        if m["kind"] == "NetworkPolicy"
    }
    assert {component(pod) for _, pod in pods(manifests)} <= policies


def test_external_stores_are_reached_by_their_networks_alone(helm: Helm) -> None:
    manifests = helm.render(
        {
            "mysql.external": {"host": "db.example.com", "port": 3307, "cidrs": ["192.0.2.1/32"]},
            "redis.external": {"host": "c.example.com", "port": 6380, "cidrs": ["192.0.2.2/32"]},
        }
    )
    opened = openings(manifests, "egress")
    assert ("api", "192.0.2.1/32", 3307) in opened
    assert ("receiver", "192.0.2.2/32", 6380) in opened
    assert not [row for row in opened if row[1] in ("mysql", "redis")]


def test_traces_leave_for_the_collector_alone(helm: Helm) -> None:
    values: dict[str, Any] = {
        "telemetry.otlpEndpoint": "http://collector:4318",
        "telemetry.cidrs": ["192.0.2.9/32"],
    }
    more = openings(helm.render(values), "egress") - openings(helm.render(), "egress")
    assert more == {(name, "192.0.2.9/32", 4318) for name in ("api", "receiver", "poller")}
