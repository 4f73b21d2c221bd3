"""Load tests: the metrics that k6 writes to Prometheus by remote write."""

from typing import Any, Final

from swapshop_operations.dashboards.boards import Section, dashboard, variable
from swapshop_operations.dashboards.panels import SHOULD_BE_ZERO, Query, stat, timeseries

TEST: Final = 'testid=~"$testid"'


def _rate(name: str, more: str = "") -> str:
    return f"rate(k6_{name}{{{TEST}{more}}}[$__rate_interval])"


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    return dashboard(
        "k6",
        "SwapShop / Load tests",
        "The requests of a load test, and the responses it got.",
        [_result(), _load(), _answers()],
        [variable("testid", "Test", "label_values(k6_http_reqs_total, testid)", ".+")],
    )


def _result() -> Section:
    failed = f'k6_http_reqs_total{{{TEST}, expected_response="false"}}'
    return "Result", [
        stat(
            "Requests",
            Query(
                f"sum by (testid) (max_over_time(k6_http_reqs_total{{{TEST}}}[$__range]))",
                "{{testid}}",
            ),
            unit="short",
            width=6,
            description="All requests of a test. This must equal k6's own report: fewer means "
            "that remote writes failed.",
        ),
        stat(
            "Failed requests",
            Query(f"sum(max_over_time({failed}[$__range])) or vector(0)", "requests"),
            unit="short",
            steps=SHOULD_BE_ZERO,
            width=6,
            description="5xx responses, and requests without a response. Requests by status shows "
            "which.",
        ),
        stat(
            "Checks passed",
            Query(
                f"min by (check) (last_over_time(k6_checks_rate{{{TEST}}}[$__range]))", "{{check}}"
            ),
            unit="percentunit",
            steps=[(None, "red"), (1, "green")],
            width=12,
            description="Checks on every response. Below 100 % a response was wrong, which is a "
            "defect whatever the load: read the services' logs.",
        ),
    ]


def _load() -> Section:
    return "Load", [
        timeseries(
            "Virtual users",
            Query(f"sum by (testid) (k6_vus{{{TEST}}})", "{{testid}} active"),
            Query(f"sum by (testid) (k6_vus_max{{{TEST}}})", "{{testid}} started"),
            unit="short",
            description="With a constant arrival rate the number of active users follows the "
            "durations: at its limit k6 drops iterations, and the test no longer produces the "
            "requested load.",
        ),
        timeseries(
            "Iterations",
            Query(f"sum by (scenario) ({_rate('iterations_total')})", "{{scenario}} done"),
            Query(
                f"sum by (scenario) ({_rate('dropped_iterations_total')})", "{{scenario}} dropped"
            ),
            unit="ops",
            description="Dropped iterations found no free virtual user: the system is slower than "
            "the requested rate.",
        ),
        timeseries(
            "Orders placed",
            Query(f"sum by (testid) ({_rate('orders_created_total')})", "{{testid}}"),
            unit="ops",
            description="Compare with the order flow in SwapShop / Overview: an order that is "
            "missing there was seen by k6 but not counted by the api.",
        ),
        timeseries(
            "From order to notification, as the customer sees it",
            Query(
                f"max by (testid) (k6_order_notification_latency_p50{{{TEST}}})", "{{testid}} p50"
            ),
            Query(
                f"max by (testid) (k6_order_notification_latency_p99{{{TEST}}})", "{{testid}} p99"
            ),
            unit="s",
            steps=[(None, "green"), (120, "red")],
            description="Scenarios that wait for notifications. p99 above 120 s misses the "
            "objective: see SwapShop / Pipeline at the same time.",
        ),
    ]


def _answers() -> Section:
    return "Answers", [
        timeseries(
            "Requests by route",
            Query(f"sum by (name) ({_rate('http_reqs_total')})", "{{name}}"),
            unit="reqps",
            description="Compare with SwapShop / API: requests that k6 sends and the api does not "
            "see are lost on the way.",
        ),
        timeseries(
            "Requests by status",
            Query(f"sum by (status) ({_rate('http_reqs_total')})", "{{status}}"),
            unit="reqps",
            stacked=True,
            description="0 means no response: a refused connection or a time-out. 429 is a limit: "
            "give the test more accounts.",
        ),
        timeseries(
            "Duration by route, p99",
            Query(f"max by (name) (k6_http_req_duration_p99{{{TEST}}})", "{{name}}"),
            unit="s",
            steps=[(None, "green"), (0.25, "red")],
            description="Over the whole test so far. If it is far above the api's own p99, the "
            "cause is the network, the Ingress, or a k6 without CPU.",
        ),
        timeseries(
            "Duration by route, p50",
            Query(f"max by (name) (k6_http_req_duration_p50{{{TEST}}})", "{{name}}"),
            unit="s",
            description="Over the whole test so far. A p50 that climbs under a constant rate is a "
            "growing queue.",
        ),
    ]
