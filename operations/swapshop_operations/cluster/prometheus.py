"""Queries the Prometheus of a release."""

import json
from dataclasses import dataclass
from typing import Any

from swapshop_operations.cluster.client import Cluster


@dataclass(frozen=True)
class Sample:
    """The current value of a series."""

    labels: dict[str, str]
    value: float


def ask(cluster: Cluster, expression: str) -> list[Sample]:
    """Run an instant query and return its samples.

    Args:
        cluster: the release; it must have ``monitoring.enabled``.
        expression: a PromQL expression that gives an instant vector.

    Raises:
        CommandFailed: the query is invalid, or the release has no Prometheus.
        TypeError: the expression gives a scalar, a string or a range vector.
    """
    # inside the pod, since the network policies allow no connection from outside
    pod = f"{cluster.fullname}-prometheus-0"
    query = ("promtool", "query", "instant", "--format=json", "http://127.0.0.1:9090", expression)
    found: Any = json.loads(cluster.kubectl("exec", pod, "--container=prometheus", "--", *query))
    if not all(isinstance(each, dict) and "value" in each for each in found):
        raise TypeError(f"{expression} is not an instant vector: {found}")
    return [Sample(each["metric"], float(each["value"][1])) for each in found]
