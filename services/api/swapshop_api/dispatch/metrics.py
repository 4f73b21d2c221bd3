"""Metrics of the dispatch."""

from typing import Final

from prometheus_client import Counter

ORDERS_PROCESSED: Final = Counter("swapshop_orders_processed_total", "Orders set PROCESSED.")
REPORTED_ATTEMPTS: Final = Counter(
    "swapshop_delivery_attempts_total",
    "Reports of delivery attempts.",
    ["event_type", "outcome"],
)
