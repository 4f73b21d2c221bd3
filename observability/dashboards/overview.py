"""Are the promises kept, and if not, which part is it? The first dashboard to open."""

from typing import Any, Final

from dashboards.boards import Section, dashboard
from dashboards.panels import (
    MUST_BE_ZERO,
    PLAIN,
    SHOULD_BE_ZERO,
    Query,
    percentiles,
    stat,
    timeseries,
)

OURS: Final = 'severity=~"page|ticket"'
"""SwapShop's alerts, where Prometheus has those of others too."""
LATENCIES: Final = "rate(swapshop_order_notification_latency_seconds_bucket[$__rate_interval])"
BURN_STEPS: Final = [(None, "green"), (1.0, "yellow"), (6.0, "orange"), (14.4, "red")]


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    return dashboard(
        "overview",
        "SwapShop / Overview",
        "Are the promises kept, and if not, which part is it? Start here.",
        [_now(), _objectives(), _orders(), _parts()],
    )


def _now() -> Section:
    return "Now", [
        stat(
            "Orders unaccounted for",
            Query("max(swapshop_orders_unaccounted)", "orders"),
            unit="short",
            steps=MUST_BE_ZERO,
            description="Orders that are neither waiting nor notified nor dead. Always 0: anything "
            "else is a lost order. Follow the runbook OrdersUnaccounted before anything is "
            "deleted.",
        ),
        stat(
            "Processed without delivery",
            Query("max(swapshop_orders_processed_without_delivery)", "orders"),
            unit="short",
            steps=MUST_BE_ZERO,
            description="Orders that left PENDING and that nothing will notify. Always 0: see the "
            "runbook OrdersWithoutDelivery.",
        ),
        stat(
            "Oldest order on its way",
            Query("max(swapshop_oldest_undelivered_age_seconds)", "age"),
            unit="s",
            steps=[(None, "green"), (90, "yellow"), (120, "red")],
            description="Customers are promised 120 s. When it grows steadily, nothing is "
            "delivered: open SwapShop / Pipeline and look at the poller first, then at the "
            "receiver.",
        ),
        stat(
            "Poller was answered",
            Query("min(swapshop_poller_last_success_age_seconds)", "ago"),
            unit="s",
            steps=[(None, "green"), (120, "yellow"), (180, "red")],
            description="How long ago a poller asked for deliveries and was answered. Beyond 180 s "
            "no poller runs or none reaches the api: see the runbook PollerStale.",
        ),
        stat(
            "Dead letters",
            Query('max(swapshop_deliveries{state="DEAD"})', "deliveries"),
            unit="short",
            steps=SHOULD_BE_ZERO,
            description="Deliveries that were given up. Their customers hear nothing until an "
            "operator redrives them: see the runbook DeadLetters.",
        ),
        stat(
            "Alerts firing",
            Query(f'count(ALERTS{{alertstate="firing", {OURS}}}) or vector(0)', "alerts"),
            unit="short",
            steps=MUST_BE_ZERO,
            description="Alerts of SwapShop that fire now. Each names its page below "
            "docs/runbooks.",
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
            description="1 is untouched, below 0 the objective is missed. With less than a quarter "
            "left, put reliability before features. Objectives are in observability/slos.yaml.",
        ),
        timeseries(
            "Burn rate, last hour and last 5 minutes",
            Query("slo:sli_error:ratio_rate1h / on (slo) (1 - slo:objective:ratio)", "{{slo}} 1h"),
            Query("slo:sli_error:ratio_rate5m / on (slo) (1 - slo:objective:ratio)", "{{slo}} 5m"),
            unit="none",
            steps=BURN_STEPS,
            description="1 spends the budget in exactly 30 days. Both above 14.4 is a page: within "
            "an hour 2 % of the month are gone. When 5m has fallen below, the cause is over.",
        ),
        timeseries(
            "Burn rate, last 6 hours and last 3 days",
            Query("slo:sli_error:ratio_rate6h / on (slo) (1 - slo:objective:ratio)", "{{slo}} 6h"),
            Query("slo:sli_error:ratio_rate3d / on (slo) (1 - slo:objective:ratio)", "{{slo}} 3d"),
            unit="none",
            steps=BURN_STEPS,
            description="6 over 6 hours is a page, 1 over 3 days a ticket: something fails seldom "
            "but steadily. Look for it in SwapShop / API by route, or in the dead letters.",
        ),
        timeseries(
            "Bad events, last 5 minutes",
            Query("slo:sli_error:ratio_rate5m", "{{slo}}"),
            unit="percentunit",
            maximum=1,
            description="Share of events that break their objective: 5xx, answers beyond 0.25 s, "
            "notifications beyond 120 s, dead letters, seconds without a poller. The one that rose "
            "first is the cause.",
        ),
        timeseries(
            "Events judged",
            Query("slo:sli_events:rate5m * 60", "{{slo}}"),
            unit="cpm",
            description="Events per minute that the objectives are measured on. With few of them a "
            "single failure weighs much, and the alerts keep silent by their traffic gate.",
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
            "backlog, see SwapShop / Pipeline. Created at 0 in business hours: customers cannot "
            "order, see SwapShop / API.",
        ),
        timeseries(
            "Orders by state",
            Query('max(swapshop_orders{estado="PENDING"})', "PENDING"),
            Query('max(swapshop_deliveries{state="READY"})', "delivery READY"),
            Query('max(swapshop_deliveries{state="LEASED"})', "delivery LEASED"),
            Query("max(swapshop_orders_late)", "late"),
            unit="short",
            description="PENDING waits for a poller's lease, READY for the next attempt, LEASED "
            "for the receiver's answer; late is older than 120 s. Where one of them only climbs, "
            "open SwapShop / Pipeline: the poller or the receiver stands still.",
        ),
        timeseries(
            "From order to notification",
            *percentiles(f"max by (le) ({LATENCIES})"),
            unit="s",
            steps=[(None, "green"), (120, "red")],
            description="Of the orders that were notified. 99 % are promised within 120 s; with "
            "the poller as a CronJob up to 20 s are normal. Orders that still wait are not in it: "
            "see the oldest age.",
        ),
        timeseries(
            "Alerts",
            Query(
                f"count by (alertname, severity, alertstate) (ALERTS{{{OURS}}})",
                "{{alertname}} {{severity}} {{alertstate}}",
            ),
            unit="short",
            stacked=True,
            description="Pending and firing alerts over time; the first one to rise is nearest to "
            "the cause. Open the page of its name below docs/runbooks.",
        ),
    ]


def _parts() -> Section:
    return "Parts", [
        timeseries(
            "Pods that answer Prometheus",
            Query('sum by (job) (up{job=~"swapshop-.+"})', "{{job}}"),
            unit="short",
            width=8,
            description="A part at 0 is down, or Prometheus may not reach it (network policy). A "
            "CronJob's poller is not listed. kubectl get pods tells which.",
        ),
        stat(
            "Versions",
            Query("count by (service, version) (swapshop_build_info)", "{{service}} {{version}}"),
            unit="short",
            steps=PLAIN,
            width=8,
            description="Pods by version. Two versions of a service stay only while a rollout "
            "lasts; otherwise kubectl rollout status tells what it waits for.",
        ),
        stat(
            "Database flushes every COMMIT",
            Query("min by (pool) (swapshop_database_durable)", "{{pool}}"),
            unit="bool_yes_no",
            steps=[(None, "red"), (1, "green")],
            width=8,
            description="No means that a power cut can lose orders that were answered 201: see the "
            "runbook DatabaseNotDurable.",
        ),
    ]
