"""Counters of this process."""

from collections.abc import Callable

from prometheus_client import REGISTRY


def rise_of(name: str, **labels: str) -> Callable[[], int]:
    """Return a function that returns a counter's rise since this call."""
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    return lambda: round((REGISTRY.get_sample_value(name, labels) or 0.0) - before)
