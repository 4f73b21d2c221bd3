"""templates/checks.yaml refuses values that do not go together, and says which."""

import re
from typing import Any, Final

import pytest

from support.cluster.chart import ChartRefusedError, Helm

DATABASE: Final[dict[str, Any]] = {"host": "db.example.com", "cidrs": ["192.0.2.1/32"]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"api.autoscaling.minReplicas": 7},
            "api.autoscaling: minReplicas, 7, is more than maxReplicas, 6",
        ),
        (
            {"receiver.autoscaling.maxReplicas": 1},
            "receiver.autoscaling: minReplicas, 2, is more than maxReplicas, 1",
        ),
        (
            {"api.resources.limits.memory": "100Mi"},
            "api.resources: the limit of memory, 100Mi, is less than its request, 160Mi",
        ),
        (
            {"web.resources": {"requests": {"cpu": "1.5"}, "limits": {"cpu": "1400m"}}},
            "web.resources: the limit of cpu, 1400m, is less than its request, 1.5",
        ),
        (
            {"monitoring.grafana.resources.requests.memory": 1000000000},
            "monitoring.grafana.resources: the limit of memory, 512Mi, is less",
        ),
        (
            {"mysql.exporter.resources.requests.memory": "1G"},
            "mysql.exporter.resources: the limit of memory, 64Mi, is less",
        ),
        (
            {"mysql.external": DATABASE, "mysql.exporter.enabled": True},
            "with mysql.external.host there is none",
        ),
        (
            {"redis.external": DATABASE, "redis.exporter.enabled": True},
            "with redis.external.host there is none",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    helm: Helm, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ChartRefusedError, match=re.escape(message)):
        helm.template(values)


@pytest.mark.parametrize(
    "values",
    [
        {"api.autoscaling": {"enabled": False, "minReplicas": 7}},
        {"api.autoscaling": {"minReplicas": 3, "maxReplicas": 3}},
        {"api.resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1024Mi"}}},
        {"api.resources": {"requests": {"memory": "999M"}, "limits": {"memory": 1000000000}}},
        {"web.resources": {"requests": {"cpu": 0.5}, "limits": {"cpu": "500m"}}},
        {"poller.settings": None},
    ],
)
def test_what_goes_together_is_taken(helm: Helm, values: dict[str, Any]) -> None:
    assert helm.render(values)
