"""Helm, and each way to render the chart that most tests look at."""

from pathlib import Path
from typing import Any, Final

import pytest

from support.cluster.chart import CHART, EXAMPLES, ROOT, Helm, Manifest, find_helm

EVERYTHING: Final[dict[str, Any]] = {
    "backup.enabled": True,
    "backup.existingClaim": "backups",
    "backup.restoreFile": "swapshop-20260101T000000Z.sql.gz",
    "operator.email": "operator@example.com",
    "telemetry.otlpEndpoint": "http://collector:4318",
    "telemetry.cidrs": ["192.0.2.0/24"],
    "gateway.enabled": True,
    "gateway.parentRefs": [{"name": "public"}],
    "mysql.exporter.enabled": True,
    "redis.exporter.enabled": True,
    "k6.enabled": True,
    "k6.scenario": "smoke",
    "monitoring.enabled": True,
    "monitoring.kubelet.enabled": True,
    "monitoring.ingressMetrics.enabled": True,
    "monitoring.alertmanager.receivers.page": {
        "webhook_configs": [{"url": "https://page.example"}]
    },
    "monitoring.alertmanager.cidrs": ["192.0.2.64/28"],
}
"""Values that render what the defaults leave out."""

WAYS: Final[dict[str, tuple[dict[str, Any], list[Path]]]] = {
    "everything": (EVERYTHING, []),
    "e2e": ({}, [ROOT / "tests" / "e2e" / "values.yaml"]),
    **{name: ({}, [CHART / "examples" / f"{name}.yaml"]) for name in EXAMPLES},
}


@pytest.fixture(scope="session")
def helm() -> Helm:
    """Helm; `./task` installs it, or has it from the PATH where it cannot."""
    program = find_helm()
    if program is None:
        pytest.skip("helm is neither beside Python nor on the PATH")
    return Helm(program)


@pytest.fixture(scope="session", params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[dict[str, Any], list[Path]]:
    """Values and files of values of each way, in turn."""
    return WAYS[request.param]


@pytest.fixture(scope="session")
def manifests(way: tuple[dict[str, Any], list[Path]], helm: Helm) -> list[Manifest]:
    """The objects of each way to render, in turn."""
    values, files = way
    return helm.render(values, files=files)


@pytest.fixture(scope="session")
def everything(helm: Helm) -> list[Manifest]:
    """The objects with everything switched on."""
    return helm.render(EVERYTHING)
