"""The catalogue of metrics in metrics.yaml: those that SwapShop exports and those that it reads."""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from swapshop_operations.repository import OBSERVABILITY

Entry = Mapping[str, Any]
"""A metric in metrics.yaml."""

CONTENT: Final[Mapping[str, list[Entry]]] = yaml.safe_load(
    (OBSERVABILITY / "metrics.yaml").read_text(encoding="utf-8")
)
OWN: Final[Mapping[str, Entry]] = {entry["name"]: entry for entry in CONTENT["metrics"]}
EXTERNAL: Final[Mapping[str, Entry]] = {entry["name"]: entry for entry in CONTENT["external"]}

_METRIC_OF_SERIES: Final[Mapping[str, str]] = {
    name + suffix: name
    for name, entry in [*OWN.items(), *EXTERNAL.items()]
    for suffix in (("_bucket", "_count", "_sum") if entry.get("type") == "histogram" else ("",))
}
SERIES: Final = frozenset(_METRIC_OF_SERIES)
"""Names that a query can read; a histogram has three."""


def metric_of(series: str) -> str:
    """Return the metric of a series; a series that is not in the catalogue is returned as it is."""
    return _METRIC_OF_SERIES.get(series, series)
