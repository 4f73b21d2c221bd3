"""Metrics of streams and of what wakes them."""

from typing import Final

from prometheus_client import Counter, Gauge

PUBLISHED: Final = Counter(
    "swapshop_notifications_published_total",
    "Wake-ups of open streams handed to Redis; a failed one only delays an event.",
    ["result"],
)
# Counted from 0 on, so that the first one is seen as a rise.
for _result in ("sent", "failed", "skipped"):
    PUBLISHED.labels(_result)
STREAMS: Final = Gauge("swapshop_notification_streams", "Open streams of notifications.")
LISTENING: Final = Gauge(
    "swapshop_notification_hub_listening",
    "1 while Redis wakes the streams, 0 while the database is polled instead.",
)
