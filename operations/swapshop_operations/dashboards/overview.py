"""Are the promises kept, and if not, which part fails? The first dashboard to open."""

from typing import Any, Final

from swapshop_operations.dashboards.boards import Section, dashboard
from swapshop_operations.dashboards.panels import (
    MUST_BE_ZERO,
    PLAIN,
    SHOULD_BE_ZERO,
    Query,
    percentiles,
    stat,
    timeseries,
)

OURS: Final = 'severity=~"page|ticket"'
"""Selects SwapShop's alerts in a Prometheus that also has others."""
LATENCIES: Final = "rate(swapshop_order_notification_latency_seconds_bucket[$__rate_interval])"
BURN_STEPS: Final = [(None, "green"), (1.0, "yellow"), (6.0, "orange"), (14.4, "red")]


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    return dashboard(
        "overview",
        "SwapShop / Overview",
        "Are the promises kept, and if not, which part fails? Start here.",
        [_now(), _objectives(), _orders(), _parts()],
    )


def _now() -> Section:
    return "Now", [
        stat(
            "Orders unaccounted for",
            Query("max(swapshop_orders_unaccounted)", "orders"),
            unit="short",
            steps=MUST_BE_ZERO,
            description="Orders that are not PENDING, not notified and not dead. This must be 0; "
            "anything else is a lost order. Follow the runbook OrdersUnaccounted before you "
            "delete anything.",
        ),
        stat(
            "Processed without delivery",
            Query("max(swapshop_orders_processed_without_delivery)", "orders"),
            unit="short",
            steps=MUST_BE_ZERO,
            description="PROCESSED orders that have no delivery, so nothing will notify their "
            "customers. This must be 0; see the runbook OrdersWithoutDelivery.",
        ),
        stat(
            "Oldest undelivered order",
            Query("max(swapshop_oldest_undelivered_age_seconds)", "age"),
            unit="s",
            steps=[(None, "green"), (90, "yellow"), (120, "red")],
            description="Customers are promised 120 s. If this grows steadily, nothing is being "
            "delivered: open SwapShop / Pipeline and check the poller first, then the receiver.",
        ),
        stat(
            "Last poller answered",
            Query("min(swapshop_poller_last_success_age_seconds)", "ago"),
            unit="s",
            steps=[(None, "green"), (120, "yellow"), (180, "red")],
            description="Time since a poller last asked for deliveries and got an answer. Above "
            "180 s no poller runs or none can reach the api: see the runbook PollerStale.",
        ),
        stat(
            "Dead letters",
            Query('max(swapshop_deliveries{state="DEAD"})', "deliveries"),
            unit="short",
            steps=SHOULD_BE_ZERO,
            description="Deliveries that were given up. They are not sent until an "
            "operator redrives them: see the runbook DeadLetters.",
        ),
        stat(
            "Alerts firing",
            Query(f'count(ALERTS{{alertstate="firing", {OURS}}}) or vector(0)', "alerts"),
            unit="short",
            steps=MUST_BE_ZERO,
            description="SwapShop alerts that are firing now. Each has a runbook of the same name "
            "in docs/runbooks.",
        ),
    ]


def _objectives() -> Section:
    return "Objectives", [
        stat(
            "Error budget left, 30 days",
            Query("slo:period_error_budget_remaining:ratio", "{{slo}}"),
            unit="percentunit",
            steps=[(None, "red"), (0, "orange"), (0.25, "green")],
            width=24,
            description="1 means untouched; below 0 the objective is missed. With less than a "
            "quarter left, put reliability before features. The objectives are in "
            "observability/slos.yaml.",
        ),
        timeseries(
            "Burn rate, last hour and last 5 minutes",
            Query("slo:sli_error:ratio_rate1h / on (slo) (1 - slo:objective:ratio)", "{{slo}} 1h"),
            Query("slo:sli_error:ratio_rate5m / on (slo) (1 - slo:objective:ratio)", "{{slo}} 5m"),
            unit="none",
            steps=BURN_STEPS,
            description="1 spends the budget in exactly 30 days. Both above 14.4 is a page: 2 % "
            "of the month's budget is spent within an hour. Once the 5m line has fallen below "
            "that, the cause is gone.",
        ),
        timeseries(
            "Burn rate, last 6 hours and last 3 days",
            Query("slo:sli_error:ratio_rate6h / on (slo) (1 - slo:objective:ratio)", "{{slo}} 6h"),
            Query("slo:sli_error:ratio_rate3d / on (slo) (1 - slo:objective:ratio)", "{{slo}} 3d"),
            unit="none",
            steps=BURN_STEPS,
            description="6 over 6 hours is a page, 1 over 3 days a ticket: something fails rarely "
            "but steadily. Look for it in SwapShop / API by route, or in the dead letters.",
        ),
        timeseries(
            "Bad events, last 5 minutes",
            Query("slo:sli_error:ratio_rate5m", "{{slo}}"),
            unit="percentunit",
            maximum=1,
            description="Share of events that miss their objective: 5xx, responses slower than "
            "0.25 s, notifications later than 120 s, dead letters, seconds without a poller. The "
            "line that rose first points to the cause.",
        ),
        timeseries(
            "Events measured",
            Query("slo:sli_events:rate5m * 60", "{{slo}}"),
            unit="cpm",
            description="Events per minute on which the objectives are measured. With few events "
            "a single failure weighs a lot, and the traffic gate keeps the alerts silent.",
        ),
    ]


def _orders() -> Section:
    return "Orders", [
        timeseries(
            "Order flow",
            Query("sum(rate(swapshop_orders_created_total[$__rate_interval])) * 60", "created"),
            Query("sum(rate(swapshop_orders_processed_total[$__rate_interval])) * 60", "processed"),
            Query(
                "max(rate(swapshop_deliveries_delivered_total[$__rate_interval])) * 60", "delivered"
            ),
            unit="cpm",
            description="Orders per minute. Delivered must follow created: a gap that stays is a "
            "backlog, see SwapShop / Pipeline. If created is 0 in business hours, customers "
            "cannot place orders: see SwapShop / API.",
        ),
        timeseries(
            "Orders by state",
            Query('max(swapshop_orders{estado="PENDING"})', "PENDING"),
            Query('max(swapshop_deliveries{state="READY"})', "delivery READY"),
            Query('max(swapshop_deliveries{state="LEASED"})', "delivery LEASED"),
            Query("max(swapshop_orders_late)", "late"),
            unit="short",
            description="PENDING waits for a poller's lease, READY for the next attempt, LEASED "
            "for the receiver's response; late is older than 120 s. If one of them only climbs, "
            "open SwapShop / Pipeline: the poller or the receiver does not work.",
        ),
        timeseries(
            "From order to notification",
            *percentiles(f"max by (le) ({LATENCIES})"),
            unit="s",
            steps=[(None, "green"), (120, "red")],
            description="Orders that were notified. 99 % are promised within 120 s; with the "
            "poller as a CronJob, up to 20 s is normal. Orders that still wait are not included: "
            "see the age of the oldest.",
        ),
        timeseries(
            "Alerts",
            Query(
                f"count by (alertname, severity, alertstate) (ALERTS{{{OURS}}})",
                "{{alertname}} {{severity}} {{alertstate}}",
            ),
            unit="short",
            stacked=True,
            description="Pending and firing alerts over time; the first to rise is closest to the "
            "cause. Open the runbook of the same name in docs/runbooks.",
        ),
    ]


def _parts() -> Section:
    return "Parts", [
        timeseries(
            "Pods that answer Prometheus",
            Query('sum by (job) (up{job=~"swapshop-.+"})', "{{job}}"),
            unit="short",
            width=8,
            description="A service at 0 is down, or a network policy keeps Prometheus from "
            "reaching it. The pods of a CronJob poller are not listed. Check with kubectl get "
            "pods.",
        ),
        stat(
            "Versions",
            Query("count by (service, version) (swapshop_build_info)", "{{service}} {{version}}"),
            unit="short",
            steps=PLAIN,
            width=8,
            description="Pods by version. A service has two versions only during a rollout; "
            "otherwise kubectl rollout status shows what it waits for.",
        ),
        stat(
            "Database flushes every COMMIT",
            Query("min by (pool) (swapshop_database_durable)", "{{pool}}"),
            unit="bool_yes_no",
            steps=[(None, "red"), (1, "green")],
            width=8,
            description="No means that a power cut can lose orders that were answered with 201: "
            "see the runbook DatabaseNotDurable.",
        ),
    ]
