"""Pods of the tests in the namespace of a release."""

from collections.abc import Mapping
from typing import Any

from support.cluster.release import NAMESPACE


def restricted_pod(
    name: str, container: Mapping[str, Any], labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a pod that Pod Security lets in where it is strictest; deleted, it ends at once.

    Args:
        name: of the pod.
        container: its only one, of an image that runs as 10001.
        labels: of the pod.
    """
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": dict(labels or {})},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{**container, "securityContext": security}],
        },
    }
