"""SIGKILL for a container's first process, from its node: its own PID namespace ignores it.

It takes a pod that sees the node's processes, hence a namespace that Pod Security lets have one.
"""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.repository import ROOT

PROGRAM: Final = (ROOT / "tests" / "e2e" / "kill.py").read_text()


class Killer:
    """Kills containers of other namespaces.

    Args:
        cluster: a separate namespace.
        image: one that the nodes have, with Python.
    """

    def __init__(self, cluster: Cluster, image: str) -> None:
        self._cluster = cluster
        self._image = image

    def kill(self, pod: dict[str, Any], container: str) -> None:
        """Kill a container's first process and return when it is dead.

        Args:
            pod: the pod as the API server describes it.
            container: name of the container in it.

        Raises:
            CommandFailed: the cluster refuses, or the container does not run.
        """
        name = f"kill-{secrets.token_hex(4)}"
        node, container_id = pod["spec"]["nodeName"], status_of(pod, container)["containerID"]
        self._cluster.apply(self._pod(name, node, container_id.partition("://")[2]))
        done = ("wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
        self._cluster.kubectl(*done)
        self._cluster.kubectl("delete", "pod", name, "--wait=false")

    def _pod(self, name: str, node: str, container_id: str) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {
                "nodeName": node,
                "hostPID": True,
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "containers": [
                    {
                        "name": "kill",
                        "image": self._image,
                        "command": ["python", "-c", PROGRAM, container_id],
                        "securityContext": {"runAsUser": 0, "runAsGroup": 0},
                    }
                ],
            },
        }


@contextmanager
def open_killer(namespace: str, image: str) -> Generator[Killer]:
    """Make a namespace whose pods may see the nodes' processes, for a block."""
    cluster = Cluster(namespace)
    remove = ("delete", "namespace", namespace, "--ignore-not-found", "--wait")
    cluster.kubectl(*remove)
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": namespace,
                "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
            },
        }
    )
    try:
        yield Killer(cluster, image)
    finally:
        cluster.kubectl(*remove)


def status_of(pod: dict[str, Any], container: str) -> dict[str, Any]:
    """Return the API server's status of a pod's container."""
    statuses: list[dict[str, Any]] = pod["status"]["containerStatuses"]
    return next(status for status in statuses if status["name"] == container)
