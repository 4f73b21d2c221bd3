"""Metrics of webhooks."""

from typing import Final

from prometheus_client import Counter

STORED: Final = Counter(
    "swapshop_notifications_stored_total",
    "Accepted webhooks: stored now, there already, or in conflict with what is there.",
    ["result"],
)
# Counted from 0 on, so that the first one is seen as a rise.
for _result in ("stored", "duplicate", "conflict"):
    STORED.labels(_result)
