"""Texts of the values stay texts, though YAML would read a number or a truth in them."""

from typing import Any, Final

import kubernetes_validate
import pytest

from support.cluster.chart import Helm, Manifest, containers, named, pods

NUMBER: Final = "20260102"
SECRETS: Final = ("databaseApi", "databaseRoot", "redisUsers", "signingKeys", "webhook", "grafana")
VALUES: Final[dict[str, Any]] = {
    "image.overrides.api": NUMBER,
    "image.pullSecrets": [{"name": NUMBER}],
    "telemetry": {"otlpEndpoint": "http://collector/a #b", "cidrs": ["192.0.2.0/24"]},
    "k6": {"enabled": True, "scenario": "smoke", "testId": NUMBER, "image": NUMBER},
    "ingress": {"host": "15", "className": NUMBER, "tlsSecret": NUMBER},
    "ingress.annotations": {"example.com/number": NUMBER},
    "gateway": {"enabled": True, "host": "16", "tls": True, "parentRefs": [{"name": NUMBER}]},
    "mysql.image": NUMBER,
    "mysql.storage": {"size": "8", "className": NUMBER},
    "mysql.exporter": {"enabled": True, "image": NUMBER},
    "redis.image": NUMBER,
    "redis.exporter": {"enabled": True, "image": NUMBER},
    **{f"secrets.{name}.existingSecret": NUMBER for name in SECRETS},
    "monitoring.enabled": True,
    "monitoring.alertmanager": {
        "existingSecret": NUMBER, "cidrs": ["192.0.2.0/24"], "image": NUMBER,
    },
    "monitoring.prometheus": {"image": NUMBER, "storage": {"size": "8", "className": NUMBER}},
    "monitoring.grafana.image": NUMBER,
    "monitoring.ingressMetrics": {"enabled": True, "namespace": NUMBER},
}  # fmt: skip


@pytest.fixture(scope="module")
def numbered(helm: Helm) -> list[Manifest]:
    """The objects with a number for every text that can be one; the release is called true."""
    return helm.render(VALUES, release="true", namespace=NUMBER)


def test_kubernetes_reads_a_text_wherever_it_wants_one(numbered: list[Manifest]) -> None:
    for manifest in numbered:
        if manifest["kind"] != "HTTPRoute":
            kubernetes_validate.validate(dict(manifest), "1.34", strict=True)


def test_every_object_and_label_is_named_by_a_text(numbered: list[Manifest]) -> None:
    for manifest in numbered:
        metadata = manifest["metadata"]
        assert metadata.get("namespace", NUMBER) == NUMBER, metadata["name"]
        assert metadata["labels"]["app.kubernetes.io/instance"] == "true", metadata["name"]


def test_what_a_container_is_given_is_text(numbered: list[Manifest]) -> None:
    for name, pod in pods(numbered):
        for container in containers(pod):
            given = [container["image"], *container.get("args", [])]
            given += [variable.get("value", "") for variable in container.get("env", [])]
            assert all(isinstance(each, str) for each in given), name
    configs = [m for m in numbered if m["kind"] == "ConfigMap"]
    assert all(isinstance(text, str) for m in configs for text in m["data"].values())


def test_nothing_of_a_text_is_lost(numbered: list[Manifest]) -> None:
    api = named(numbered, "ConfigMap", "true-swapshop-api")["data"]
    assert api["OTLP_ENDPOINT"] == "http://collector/a #b"
    route = named(numbered, "HTTPRoute", "true-swapshop-web")["spec"]
    assert (route["hostnames"], route["parentRefs"]) == (["16"], [{"name": NUMBER}])
    (rule,) = named(numbered, "Ingress", "true-swapshop-web")["spec"]["rules"]
    assert rule["host"] == "15"
