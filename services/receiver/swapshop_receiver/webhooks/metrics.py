"""Metrics of webhooks."""

from typing import Final

from prometheus_client import Counter

from swapshop_receiver.events import EVENTS

STORED: Final = Counter(
    "swapshop_notifications_stored_total",
    "Accepted webhooks: stored now, there already, or in conflict with what is there.",
    ["event_type", "result"],
)
# Counted from 0 on, so that the first one is seen as a rise.
for _event_type in EVENTS:
    for _result in ("stored", "duplicate", "conflict"):
        STORED.labels(_event_type, _result)
