"""The examples render the committed files, and Kubernetes' own schemas accept them."""

from typing import Final

import kubernetes_validate
import pytest

from support.cluster.chart import CHART, EXAMPLES, Helm, Manifest
from swapshop_operations.generate.chart import readme, shown

FOREIGN: Final = {"HTTPRoute", "PodMonitor", "PrometheusRule"}
"""Kinds of the Gateway API and the Prometheus operator, no part of Kubernetes' schemas."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_renders_what_is_committed(helm: Helm, name: str) -> None:
    text = helm.template(files=[CHART / "examples" / f"{name}.yaml"])
    committed = (CHART / "examples" / f"{name}.rendered.yaml").read_text()
    assert shown(text) == committed, "run ./task generate:chart"


def test_the_table_of_values_is_current() -> None:
    assert (CHART / "README.md").read_text() == readme(), "run ./task generate:chart"


def test_every_value_is_in_the_table() -> None:
    table = (CHART / "README.md").read_text()
    for name in ("api.settings", "mysql.external.host", "secrets.webhook", "monitoring.enabled"):
        assert f"| `{name}` |" in table


@pytest.mark.parametrize("version", ["1.30", "1.34"])
def test_kubernetes_knows_every_field(manifests: list[Manifest], version: str) -> None:
    for manifest in manifests:
        if manifest["kind"] not in FOREIGN:
            kubernetes_validate.validate(dict(manifest), version, strict=True)
