"""A pod that receives Alertmanager's pages."""

import json
from typing import Any, Final

from support.cluster.release import TAG
from support.cluster.restricted_pod import restricted_pod
from swapshop_operations.cluster.client import Cluster
from swapshop_operations.repository import ROOT

PROGRAM: Final = (ROOT / "tests" / "e2e" / "pager.py").read_text()
NAME: Final = "pager"
PORT: Final = 8080
POD: Final = restricted_pod(
    NAME,
    {
        "name": NAME,
        "image": f"swapshop/receiver:{TAG}",  # which has Python
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", PROGRAM],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    },
)


class Pager:
    """A pod in the release's namespace; the release only knows its address.

    Args:
        cluster: the release's namespace.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        cluster.apply(POD)
        cluster.kubectl("wait", f"pod/{NAME}", "--for=condition=Ready", "--timeout=60s")
        self._address: str = cluster.get("pod", NAME)["status"]["podIP"]

    @property
    def options(self) -> tuple[str, ...]:
        """Of helm: pages are sent here, and Alertmanager may reach it."""
        page = {"webhook_configs": [{"url": f"http://{self._address}:{PORT}"}]}
        settings = {"receivers.page": page, "cidrs": [f"{self._address}/32"], "port": PORT}
        return tuple(
            part
            for name, value in settings.items()
            for part in ("--set-json", f"monitoring.alertmanager.{name}={json.dumps(value)}")
        )

    def alerts(self) -> set[str]:
        """Return the names of the alerts that rang here."""
        lines = self._cluster.kubectl("logs", NAME).splitlines()
        told: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
        return {alert["labels"]["alertname"] for each in told for alert in each["alerts"]}
