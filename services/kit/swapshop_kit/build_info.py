"""The metric that every process exports. This module needs no database library."""

from typing import Final

from prometheus_client import Gauge, disable_created_metrics

disable_created_metrics()  # they double the series, and nobody reads them

_BUILD: Final = Gauge(
    "swapshop_build_info", "1, with the version in its labels.", ["service", "version"]
)


def report_build(service: str, version: str) -> None:
    """Report ``swapshop_build_info``."""
    _BUILD.labels(service, version).set(1)
