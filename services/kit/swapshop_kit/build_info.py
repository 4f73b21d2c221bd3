"""The metric that every process has; this module needs no database library."""

from typing import Final

from prometheus_client import Gauge, disable_created_metrics

disable_created_metrics()  # a second series for each, which nobody reads

_BUILD: Final = Gauge(
    "swapshop_build_info", "1; its labels tell the version.", ["service", "version"]
)


def report_build(service: str, version: str) -> None:
    """Report ``swapshop_build_info``."""
    _BUILD.labels(service, version).set(1)
