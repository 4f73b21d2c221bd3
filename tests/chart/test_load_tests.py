"""The load tests in the cluster: scripts, and a Job for a scenario."""

from typing import Any, Final

import pytest

from support.cluster.chart import CHART, ChartRefusedError, Helm, Manifest, component
from swapshop_operations.load.k6 import SCENARIOS

SMOKE: Final[dict[str, Any]] = {"k6.enabled": True, "k6.scenario": "smoke"}


def of_k6(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [m for m in manifests if m["kind"] == kind and component(m) == "k6"]


def job(helm: Helm, **values: Any) -> Manifest:
    """Returns the Job of the smoke, with more values."""
    (found,) = of_k6(helm.render({**SMOKE, **values}), "Job")
    return found


def container(manifest: Manifest) -> dict[str, Any]:
    (found,) = manifest["spec"]["template"]["spec"]["containers"]
    return found


def environment(manifest: Manifest) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(manifest)["env"]}


def test_an_install_has_neither_scripts_nor_a_job(helm: Helm) -> None:
    manifests = helm.render()
    assert not [
        m for kind in ("Job", "ConfigMap", "ServiceAccount") for m in of_k6(manifests, kind)
    ]


def test_the_scripts_alone_start_no_load(helm: Helm) -> None:
    manifests = helm.render({"k6.enabled": True})
    assert len(of_k6(manifests, "ConfigMap")) == len(of_k6(manifests, "ServiceAccount")) == 1
    assert of_k6(manifests, "Job") == []


def test_the_pod_sees_the_files_as_they_lie_in_the_chart(helm: Helm) -> None:
    (scripts,) = of_k6(helm.render(SMOKE), "ConfigMap")
    (volume,) = job(helm)["spec"]["template"]["spec"]["volumes"]
    seen = {it["path"]: scripts["data"][it["key"]] for it in volume["configMap"]["items"]}
    files = CHART / "files" / "k6"
    assert seen == {str(p.relative_to(files)): p.read_text() for p in files.rglob("*.*")}
    assert volume["configMap"]["name"] == scripts["metadata"]["name"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_can_be_run(helm: Helm, scenario: str) -> None:
    args = container(job(helm, **{"k6.scenario": scenario}))["args"]
    assert args[-1] == f"/scripts/{scenario}.js"


def test_another_scenario_is_refused(helm: Helm) -> None:
    with pytest.raises(ChartRefusedError, match=r"k6[./]scenario"):
        helm.render({**SMOKE, "k6.scenario": "flood"})


def test_a_run_is_not_repeated_and_comes_to_an_end(helm: Helm) -> None:
    spec = job(helm)["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 14400)
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_another_run_is_another_job(helm: Helm) -> None:
    first, again, second = (job(helm, **{"k6.testId": it}) for it in ("one", "one", "two"))
    assert first == again
    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert "--tag=testid=two" in container(second)["args"]
    assert environment(second)["TEST_ID"] == "two"


def test_it_asks_the_services_and_takes_arguments(helm: Helm) -> None:
    found = job(helm, **{"k6.arguments": ["-e", "RATE=20"]})
    assert environment(found)["API_URL"] == "http://swapshop-api:8000"
    assert environment(found)["RECEIVER_URL"] == "http://swapshop-receiver:8000"
    assert container(found)["args"][-3:] == ["-e", "RATE=20", "/scripts/smoke.js"]


def test_figures_go_to_the_releases_prometheus_if_there_is_one(helm: Helm) -> None:
    own = job(helm, **{"monitoring.enabled": True})
    assert "--out=experimental-prometheus-rw" in container(own)["args"]
    url = environment(own)["K6_PROMETHEUS_RW_SERVER_URL"]
    assert url == "http://swapshop-prometheus:9090/api/v1/write"


@pytest.mark.parametrize(
    "values", [{}, {"monitoring.enabled": True, "monitoring.prometheus.remoteWriteReceiver": False}]
)
def test_without_one_that_takes_them_k6_writes_none(helm: Helm, values: dict[str, Any]) -> None:
    found = job(helm, **values)
    assert not [it for it in container(found)["args"] if it.startswith("--out")]
    assert "K6_PROMETHEUS_RW_SERVER_URL" not in environment(found)


def test_figures_go_where_the_values_say(helm: Helm) -> None:
    url = "https://metrics.example/api/v1/write"
    values = {"k6.remoteWriteUrl": url, "k6.cidrs": ["192.0.2.9/32"], "monitoring.enabled": True}
    assert environment(job(helm, **values))["K6_PROMETHEUS_RW_SERVER_URL"] == url


def test_a_url_without_its_networks_is_refused(helm: Helm) -> None:
    values: dict[str, Any] = {**SMOKE, "k6.remoteWriteUrl": "https://metrics.example/api/v1/write"}
    with pytest.raises(ChartRefusedError, match=r"k6\.cidrs: name the networks"):
        helm.template(values)
    assert helm.render({**values, "networkPolicy.enabled": False})
    assert helm.render({**values, "monitoring.operator.enabled": True})
