"""Requests of api and receiver: rate, errors, duration by route, and what they run out of."""

from typing import Any, Final

from dashboards.boards import Section, dashboard, variable
from dashboards.panels import PLAIN, Query, heatmap, percentiles, stat, timeseries

CHOSEN: Final = 'job=~"$job", http_route=~"$route"'
ROUTES: Final = "/(api|internal|webhooks)/.+"
"""Without probes and scrapes, which are many where traffic is little."""
PROMISED: Final = ', http_route=~"/api/.+"'
"""What the objectives are about."""
FAILED: Final = ', http_response_status_code=~"5.."'


def _requests_per_second(more: str = "") -> str:
    counted = f"http_server_request_duration_seconds_count{{{CHOSEN}{more}}}"
    return f"rate({counted}[$__rate_interval])"


def _buckets(more: str = "") -> str:
    """Without streams, whose duration is their whole life."""
    answers = f'{CHOSEN}, http_route!="/api/notifications/stream"{more}'
    return f"http_server_request_duration_seconds_bucket{{{answers}}}[$__rate_interval]"


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    counted = "http_server_request_duration_seconds_count"
    return dashboard(
        "api",
        "SwapShop / API",
        "Who is answered how fast, which route fails, and what runs short?",
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
            description="A route that falls to 0 while others go on is broken before it reaches "
            "us: look at the Ingress and the page. A sudden rise of one caller: look at the logs "
            "by client.",
        ),
        timeseries(
            "Requests by status",
            Query(
                f"sum by (http_response_status_code) ({requests})", "{{http_response_status_code}}"
            ),
            unit="reqps",
            stacked=True,
            description="503 means that MySQL is away, 500 a bug (its trace id is in the log), 429 "
            "a limit, 499 a caller that left, 401 in masses an expired key or an attack.",
        ),
        timeseries(
            "Failed requests",
            Query(
                f"{promised_failed} / {promised} or 0 * {promised}",
                "share of 5xx",
            ),
            unit="percentunit",
            steps=[(None, "green"), (0.001, "orange"), (0.0144, "red")],
            description="Of the customers' routes. The objective allows 0.1 %; 1.44 % burns the "
            "month's budget 14 times too fast and pages. The panel beside tells the routes.",
        ),
        timeseries(
            "Failed requests by route",
            Query(
                "sum by (http_request_method, http_route, http_response_status_code) "
                f"({failed}) > 0",
                "{{http_request_method}} {{http_route}} {{http_response_status_code}}",
            ),
            unit="reqps",
            description="Empty in health. All routes at once: a store is away, see SwapShop / "
            "MySQL. One route: read its errors in the log of its service by trace id.",
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
            description="Answers by duration, without streams. Two bands are cached and uncached "
            "reads; a band that climbs is a store that slows down, all at once a lack of CPU.",
        ),
        timeseries(
            "Percentiles",
            *percentiles(f"sum by (le) (rate({_buckets(PROMISED)}))", exemplars=True),
            unit="s",
            steps=[(None, "green"), (0.25, "red")],
            description="Of the customers' routes; 99 % are promised within 0.25 s. The points are "
            "single requests: with traces on, each tells its trace id.",
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
            description="Register and login hash a password and take longest by design. Another "
            "route above 0.25 s: look at its SQL in SwapShop / MySQL, at the pool and at the event "
            "loop below.",
        ),
    ]


def _saturation() -> Section:
    return "Saturation", [
        timeseries(
            "Database connections",
            Query("sum by (pool, state) (db_client_connection_count)", "{{pool}} {{state}}"),
            unit="short",
            stacked=True,
            description="When none is idle for long, requests wait for one: more pods help only "
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
            description="How late timers fire. Above 0.1 s the process lacks CPU (see throttling "
            "and limits) or code blocks the loop; everything else is slow then too.",
        ),
        timeseries(
            "Requests in progress",
            Query('sum by (job) (http_server_active_requests{job=~"$job"})', "{{job}}"),
            unit="short",
            description="Open streams are among the receiver's. A rise without more requests is "
            "waiting: for a connection, for MySQL or for Redis.",
        ),
        timeseries(
            "CPU",
            Query(
                'sum by (job) (rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval]))',
                "{{job}}",
            ),
            unit="short",
            description="Cores in use by all pods of a service. One process uses one core at most: "
            "at 1 a pod the autoscaler should have added pods.",
        ),
        timeseries(
            "Memory of the largest pod",
            Query('max by (job) (process_resident_memory_bytes{job=~"$job"})', "{{job}}"),
            unit="bytes",
            width=24,
            description="A steady climb over days is a leak: the pod is killed at its limit and "
            "starts again; no order is lost by it.",
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
            description="Logins per minute. Refused in masses is password guessing, which limited "
            "shows to be slowed down; ok at 0 with refused at its usual rate: look at the signing "
            "keys.",
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
            description="Sessions that were revoked because an old refresh token came back: a "
            "stolen cookie, or a broken client. See the runbook RefreshTokensReused.",
        ),
    ]
