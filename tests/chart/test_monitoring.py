"""Prometheus finds the pods with the least rights, and rules and dashboards arrive as they are."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from support.cluster.chart import CHART, ChartRefusedError, Helm, Manifest, component, named, pods
from support.observability.alert_scenarios import promtool
from support.servers.processes import find_program

FILES: Final = CHART / "files" / "observability"
MONITORING: Final[dict[str, Any]] = {
    "mysql.exporter.enabled": True,
    "redis.exporter.enabled": True,
    "monitoring.enabled": True,
}
OPERATOR: Final = {**MONITORING, "monitoring.enabled": False, "monitoring.operator.enabled": True}
SCRAPED: Final = {"api", "receiver", "poller", "exporter", "mysql", "redis"}
"""Components that answer on port 9000."""


@pytest.fixture(scope="module")
def monitoring(helm: Helm) -> list[Manifest]:
    """The objects with the release's own monitoring."""
    return helm.render({**MONITORING, "poller.mode": "Deployment"})


def configuration(manifests: list[Manifest]) -> dict[str, Any]:
    """Return Prometheus' configuration."""
    return yaml.safe_load(
        named(manifests, "ConfigMap", "swapshop-prometheus")["data"]["prometheus.yml"]
    )


def environment(manifests: list[Manifest], name: str) -> dict[str, Any]:
    """Return the variables of a Deployment's first container, by name."""
    pod = named(manifests, "Deployment", name)["spec"]["template"]
    return {each["name"]: each for each in pod["spec"]["containers"][0]["env"]}


def test_nothing_of_it_is_there_by_default(helm: Helm) -> None:
    manifests = helm.render()
    kinds = {m["kind"] for m in manifests}
    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    names = {m["metadata"]["name"] for m in manifests}
    assert not {n for n in names if "prometheus" in n or "grafana" in n or "alertmanager" in n}
    for name, pod in pods(manifests):
        if component(pod) in ("mysql", "redis"):
            assert len(pod["spec"]["containers"]) == 1, name


def test_the_services_are_where_others_expect_them(monitoring: list[Manifest]) -> None:
    for name, port in (("prometheus", 9090), ("alertmanager", 9093), ("grafana", 3000)):
        service = named(monitoring, "Service", f"swapshop-{name}")
        assert [each["port"] for each in service["spec"]["ports"]] == [port]


@pytest.mark.parametrize("name", ["rules.yaml"])
def test_the_rules_are_embedded_unmodified(monitoring: list[Manifest], name: str) -> None:
    embedded = named(monitoring, "ConfigMap", "swapshop-prometheus")["data"][name]
    assert embedded == (FILES / name).read_text()


@pytest.mark.parametrize("url", ["https://docs.test/pages", "https://docs.test/pages/"])
@pytest.mark.parametrize("values", [MONITORING, OPERATOR])
def test_alerts_link_to_the_runbooks_where_these_can_be_read(
    helm: Helm, values: dict[str, Any], url: str
) -> None:
    manifests = helm.render({**values, "monitoring.runbookBaseUrl": url})
    if values == OPERATOR:
        rules = named(manifests, "PrometheusRule", "swapshop-monitoring")["spec"]
    else:
        files = named(manifests, "ConfigMap", "swapshop-prometheus")["data"]
        rules = yaml.safe_load(files["rules.yaml"])
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    assert alerts
    for alert in alerts:
        assert "runbook" not in alert["annotations"]
        assert alert["annotations"]["runbook_url"] == f"https://docs.test/pages/{alert['alert']}.md"


@pytest.mark.parametrize("url", ["docs/runbooks", "https://docs.test/a page", "https://x/{{ y }}"])
def test_a_runbooks_address_is_a_url(helm: Helm, url: str) -> None:
    with pytest.raises(ChartRefusedError, match="runbookBaseUrl"):
        helm.template({**MONITORING, "monitoring.runbookBaseUrl": url})


def test_the_dashboards_are_embedded_unmodified(monitoring: list[Manifest]) -> None:
    files = {path.name: path.read_text() for path in FILES.glob("dashboards/*.json")}
    assert files
    embedded: dict[str, str] = {}
    for manifest in monitoring:
        if "-dashboard-" in manifest["metadata"]["name"]:
            embedded |= manifest["data"]
            assert "grafana_dashboard" not in manifest["metadata"]["labels"]
    assert {name: json.loads(text) for name, text in embedded.items()} == {
        name: json.loads(text) for name, text in files.items()
    }
    pod = named(monitoring, "Deployment", "swapshop-grafana")["spec"]["template"]
    (volume,) = [v for v in pod["spec"]["volumes"] if v["name"] == "dashboards"]
    sources = [source["configMap"]["name"] for source in volume["projected"]["sources"]]
    assert sources == sorted(f"swapshop-dashboard-{Path(name).stem}" for name in files)


def test_every_target_declares_the_port_that_is_scraped(monitoring: list[Manifest]) -> None:
    declared: dict[str, set[int]] = {}
    for _, pod in pods(monitoring):
        for container in pod["spec"]["containers"]:
            ports = {port["containerPort"] for port in container.get("ports", [])}
            declared.setdefault(component(pod), set()).update(ports)
    assert {name for name, ports in declared.items() if 9000 in ports} == SCRAPED
    assert 9090 in declared["prometheus"]
    assert 9093 in declared["alertmanager"]


def test_the_job_is_the_component(monitoring: list[Manifest]) -> None:
    (scrape,) = configuration(monitoring)["scrape_configs"]
    relabelings = {rule.get("target_label"): rule for rule in scrape["relabel_configs"]}
    label = "__meta_kubernetes_pod_label_app_kubernetes_io_component"
    assert relabelings["job"] == {
        "source_labels": [label],
        "target_label": "job",
        "replacement": "swapshop-$1",
    }
    assert {"namespace", "pod"} <= set(relabelings)


def test_prometheus_may_list_pods_of_its_namespace_and_no_more(monitoring: list[Manifest]) -> None:
    rights = [m for m in monitoring if m["kind"] in ("Role", "ClusterRole")]
    assert [(m["kind"], m["metadata"]["namespace"], m["rules"]) for m in rights] == [
        (
            "Role",
            "swapshop",
            [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}],
        )
    ]
    (binding,) = [m for m in monitoring if m["kind"] == "RoleBinding"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "swapshop-prometheus", "namespace": "swapshop"}
    ]
    (scrape,) = configuration(monitoring)["scrape_configs"]
    (discovery,) = scrape["kubernetes_sd_configs"]
    assert (discovery["role"], discovery["namespaces"]) == ("pod", {"names": ["swapshop"]})


def test_the_kubelets_figures_take_no_right_to_its_commands(helm: Helm) -> None:
    manifests = helm.render({**MONITORING, "monitoring.kubelet.enabled": True})
    (role,) = [m for m in manifests if m["kind"] == "ClusterRole"]
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "watch"]},
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
    ]


def test_the_ingress_is_found_in_its_own_namespace(helm: Helm) -> None:
    values = {"monitoring.ingressMetrics.enabled": True, "monitoring.ingressMetrics.port": 8082}
    manifests = helm.render({**MONITORING, **values})
    roles = {m["metadata"]["namespace"]: m["rules"] for m in manifests if m["kind"] == "Role"}
    assert set(roles) == {"swapshop", "ingress"}
    assert roles["ingress"] == roles["swapshop"]
    scrape = configuration(manifests)["scrape_configs"][1]
    assert scrape["job_name"] == "swapshop-ingress"
    assert {"replacement": "$1:8082"}.items() <= scrape["relabel_configs"][1].items()


def test_grafana_shows_nothing_to_strangers_unless_it_is_told_to(
    helm: Helm, monitoring: list[Manifest]
) -> None:
    variables = environment(monitoring, "swapshop-grafana")
    assert variables["GF_AUTH_ANONYMOUS_ENABLED"]["value"] == "false"
    assert variables["GF_SECURITY_ADMIN_PASSWORD"]["valueFrom"] == {
        "secretKeyRef": {"name": "swapshop-grafana", "key": "password"}
    }
    opened = helm.render({**MONITORING, "monitoring.grafana.anonymous": True})
    variables = environment(opened, "swapshop-grafana")
    assert variables["GF_AUTH_ANONYMOUS_ENABLED"]["value"] == "true"
    assert variables["GF_AUTH_ANONYMOUS_ORG_ROLE"]["value"] == "Viewer"


def test_grafanas_datasource_has_a_fixed_uid(monitoring: list[Manifest]) -> None:
    files = named(monitoring, "ConfigMap", "swapshop-grafana")["data"]
    (datasource,) = yaml.safe_load(files["datasources.yaml"])["datasources"]
    assert datasource["uid"] == "swapshop-prometheus"
    assert datasource["url"] == "http://swapshop-prometheus:9090"


def test_alertmanager_sends_pages_and_tickets_to_their_receivers(helm: Helm) -> None:
    webhook = {"webhook_configs": [{"url": "https://pager.example.com"}]}
    manifests = helm.render(
        {
            **MONITORING,
            "monitoring.alertmanager.receivers.page": webhook,
            "monitoring.alertmanager.cidrs": ["192.0.2.9/32"],
        }
    )
    text = named(manifests, "ConfigMap", "swapshop-alertmanager")["data"]["alertmanager.yml"]
    config = yaml.safe_load(text)
    assert config["receivers"] == [{"name": "page", **webhook}, {"name": "ticket"}]
    assert config["route"]["receiver"] == "ticket"
    assert [(r["receiver"], r["matchers"]) for r in config["route"]["routes"]] == [
        ("page", ['severity="page"'])
    ]
    committed = yaml.safe_load((FILES / "inhibit_rules.yaml").read_text())
    assert config["inhibit_rules"] == committed["inhibit_rules"]


def test_alertmanagers_configuration_may_be_a_secret(helm: Helm) -> None:
    values = {"monitoring.alertmanager.existingSecret": "alerts", "networkPolicy.enabled": False}
    manifests = helm.render({**MONITORING, **values})
    pod = named(manifests, "Deployment", "swapshop-alertmanager")["spec"]["template"]
    config = {volume["name"]: volume for volume in pod["spec"]["volumes"]}["config"]
    assert config["secret"]["secretName"] == "alerts"
    with pytest.raises(StopIteration):
        named(manifests, "ConfigMap", "swapshop-alertmanager")


def test_samples_live_on_a_volume_or_in_the_pod(helm: Helm, monitoring: list[Manifest]) -> None:
    (claim,) = named(monitoring, "StatefulSet", "swapshop-prometheus")["spec"][
        "volumeClaimTemplates"
    ]
    assert claim["spec"]["resources"]["requests"]["storage"] == "8Gi"
    without = helm.render({**MONITORING, "monitoring.prometheus.storage.size": ""})
    spec = named(without, "StatefulSet", "swapshop-prometheus")["spec"]
    assert "volumeClaimTemplates" not in spec
    assert {"name": "data", "emptyDir": {}} in spec["template"]["spec"]["volumes"]


def test_the_receiver_of_remote_writes_can_be_closed(helm: Helm) -> None:
    flag = "--web.enable-remote-write-receiver"

    def arguments(manifests: list[Manifest]) -> list[str]:
        pod = named(manifests, "StatefulSet", "swapshop-prometheus")["spec"]["template"]
        return pod["spec"]["containers"][0]["args"]

    assert flag in arguments(helm.render(MONITORING))
    closed = helm.render({**MONITORING, "monitoring.prometheus.remoteWriteReceiver": False})
    assert flag not in arguments(closed)


def test_an_operator_gets_the_same_rules_and_jobs(helm: Helm) -> None:
    labels = {"release": "kube-prometheus-stack"}
    manifests = helm.render({**OPERATOR, "monitoring.operator.labels": labels})
    rule = named(manifests, "PrometheusRule", "swapshop-monitoring")
    assert rule["spec"] == yaml.safe_load((FILES / "rules.yaml").read_text())
    monitor = named(manifests, "PodMonitor", "swapshop-monitoring")
    for each in (rule, monitor):
        assert labels.items() <= each["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] == "operations"
    assert endpoint["relabelings"] == [
        {
            "sourceLabels": ["__meta_kubernetes_pod_label_app_kubernetes_io_component"],
            "targetLabel": "job",
            "replacement": "swapshop-$1",
        }
    ]
    dashboards = [m for m in manifests if "-dashboard-" in m["metadata"]["name"]]
    assert dashboards
    assert {m["metadata"]["labels"]["grafana_dashboard"] for m in dashboards} == {"1"}
    assert not [m for m in manifests if m["kind"] in ("Role", "ClusterRole")]
    assert not {component(pod) for _, pod in pods(manifests)} & {"prometheus", "grafana"}


def test_the_exporters_beside_the_stores_hold_no_right_to_rows(helm: Helm) -> None:
    manifests = helm.render(MONITORING)
    stores = {component(pod): pod for _, pod in pods(manifests)}
    exporter = stores["mysql"]["spec"]["containers"][1]
    assert "--mysqld.username=swapshop_monitor" in exporter["args"]
    assert exporter["env"][0]["valueFrom"]["secretKeyRef"]["name"] == "swapshop-database-monitor"
    script = (CHART / "files" / "mysql-users.sh").read_text()
    assert "TO 'swapshop_monitor'" not in script
    assert "volumeMounts" not in exporter
    variables = {each["name"]: each for each in stores["redis"]["spec"]["containers"][1]["env"]}
    assert variables["REDIS_USER"]["value"] == "monitor"
    assert variables["REDIS_PASSWORD"]["valueFrom"]["secretKeyRef"]["key"] == "monitor"
    users = (CHART / "files" / "redis-users.acl").read_text()
    (line,) = [line for line in users.splitlines() if line.startswith("user monitor")]
    assert "~" not in line, "it may touch no key"


def test_the_monitors_password_is_asked_for_with_its_exporter_alone(helm: Helm) -> None:
    def users(manifests: list[Manifest]) -> set[str]:
        (pod,) = [pod for _, pod in pods(manifests) if component(pod) == "migrate"]
        return {each["name"] for each in pod["spec"]["initContainers"][0]["env"]}

    assert users(helm.render(MONITORING)) - users(helm.render()) == {"MONITOR_PASSWORD"}


@pytest.mark.parametrize("name", ["page", "ticket"])
def test_a_receivers_name_is_not_for_the_values(helm: Helm, name: str) -> None:
    with pytest.raises(ChartRefusedError, match="receivers"):
        helm.template({**MONITORING, f"monitoring.alertmanager.receivers.{name}": {"name": "me"}})


@pytest.mark.skipif(find_program("promtool") is None, reason="promtool is not installed")
def test_prometheus_accepts_its_configuration(helm: Helm, tmp_path: Path) -> None:
    values = {
        **MONITORING,
        "monitoring.kubelet.enabled": True,
        "monitoring.ingressMetrics.enabled": True,
    }
    files = named(helm.render(values), "ConfigMap", "swapshop-prometheus")["data"]
    for path in ("token", "ca.crt"):
        (tmp_path / path).write_text("")
    config = yaml.safe_load(files["prometheus.yml"])
    for scrape in config["scrape_configs"]:
        # Debian's promtool may lack the discovery of Kubernetes; the cluster's tests see it
        scrape["static_configs"] = [{"targets": [scrape.pop("kubernetes_sd_configs")[0]["role"]]}]
    text = yaml.safe_dump(config).replace("/etc/prometheus", str(tmp_path))
    text = text.replace("/var/run/secrets/kubernetes.io/serviceaccount", str(tmp_path))
    (tmp_path / "prometheus.yml").write_text(text)
    (tmp_path / "rules.yaml").write_text(files["rules.yaml"])
    done = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
