"""Every pod, hooks and tests included, keeps to Pod Security's "restricted" and to our rules."""

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from support.cluster.chart import Helm, Manifest, component, containers, named, pods

USERS: Final = {
    "api": 10001, "receiver": 10001, "poller": 10001, "migrate": 10001, "housekeeping": 10001,
    "test": 10001, "web": 101, "mysql": 999, "redis": 999, "backup": 999, "restore": 999,
    "exporter": 10001, "prometheus": 65534, "alertmanager": 65534, "grafana": 472, "k6": 12345,
}  # fmt: skip
SIDECARS: Final = {"mysqld-exporter": 65534, "redis-exporter": 65534}
"""Containers with their own user; while one is unavailable its pod stays in service."""


def test_every_pod_is_restricted(manifests: list[Manifest]) -> None:
    """The controls of https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    for name, pod in pods(manifests):
        spec: dict[str, Any] = pod["spec"]
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] == USERS[component(pod)], name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        for volume in spec.get("volumes", []):
            assert set(volume) - {"name"} <= {
                "configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected",
            }, name  # fmt: skip
        for container in containers(pod):
            user = SIDECARS.get(container["name"])
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
                **({"runAsUser": user, "runAsGroup": user} if user else {}),
            }, f"{name}: {container['name']}"
            assert all("hostPort" not in port for port in container.get("ports", [])), name


def test_no_pod_but_prometheus_holds_a_token_and_none_the_addresses_of_others(
    manifests: list[Manifest],
) -> None:
    accounts = {m["metadata"]["name"]: m for m in manifests if m["kind"] == "ServiceAccount"}
    for name, pod in pods(manifests):
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert pod["spec"]["enableServiceLinks"] is False, name
        account = accounts[pod["spec"]["serviceAccountName"]]
        assert account["automountServiceAccountToken"] is False, name
        tokens = [
            source
            for volume in pod["spec"].get("volumes", [])
            for source in volume.get("projected", {}).get("sources", [])
            if "serviceAccountToken" in source
        ]
        assert len(tokens) == (component(pod) == "prometheus"), name


def test_every_container_asks_for_what_it_needs_and_has_a_memory_limit(
    manifests: list[Manifest],
) -> None:
    for name, pod in pods(manifests):
        for container in containers(pod):
            resources = container["resources"]
            assert set(resources["requests"]) == {"cpu", "memory"}, name
            assert set(resources["limits"]) == {"memory"}, f"{name}: a CPU limit only throttles"


def test_every_container_that_goes_on_has_probes(helm: Helm, manifests: list[Manifest]) -> None:
    polling = helm.render({"poller.mode": "Deployment"})
    for manifest in (*manifests, *polling):
        if manifest["kind"] not in ("Deployment", "StatefulSet"):
            continue
        for container in manifest["spec"]["template"]["spec"]["containers"]:
            name = container["name"]
            demanded = (
                {"livenessProbe"} if name in SIDECARS else {"livenessProbe", "readinessProbe"}
            )
            assert demanded <= set(container), name
            assert (name in SIDECARS) is ("readinessProbe" not in container), name


def test_every_server_that_customers_reach_drains(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests):
        if component(pod) not in ("api", "receiver", "web"):
            continue
        (container,) = pod["spec"]["containers"]
        assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 10}}}, name
        assert pod["spec"]["terminationGracePeriodSeconds"] == 40, name


def test_deployments_never_go_below_their_size(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            assert manifest["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_replicas_are_left_out_where_an_autoscaler_rules(manifests: list[Manifest]) -> None:
    ruled = {
        manifest["spec"]["scaleTargetRef"]["name"]
        for manifest in manifests
        if manifest["kind"] == "HorizontalPodAutoscaler"
    }
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            has_replicas = "replicas" in manifest["spec"]
            assert has_replicas is (manifest["metadata"]["name"] not in ruled)


def test_secrets_reach_pods_by_reference_alone(manifests: list[Manifest]) -> None:
    assert not [m for m in manifests if m["kind"] == "Secret"]
    for name, pod in pods(manifests):
        for container in containers(pod):
            for variable in container.get("env", []):
                name_of = variable["name"]
                secret = re.search(r"PASSWORD|SECRET|AUTH$", name_of)
                is_file = name_of.endswith("_FILE")
                assert (not secret or is_file) or "secretKeyRef" in variable["valueFrom"], name


def migration(helm: Helm, values: Mapping[str, Any]) -> list[str]:
    """Return the names of the migration's containers, in their order."""
    (pod,) = [pod for _, pod in pods(helm.render(values)) if component(pod) == "migrate"]
    return [container["name"] for container in containers(pod)]


@pytest.mark.parametrize("email", ["", "operator@example.com"])
def test_what_may_be_refused_comes_after_every_table(helm: Helm, email: str) -> None:
    """The migration of the api fails if it may not make the operator."""
    names = migration(helm, {"operator.email": email})
    assert names == ["users", "migrate-receiver", "grants", "migrate-api"]


def test_the_poller_starts_each_minute_and_never_twice(everything: list[Manifest]) -> None:
    (job,) = [
        manifest["spec"]
        for manifest in everything
        if manifest["kind"] == "CronJob" and manifest["metadata"]["name"] == "swapshop-poller"
    ]
    assert (job["schedule"], job["concurrencyPolicy"]) == ("* * * * *", "Forbid")
    assert job["startingDeadlineSeconds"] == 30
    run = job["jobTemplate"]["spec"]
    assert (run["activeDeadlineSeconds"], run["backoffLimit"]) == (90, 0)
    assert run["template"]["spec"]["restartPolicy"] == "Never"
    assert run["template"]["spec"]["terminationGracePeriodSeconds"] == 30


def test_redis_serves_other_pods_though_its_default_user_has_no_password(helm: Helm) -> None:
    """Protected mode, on in a plain build, refuses them all for such a user."""
    config = named(helm.render({}), "ConfigMap", "swapshop-redis")
    assert "protected-mode no" in config["data"]["redis.conf"].splitlines()
