"""The release that the tests on a cluster work on."""

import os
import time
from pathlib import Path
from typing import Any, Final

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.repository import CHART, ROOT

NAMESPACE: Final = os.environ.get("E2E_NAMESPACE", "swapshop-e2e")
HOST: Final = f"{NAMESPACE}.localhost"
"""Separate, so that another release on the cluster keeps its host."""
VALUES: Final = ROOT / "tests" / "e2e" / "values.yaml"
TAG: Final = os.environ.get("TAG", "dev")
NEXT_TAG: Final = f"{TAG}-next"
"""Tag of the images of `./task images:next`."""
MYSQL: Final = (
    'mysql --defaults-extra-file=<(printf "[client]\\nuser=%s\\npassword=%s\\n" "$0" "$(cat)")'
    ' --host=127.0.0.1 --batch --skip-column-names --execute "$1"'
)
"""Run in MySQL's pod with a user and a statement; the password comes from the standard input."""


class Release:
    """The release under test.

    Args:
        cluster: runs kubectl and helm on it.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def deploy(
        self, *options: str, values: Path = VALUES, chart: Path = CHART, tag: str = TAG
    ) -> float:
        """Install or upgrade, wait until all is ready, and return after how many seconds it was.

        Args:
            options: for helm, such as ``--set``.
            values: file of values.
            chart: folder of the chart.
            tag: of the images.
        """
        begin = time.monotonic()
        settings = f"image.tag={tag},ingress.host={HOST},gateway.host={HOST}"
        self.cluster.helm(
            *("upgrade", "--install", self.cluster.release, str(chart), "--values", str(values)),
            *("--set", settings, "--wait", "--timeout", "5m", *options),
        )
        return time.monotonic() - begin

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Return a component's pods that are not about to end."""
        return [pod for pod in self._pods(component) if not is_leaving(pod)]

    def is_settled(self, component: str) -> bool:
        """Return whether no pod of a component is terminating: it could still answer."""
        return not any(is_leaving(pod) for pod in self._pods(component))

    def _pods(self, component: str) -> list[dict[str, Any]]:
        labels = f"app.kubernetes.io/instance=swapshop,app.kubernetes.io/component={component}"
        found: list[dict[str, Any]] = self.cluster.get("pods", "--selector", labels)["items"]
        return found

    def ready(self, component: str) -> int:
        """Return how many of a component's pods are ready."""
        return sum(
            condition["type"] == "Ready" and condition["status"] == "True"
            for pod in self.pods(component)
            for condition in pod["status"].get("conditions", [])
        )

    def query(self, secret: str, user: str, statement: str, *, password: str | None = None) -> str:
        """Return what a statement gives, run by one of the database's users.

        Args:
            secret: of the user's password.
            user: of the database.
            statement: of SQL.
            password: another one than the secret's.

        Raises:
            CommandFailed: the database refuses; the message is its own.
        """
        password = password or self.cluster.secret(f"swapshop-{secret}")["password"]
        command = ("exec", "--stdin", "statefulset/swapshop-mysql", "--", "bash", "-c", MYSQL)
        return self.cluster.kubectl(*command, user, statement, stdin=password)


def is_leaving(pod: dict[str, Any]) -> bool:
    """Return whether a pod is terminating."""
    return "deletionTimestamp" in pod["metadata"]
