"""Metrics of the poller; the api counts the outcomes of deliveries, from the reports."""

from typing import Final

from prometheus_client import Counter, Histogram

ROUNDS: Final = Counter(
    "swapshop_poller_rounds_total", "Leases that held deliveries, by how they ended.", ["ending"]
)
SEND_DURATION: Final = Histogram(
    "swapshop_poller_send_duration_seconds",
    "Time of one webhook, from the connection to its answer, by the outcome.",
    ["outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
MISCONFIGURATIONS: Final = Counter(
    "swapshop_poller_misconfigurations_total",
    "Answers that only a person can put right: of the receiver 401, 403, 404 or 3xx, of the api "
    "a refusal.",
    ["peer"],
)
# Exported at 0, so that increase() sees the first one.
for _peer in ("api", "receiver"):
    MISCONFIGURATIONS.labels(_peer)
API_AWAY: Final = Counter(
    "swapshop_poller_api_away_total", "Calls of the api that had no answer, or a passing error."
)
UNREPORTED: Final = Counter(
    "swapshop_poller_unreported_total",
    "Results that were given up: their deliveries come again when the lease has run out.",
)
