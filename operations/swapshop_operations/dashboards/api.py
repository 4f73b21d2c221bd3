"""Requests to api and receiver: rate, errors, duration by route, and scarce resources."""

from typing import Any, Final

from swapshop_operations.dashboards.boards import Section, dashboard, variable
from swapshop_operations.dashboards.panels import (
    PLAIN,
    Query,
    heatmap,
    percentiles,
    stat,
    timeseries,
)

CHOSEN: Final = 'job=~"$job", http_route=~"$route"'
ROUTES: Final = "/(api|internal|webhooks)/.+"
"""Excludes probes and scrapes, which dominate when there is little traffic."""
PROMISED: Final = ', http_route=~"/api/.+"'
"""The routes that the objectives cover."""
FAILED: Final = ', http_response_status_code=~"5.."'


def _requests_per_second(more: str = "") -> str:
    counted = f"http_server_request_duration_seconds_count{{{CHOSEN}{more}}}"
    return f"rate({counted}[$__rate_interval])"


def _buckets(more: str = "") -> str:
    """Exclude streams: the duration of a stream is its whole lifetime."""
    answers = f'{CHOSEN}, http_route!="/api/notifications/stream"{more}'
    return f"http_server_request_duration_seconds_bucket{{{answers}}}[$__rate_interval]"


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    counted = "http_server_request_duration_seconds_count"
    return dashboard(
        "api",
        "SwapShop / API",
        "How fast are requests answered, which route fails, and which resource is scarce?",
        [_requests(), _durations(), _saturation(), _sessions()],
        [
            variable(
                "job",
                "Service",
                f"label_values({counted}, job)",
                "swapshop-(api|receiver|exporter|poller)",
            ),
            variable(
                "route",
                "Route",
                f'label_values({counted}{{job=~"$job", http_route=~"{ROUTES}"}}, http_route)',
                ROUTES,
            ),
        ],
    )


def _requests() -> Section:
    requests = _requests_per_second()
    failed = _requests_per_second(FAILED)
    promised = f"sum({_requests_per_second(PROMISED)})"
    promised_failed = f"sum({_requests_per_second(PROMISED + FAILED)})"
    return "Requests and errors", [
        timeseries(
            "Requests by route",
            Query(
                f"sum by (http_request_method, http_route) ({requests})",
                "{{http_request_method}} {{http_route}}",
            ),
            unit="reqps",
            description="If one route falls to 0 while others continue, requests are lost before "
            "they reach the service: check the Ingress and the page. If one caller suddenly sends "
            "more, check the logs by client.",
        ),
        timeseries(
            "Requests by status",
            Query(
                f"sum by (http_response_status_code) ({requests})", "{{http_response_status_code}}"
            ),
            unit="reqps",
            stacked=True,
            description="503 means that MySQL is down, 500 a bug (its trace id is in the log), "
            "429 a limit, 499 a caller that disconnected; many 401 mean an expired key or an "
            "attack.",
        ),
        timeseries(
            "Failed requests",
            Query(
                f"{promised_failed} / {promised} or 0 * {promised}",
                "share of 5xx",
            ),
            unit="percentunit",
            steps=[(None, "green"), (0.001, "orange"), (0.0144, "red")],
            description="Customers' routes only. The objective allows 0.1 %; 1.44 % burns the "
            "month's budget 14 times too fast and pages. The next panel shows the routes.",
        ),
        timeseries(
            "Failed requests by route",
            Query(
                "sum by (http_request_method, http_route, http_response_status_code) "
                f"({failed}) > 0",
                "{{http_request_method}} {{http_route}} {{http_response_status_code}}",
            ),
            unit="reqps",
            description="Empty when healthy. If all routes fail at once, a store is down: see "
            "SwapShop / MySQL. If one route fails, read its errors in the service's log by trace "
            "id.",
        ),
    ]


def _durations() -> Section:
    return "Durations", [
        heatmap(
            "Durations",
            Query(
                f"sum by (le) (increase({_buckets()}))",
                "{{le}}",
            ),
            unit="s",
            description="Responses by duration, without streams. Two bands are cached and "
            "uncached reads. If one band climbs, a store is slowing down; if all climb at once, "
            "CPU is short.",
        ),
        timeseries(
            "Percentiles",
            *percentiles(f"sum by (le) (rate({_buckets(PROMISED)}))", exemplars=True),
            unit="s",
            steps=[(None, "green"), (0.25, "red")],
            description="Customers' routes only; 99 % are promised within 0.25 s. Each point is a "
            "single request: with traces on, it shows its trace id.",
        ),
        timeseries(
            "p99 by route",
            Query(
                "histogram_quantile(0.99, sum by (le, http_request_method, http_route) "
                f"(rate({_buckets()})))",
                "{{http_request_method}} {{http_route}}",
            ),
            unit="s",
            width=24,
            description="Register and login hash a password and take longest by design. If "
            "another route is above 0.25 s, check its SQL in SwapShop / MySQL, the connection "
            "pool and the event loop below.",
        ),
    ]


def _saturation() -> Section:
    return "Saturation", [
        timeseries(
            "Database connections",
            Query("sum by (pool, state) (db_client_connection_count)", "{{pool}} {{state}}"),
            unit="short",
            stacked=True,
            description="If none is idle for long, requests wait for one. More pods only help "
            "while MySQL has connections left, see SwapShop / MySQL; slow SQL is the usual cause.",
        ),
        timeseries(
            "Event loop lag, p99",
            Query(
                "histogram_quantile(0.99, sum by (le, job) "
                '(rate(swapshop_event_loop_lag_seconds_bucket{job=~"$job"}[$__rate_interval])))',
                "{{job}}",
            ),
            unit="s",
            steps=[(None, "green"), (0.1, "orange"), (0.5, "red")],
            description="Delay of timers. Above 0.1 s the process is short of CPU (check "
            "throttling and limits) or code blocks the loop; everything else is slow then too.",
        ),
        timeseries(
            "Requests in progress",
            Query('sum by (job) (http_server_active_requests{job=~"$job"})', "{{job}}"),
            unit="short",
            description="Includes the receiver's open streams. A rise without more requests means "
            "waiting: for a connection, for MySQL or for Redis.",
        ),
        timeseries(
            "CPU",
            Query(
                'sum by (job) (rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval]))',
                "{{job}}",
            ),
            unit="short",
            description="Cores in use by all pods of a service. One process uses at most one "
            "core: at 1 per pod the autoscaler should have added pods.",
        ),
        timeseries(
            "Memory of the largest pod",
            Query('max by (job) (process_resident_memory_bytes{job=~"$job"})', "{{job}}"),
            unit="bytes",
            width=24,
            description="A steady climb over days is a leak: the pod is killed at its limit and "
            "restarts, and no order is lost.",
        ),
    ]


def _sessions() -> Section:
    return "Sessions", [
        timeseries(
            "Logins",
            Query(
                "sum by (outcome) (rate("
                'swapshop_security_events_total{event="login"}[$__rate_interval])) * 60',
                "{{outcome}}",
            ),
            unit="cpm",
            width=16,
            description="Logins per minute. Many refused logins are password guessing; limited "
            "shows that the limits slow it down. If ok is 0 and refused is as usual, check the "
            "signing keys.",
        ),
        stat(
            "Refresh tokens reused",
            Query(
                'sum(increase(swapshop_security_events_total{outcome="reused"}[$__range]))',
                "sessions",
            ),
            unit="short",
            steps=[*PLAIN, (1, "orange")],
            width=8,
            description="Sessions that were revoked because an old refresh token was presented "
            "again: a stolen cookie, or a broken client. See the runbook RefreshTokensReused.",
        ),
    ]
