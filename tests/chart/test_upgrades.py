"""Objects that an upgrade keeps, and objects that it must replace."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cluster.chart import CHART, Helm, Manifest


@pytest.fixture
def next_chart(tmp_path: Path) -> Path:
    """The same chart, a version later."""
    chart = tmp_path / "swapshop"
    shutil.copytree(CHART, chart)
    metadata = yaml.safe_load((chart / "Chart.yaml").read_text())
    metadata |= {"version": "0.99.0", "appVersion": "0.99.0"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump(metadata))
    return chart


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Any]:
    return {m["metadata"]["name"]: m["spec"] for m in manifests if m["kind"] == kind}


def test_a_new_version_restarts_neither_mysql_nor_redis(helm: Helm, next_chart: Path) -> None:
    before, after = helm.render(), helm.render(chart=next_chart)
    assert of_kind(before, "Deployment") != of_kind(after, "Deployment")
    assert of_kind(before, "StatefulSet") == of_kind(after, "StatefulSet")
    assert set(of_kind(before, "StatefulSet")) == {"swapshop-mysql", "swapshop-redis"}


def test_nor_do_the_exporters_beside_them(helm: Helm, next_chart: Path) -> None:
    values = {
        "monitoring.enabled": True,
        "mysql.exporter.enabled": True,
        "redis.exporter.enabled": True,
    }
    before, after = helm.render(values), helm.render(values, chart=next_chart)
    assert of_kind(before, "StatefulSet") == of_kind(after, "StatefulSet")
    assert of_kind(before, "StatefulSet").keys() >= {"swapshop-mysql", "swapshop-redis"}


def test_monitoring_alone_restarts_no_service_and_no_store(helm: Helm) -> None:
    before, after = helm.render(), helm.render({"monitoring.enabled": True})
    for kind in ("Deployment", "StatefulSet", "Job", "CronJob"):
        old, new = of_kind(before, kind), of_kind(after, kind)
        assert {name: new[name] for name in old} == old


def test_a_version_of_the_chart_alone_restarts_nothing(helm: Helm, next_chart: Path) -> None:
    values = {"image.tag": "1.2.3"}
    before, after = helm.render(values), helm.render(values, chart=next_chart)
    for kind in ("Deployment", "StatefulSet", "Job", "CronJob"):
        assert of_kind(before, kind) == of_kind(after, kind)


def test_another_image_is_another_migration(helm: Helm) -> None:
    before, after = helm.render(), helm.render({"image.tag": "1.2.3"})
    assert len(of_kind(before, "Job")) == len(of_kind(after, "Job")) == 1
    assert not of_kind(before, "Job").keys() & of_kind(after, "Job").keys()


def test_a_setting_restarts_its_own_service_alone(helm: Helm) -> None:
    before, after = helm.render(), helm.render({"api.settings.CACHE_MODE": "off"})
    changed = {
        name
        for name, spec in of_kind(before, "Deployment").items()
        if of_kind(after, "Deployment")[name] != spec
    }
    assert changed == {"swapshop-api"}


def test_the_secrets_are_no_part_of_the_release() -> None:
    """A hook's object survives rollback and uninstall; the cluster's tests see it happen."""
    template = (CHART / "templates" / "secrets.yaml").read_text()
    assert template.count("kind: Secret") == template.count("helm.sh/hook: pre-install,pre-upgrade")
    assert 'lookup "v1" "Secret"' in template
