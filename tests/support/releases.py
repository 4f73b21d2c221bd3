"""The release that the tests on a cluster work on."""

import os
import time
from pathlib import Path
from typing import Any, Final

from cluster import CHART, ROOT, Cluster

NAMESPACE: Final = "swapshop-e2e"
VALUES: Final = ROOT / "tests" / "e2e" / "values.yaml"
MYSQL: Final = (
    'mysql --defaults-extra-file=<(printf "[client]\\nuser=%s\\npassword=%s\\n" "$0" "$(cat)")'
    ' --host=127.0.0.1 --batch --skip-column-names --execute "$1"'
)
"""Run in MySQL's pod with a user and a statement; the password comes from the standard input."""


class Release:
    """The release under test.

    Args:
        cluster: where.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def deploy(self, *options: str, values: Path = VALUES) -> float:
        """Install or upgrade, wait until all is ready, and return after how many seconds it was.

        Args:
            options: for helm, such as ``--set``.
            values: file of values.
        """
        begin = time.monotonic()
        tag = f"image.tag={os.environ.get('TAG', 'dev')}"
        self.cluster.helm(
            *("upgrade", "--install", self.cluster.release, str(CHART), "--values", str(values)),
            *("--set", tag, "--wait", "--timeout", "5m", *options),
        )
        return time.monotonic() - begin

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Return a component's pods that are not about to end."""
        labels = f"app.kubernetes.io/instance=swapshop,app.kubernetes.io/component={component}"
        found: list[dict[str, Any]] = self.cluster.get("pods", "--selector", labels)["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def ready(self, component: str) -> int:
        """Return how many of a component's pods are ready."""
        return sum(
            condition["type"] == "Ready" and condition["status"] == "True"
            for pod in self.pods(component)
            for condition in pod["status"].get("conditions", [])
        )

    def query(self, secret: str, user: str, statement: str) -> str:
        """Return what a statement gives, run by one of the database's users.

        Args:
            secret: of the user's password.
            user: of the database.
            statement: of SQL.

        Raises:
            CommandFailed: the database refuses; the message is its own.
        """
        password = self.cluster.secret(f"swapshop-{secret}")["password"]
        command = ("exec", "--stdin", "statefulset/swapshop-mysql", "--", "bash", "-c", MYSQL)
        return self.cluster.kubectl(*command, user, statement, stdin=password)
