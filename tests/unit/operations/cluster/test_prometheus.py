"""What a query of the release's Prometheus gives."""

import json
from typing import Any

import pytest

from swapshop_operations.cluster.client import Cluster
from swapshop_operations.cluster.prometheus import Sample, ask


class AnsweringCluster(Cluster):
    """A release whose promtool prints this.

    Args:
        answer: as promtool has it in JSON.
    """

    def __init__(self, answer: Any) -> None:
        super().__init__("load", "shop")
        object.__setattr__(self, "answer", answer)  # the base class is frozen

    answer: Any

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
        return json.dumps(self.answer)


def test_each_series_is_a_sample() -> None:
    series = {"metric": {"job": "api"}, "value": [1.5, "10"]}
    assert ask(AnsweringCluster([series] * 2), "up") == [Sample({"job": "api"}, 10.0)] * 2
    assert ask(AnsweringCluster([]), "up") == []


@pytest.mark.parametrize(
    "answer", [[1.5, "1"], [1.5, "text"], [{"metric": {}, "values": [[1.5, "1"]]}]]
)
def test_what_is_no_instant_vector_is_refused(answer: Any) -> None:
    with pytest.raises(TypeError, match="up is not an instant vector"):
        ask(AnsweringCluster(answer), "up")
