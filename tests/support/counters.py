"""Counters of the process: what happened within a block."""

from collections.abc import Callable

from prometheus_client import REGISTRY


def rise_of(name: str, **labels: str) -> Callable[[], int]:
    """Returns a function that tells by how much a counter has risen since now."""
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    return lambda: round((REGISTRY.get_sample_value(name, labels) or 0.0) - before)
