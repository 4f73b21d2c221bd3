"""The order cache: does it help, and is it right?"""

from typing import Any, Final

from swapshop_operations.dashboards.boards import Section, dashboard
from swapshop_operations.dashboards.panels import (
    SHOULD_BE_ZERO,
    Query,
    percentiles,
    stat,
    timeseries,
)

REQUESTS: Final = "rate(swapshop_cache_requests_total[$__rate_interval])"
HITS: Final = 'rate(swapshop_cache_requests_total{result="hit"}[$__rate_interval])'
ASKED: Final = 'rate(swapshop_cache_requests_total{result=~"hit|miss|error"}[$__rate_interval])'
HIT_RATIO: Final = Query(f"sum({HITS}) / (sum({ASKED}) > 0)", "hits")
ORDER: Final = 'http_route="/api/orders/{order_id}", http_request_method="GET"'
DURATIONS: Final = f"rate(http_server_request_duration_seconds_bucket{{{ORDER}}}[$__rate_interval])"


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    return dashboard(
        "cache",
        "SwapShop / Cache",
        "Does the order cache help, and is it right?",
        [_now(), _reads()],
    )


def _now() -> Section:
    return "Now", [
        stat(
            "Hit ratio",
            HIT_RATIO,
            unit="percentunit",
            steps=[(None, "orange"), (0.5, "green")],
            width=8,
            no_value="no reads",
            description="Share of reads that Redis answered. If it is low with many misses, each "
            "order is read only once, or Redis evicts keys: see SwapShop / Redis. If it is low "
            "with errors, Redis is down.",
        ),
        stat(
            "Failed writes, last hour",
            Query("sum(increase(swapshop_cache_write_failures_total[1h])) or vector(0)", "scripts"),
            unit="short",
            steps=SHOULD_BE_ZERO,
            width=8,
            description="Each failure can leave an order's old state visible for up to 32 s. If "
            "failures continue, set CACHE_MODE=off until Redis has recovered: see the runbook "
            "CacheWritesFailing.",
        ),
        stat(
            "Reads through Redis",
            Query(f"sum({ASKED})", "reads"),
            unit="reqps",
            width=8,
            description="Reads of single orders, without those that bypassed the cache. At zero, "
            "the hit ratio means nothing.",
        ),
    ]


def _reads() -> Section:
    return "Reads and writes", [
        timeseries(
            "Requests to the cache by result",
            Query(f"sum by (result) ({REQUESTS})", "{{result}}"),
            unit="reqps",
            stacked=True,
            description="bypass: the cache is off, the order was being written, or Redis is not "
            "asked for a while after failures. stale: the value read after a miss was older than "
            "a write and was not stored. error: Redis did not answer in time.",
        ),
        timeseries(
            "Hit ratio",
            HIT_RATIO,
            unit="percentunit",
            maximum=1,
            description="Falls after a restart of Redis and recovers by itself, because Redis "
            "keeps nothing on disk.",
        ),
        timeseries(
            "Failed writes",
            Query(
                "sum by (script) (increase(swapshop_cache_write_failures_total[$__rate_interval]))",
                "{{script}}",
            ),
            unit="short",
            description="mark runs before a COMMIT and clear after it. Failures while Redis is up "
            "are time-outs: check its commands and the api's event loop.",
        ),
        timeseries(
            "Duration of reading an order, p50 and p99",
            *percentiles(f"sum by (le) ({DURATIONS})", (0.5, 0.99), exemplars=True),
            unit="s",
            description="Shows what the cache is worth. If this does not rise when the hit ratio "
            "falls, MySQL is fast enough without it.",
        ),
    ]
