"""Asks the Prometheus of a release."""

import json
from dataclasses import dataclass
from typing import Any

from swapshop_operations.cluster.client import Cluster


@dataclass(frozen=True)
class Sample:
    """The present value of a series."""

    labels: dict[str, str]
    value: float


def ask(cluster: Cluster, expression: str) -> list[Sample]:
    """Return what an instant query finds.

    Args:
        cluster: the release, with ``monitoring.enabled``.
        expression: PromQL, of an instant vector.

    Raises:
        CommandFailed: the query is wrong, or there is no Prometheus.
        TypeError: the expression is a scalar, a string or a range vector.
    """
    # within its pod: no network policy opens a way in from here
    pod = f"{cluster.fullname}-prometheus-0"
    query = ("promtool", "query", "instant", "--format=json", "http://127.0.0.1:9090", expression)
    found: Any = json.loads(cluster.kubectl("exec", pod, "--container=prometheus", "--", *query))
    if not all(isinstance(each, dict) and "value" in each for each in found):
        raise TypeError(f"{expression} is no instant vector: {found}")
    return [Sample(each["metric"], float(each["value"][1])) for each in found]
