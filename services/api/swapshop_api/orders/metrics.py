"""Metrics of orders and of their cache."""

from typing import Final

from prometheus_client import Counter

ORDERS_CREATED: Final = Counter("swapshop_orders_created_total", "Orders placed.")
CACHE_REQUESTS: Final = Counter(
    "swapshop_cache_requests_total",
    "Reads of the cache of orders, by what came of them.",
    ["cache", "result"],
)
CACHE_WRITE_FAILURES: Final = Counter(
    "swapshop_cache_write_failures_total",
    "Scripts of a writer that Redis did not run: a state may be stale for 32 s.",
    ["script"],
)
# Counted from 0 on, so that the first one is seen as a rise.
for _script in ("mark", "clear"):
    CACHE_WRITE_FAILURES.labels(_script)
