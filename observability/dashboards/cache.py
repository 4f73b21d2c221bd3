"""The cache of orders: does it help, and does it tell the truth?"""

from typing import Any, Final

from dashboards.boards import Section, dashboard
from dashboards.panels import SHOULD_BE_ZERO, Query, figure, lines

READS: Final = "rate(swapshop_cache_requests_total[$__rate_interval])"
HITS: Final = 'rate(swapshop_cache_requests_total{result="hit"}[$__rate_interval])'
ASKED: Final = (
    'rate(swapshop_cache_requests_total{result=~"hit|miss|stale|error"}[$__rate_interval])'
)
HIT_RATIO: Final = Query(f"sum({HITS}) / (sum({ASKED}) > 0)", "hits")
ORDER: Final = 'http_route="/api/orders/{order_id}", http_request_method="GET"'


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    return dashboard(
        "cache",
        "SwapShop / Cache",
        "Does the cache of orders help, and does it tell the truth?",
        [_now(), _reads()],
    )


def _now() -> Section:
    return "Now", [
        figure(
            "Hit ratio",
            HIT_RATIO,
            unit="percentunit",
            steps=[(None, "orange"), (0.5, "green")],
            width=8,
            no_value="no reads",
            description="Share of reads that Redis answered. Low with many misses: orders are read "
            "once each, or Redis drops keys, see SwapShop / Redis. Low with errors: Redis is away.",
        ),
        figure(
            "Writes that failed, last hour",
            Query("sum(increase(swapshop_cache_write_failures_total[1h])) or vector(0)", "scripts"),
            unit="short",
            steps=SHOULD_BE_ZERO,
            width=8,
            description="Each may show an order's old state for up to 32 s. With steady failures "
            "set CACHE_MODE=off until Redis is well: see the runbook CacheWritesFailing.",
        ),
        figure(
            "Reads",
            Query(f"sum({READS})", "reads"),
            unit="reqps",
            width=8,
            description="Reads of single orders. With none, the hit ratio says nothing.",
        ),
    ]


def _reads() -> Section:
    return "Reads and writes", [
        lines(
            "Reads by result",
            Query(f"sum by (result) ({READS})", "{{result}}"),
            unit="reqps",
            stacked=True,
            description="bypass: the cache is off, or Redis was given a rest after failures. "
            "stale: an entry was older than a write and was not used. error: Redis did not answer "
            "in time.",
        ),
        lines(
            "Hit ratio",
            HIT_RATIO,
            unit="percentunit",
            maximum=1,
            description="It falls after a restart of Redis and recovers by itself, since Redis "
            "keeps nothing on disk.",
        ),
        lines(
            "Writes that failed",
            Query(
                "sum by (script) (increase(swapshop_cache_write_failures_total[$__rate_interval]))",
                "{{script}}",
            ),
            unit="short",
            description="mark comes before a COMMIT and clear after it. Failures with Redis up are "
            "time-outs: look at its commands and at the api's event loop.",
        ),
        lines(
            "Duration of reading an order, p50 and p99",
            *(
                Query(
                    f"histogram_quantile({quantile}, sum by (le) "
                    f"(rate(http_server_request_duration_seconds_bucket{{{ORDER}}}[$__rate_interval])))",
                    name,
                    exemplars=True,
                )
                for quantile, name in ((0.5, "p50"), (0.99, "p99"))
            ),
            unit="s",
            description="What the cache is for. If it does not rise when the hit ratio falls, "
            "MySQL is fast enough without it.",
        ),
    ]
