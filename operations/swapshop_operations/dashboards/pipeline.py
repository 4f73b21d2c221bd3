"""The way from an order to its notification: where orders wait, how long, and which fail."""

from typing import Any, Final

from swapshop_operations.dashboards.boards import Section, dashboard
from swapshop_operations.dashboards.panels import (
    MUST_BE_ZERO,
    SHOULD_BE_ZERO,
    Query,
    heatmap,
    percentiles,
    stat,
    timeseries,
)

BACKLOG: Final = (
    'max(swapshop_orders{estado="PENDING"}) - max(swapshop_orders_blocked)'
    ' + sum(max by (state) (swapshop_deliveries{state=~"READY|LEASED"}))'
)
DELIVERED: Final = "max(rate(swapshop_deliveries_delivered_total[$__rate_interval]))"


def board() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    return dashboard(
        "pipeline",
        "SwapShop / Pipeline",
        "Where do orders wait, for how long, and what was given up?",
        [_now(), _backlog(), _latency(), _deliveries(), _poller(), _receiver(), _exporter()],
    )


def _now() -> Section:
    return "Now", [
        stat(
            "Undelivered",
            Query(BACKLOG, "orders"),
            unit="short",
            description="Orders that are PENDING or whose delivery is READY or LEASED, without "
            "blocked orders. This must return to 0 between rushes.",
        ),
        stat(
            "Oldest",
            Query("max(swapshop_oldest_undelivered_age_seconds)", "age"),
            unit="s",
            steps=[(None, "green"), (90, "yellow"), (120, "red")],
            description="Age of the oldest undelivered order. It grows by a second each second "
            "while nothing is delivered; then check the poller and the receiver.",
        ),
        stat(
            "Late",
            Query("max(swapshop_orders_late)", "orders"),
            unit="short",
            steps=SHOULD_BE_ZERO,
            description="Orders older than 120 s that are not delivered, including dead and "
            "blocked ones. See the runbook NotificationsStuck.",
        ),
        stat(
            "Drain time",
            Query(f"({BACKLOG}) / ({DELIVERED} > 0)", "time left"),
            unit="s",
            steps=[(None, "green"), (60, "yellow"), (120, "red")],
            no_value="no delivery",
            description="Backlog divided by the delivery rate: the time until everything that "
            "waits is delivered. If it grows, run the poller as a Deployment or raise its "
            "concurrency.",
        ),
        stat(
            "Blocked",
            Query("max(swapshop_orders_blocked)", "orders"),
            unit="short",
            steps=SHOULD_BE_ZERO,
            description="Orders that could not be promoted and wait until an operator marks them "
            "processed: see the runbook OrdersBlocked.",
        ),
        stat(
            "Unaccounted or without delivery",
            Query(
                "max(swapshop_orders_unaccounted) + "
                "max(swapshop_orders_processed_without_delivery)",
                "orders",
            ),
            unit="short",
            steps=MUST_BE_ZERO,
            description="Lost orders. This must be 0; if it is not, keep the database as it is "
            "and follow the runbook OrdersUnaccounted.",
        ),
    ]


def _backlog() -> Section:
    return "Backlog", [
        timeseries(
            "Undelivered orders, by what they wait for",
            Query('max(swapshop_orders{estado="PENDING"})', "PENDING: a poller's lease"),
            Query('max(swapshop_deliveries{state="READY"})', "READY: the next attempt"),
            Query('max(swapshop_deliveries{state="LEASED"})', "LEASED: the receiver's answer"),
            unit="short",
            stacked=True,
            description="PENDING piles up without a poller, and while the receiver is down: then "
            "pollers try a few orders and leave the rest. The time since a poller was answered "
            "shows which. LEASED for long: the receiver is slow, or pollers die.",
        ),
        timeseries(
            "Age of the oldest undelivered order",
            Query("max(swapshop_oldest_undelivered_age_seconds)", "oldest"),
            unit="s",
            steps=[(None, "green"), (120, "red")],
            description="A straight climb means that nothing is delivered; the bend marks when "
            "deliveries resumed. A saw-tooth up to 20 s is the CronJob's rhythm.",
        ),
        timeseries(
            "Late, blocked and dead",
            Query("max(swapshop_orders_late)", "late"),
            Query("max(swapshop_orders_blocked)", "blocked"),
            Query('max(swapshop_deliveries{state="DEAD"})', "dead"),
            unit="short",
            description="Late orders that are neither blocked nor dead will still be delivered. "
            "Blocked and dead ones wait for an operator: see the page Deliveries, or the runbook "
            "DeadLetters.",
        ),
        timeseries(
            "Dead letters by reason",
            Query(
                "max by (reason) (increase(swapshop_dead_letters_total[$__rate_interval]))",
                "{{reason}}",
            ),
            unit="short",
            description="conflict: the id is stored with other content. malformed: the receiver "
            "refuses the event. exhausted: three days of errors. poison: pollers died while they "
            "held it. Fix the cause, then redrive.",
        ),
    ]


def _latency() -> Section:
    buckets = "swapshop_order_notification_latency_seconds_bucket[$__rate_interval]"
    return "From order to notification", [
        heatmap(
            "Latency",
            Query(f"max by (le) (increase({buckets}))", "{{le}}"),
            unit="s",
            description="Orders by the time from their creation to their stored notification. One "
            "band is healthy; a second band far above it is a backlog that was worked off.",
        ),
        timeseries(
            "Percentiles",
            *percentiles(f"max by (le) (rate({buckets}))"),
            unit="s",
            steps=[(None, "green"), (120, "red")],
            description="Notified orders only, at the time of the notification. p99 near 20 s "
            "is the pause between two runs of the CronJob; with a Deployment it is below 5 s.",
        ),
        timeseries(
            "Deadlines of 120 s",
            Query(
                "max by (result) "
                "(rate(swapshop_order_notification_deadlines_total[$__rate_interval])) * 60",
                "{{result}}",
            ),
            unit="cpm",
            width=24,
            description="Orders per minute that passed their deadline of 120 s, by whether they "
            "were notified in time. Missed deadlines spend the budget of the objective "
            "`notified`, even while the order still waits.",
        ),
    ]


def _deliveries() -> Section:
    return "Deliveries", [
        timeseries(
            "Claims and deliveries",
            Query("max(rate(swapshop_deliveries_leased_total[$__rate_interval])) * 60", "claimed"),
            Query(f"{DELIVERED} * 60", "delivered"),
            unit="cpm",
            description="Per minute. Claimed above delivered means that attempts fail: see "
            "Attempts by outcome.",
        ),
        timeseries(
            "Attempts by outcome",
            Query(
                "sum by (outcome) (rate(swapshop_delivery_attempts_total[$__rate_interval])) * 60",
                "{{outcome}}",
            ),
            unit="cpm",
            stacked=True,
            description="away: the receiver did not answer, which does not count against the "
            "delivery. retry: it answered with an error. rejected: it will never accept this "
            "delivery. released: the poller gave the delivery back, for example because it was "
            "shutting down.",
        ),
        timeseries(
            "Expired claims",
            Query("max(increase(swapshop_lease_expirations_total[$__rate_interval]))", "claims"),
            unit="short",
            description="Each is a poller that died, hung or lost the api; its deliveries are "
            "claimed again after the lease. One after a rollout is normal; if it continues, see "
            "the runbook LeasesExpiring.",
        ),
        timeseries(
            "Deliveries by state",
            Query('max by (state) (swapshop_deliveries{state=~"READY|LEASED|DEAD"})', "{{state}}"),
            unit="short",
            description="Without DONE. If READY does not fall although pollers get answers, the "
            "next attempts are due later: see GET /api/deliveries?state=READY.",
        ),
    ]


def _poller() -> Section:
    return "Poller", [
        timeseries(
            "Since a poller was answered",
            Query("min(swapshop_poller_last_success_age_seconds)", "seconds"),
            unit="s",
            steps=[(None, "green"), (180, "red")],
            description="A saw-tooth: up to about 15 s with a Deployment, which is the time "
            "between two snapshots, and 20 s more with a CronJob. If it climbs, the CronJob is "
            "suspended, its pods fail, or the api refuses them: see the runbook PollerStale.",
        ),
        timeseries(
            "Duration of a webhook, p99",
            Query(
                "histogram_quantile(0.99, sum by (le, outcome) "
                "(rate(swapshop_poller_send_duration_seconds_bucket[$__rate_interval])))",
                "{{outcome}}",
            ),
            unit="s",
            description="Only for a poller that runs as a Deployment. away at its time-out: the "
            "receiver cannot be reached; delivered above 1 s: its database is slow.",
        ),
        timeseries(
            "Rounds by ending",
            Query(
                "sum by (ending) (rate(swapshop_poller_rounds_total[$__rate_interval])) * 60",
                "{{ending}}",
            ),
            unit="cpm",
            description="Leases with deliveries, by how they ended; only for a Deployment. An "
            "unusual ending shows which peer is unavailable.",
        ),
        timeseries(
            "Poller errors",
            Query(
                "sum by (peer) "
                "(increase(swapshop_poller_misconfigurations_total[$__rate_interval]))",
                "refused by {{peer}}",
            ),
            Query("sum(increase(swapshop_poller_api_away_total[$__rate_interval]))", "api away"),
            Query(
                "sum(increase(swapshop_poller_unreported_total[$__rate_interval]))",
                "results given up",
            ),
            unit="short",
            description="Only for a Deployment. Refused: a secret or an address is wrong, see the "
            "runbook PeerMisconfigured. Api away: the api did not answer, see SwapShop / API.",
        ),
    ]


def _receiver() -> Section:
    return "Receiver", [
        timeseries(
            "Webhooks",
            Query(
                "sum by (event_type, result) "
                "(rate(swapshop_notifications_stored_total[$__rate_interval])) * 60",
                "{{event_type}} {{result}}",
            ),
            unit="cpm",
            description="duplicate is a delivery that arrived twice and was stored once, as it "
            "should be. conflict is the same id with other content: it becomes a dead letter.",
        ),
        timeseries(
            "Wake-ups of streams",
            Query(
                "sum by (result) "
                "(rate(swapshop_notifications_published_total[$__rate_interval])) * 60",
                "{{result}}",
            ),
            unit="cpm",
            description="failed and skipped delay an event by up to 15 s and do nothing else: "
            "Redis is down, see SwapShop / Redis.",
        ),
        timeseries(
            "Open streams",
            Query("sum(swapshop_notification_streams)", "streams"),
            unit="short",
            description="Open pages. If all vanish at once, the Ingress or the receiver "
            "restarted; they reconnect by themselves within seconds.",
        ),
        timeseries(
            "Pods woken by Redis",
            Query("sum(swapshop_notification_hub_listening)", "listening"),
            Query('count(up{job="swapshop-receiver"})', "pods"),
            unit="short",
            description="A pod that is not subscribed asks the database every 2 s instead: "
            "notifications come later and MySQL has more work. See the runbook StreamsPolling.",
        ),
    ]


def _exporter() -> Section:
    return "Exporter", [
        timeseries(
            "Duration of a snapshot",
            Query("max(swapshop_pipeline_collect_duration_seconds)", "seconds"),
            unit="s",
            steps=[(None, "green"), (10, "red")],
            description="Grows with the number of orders. Above 10 s it is a load on MySQL: see "
            "the runbook SnapshotSlow.",
        ),
        timeseries(
            "Failed snapshots",
            Query(
                "sum(increase(swapshop_pipeline_collect_errors_total[$__rate_interval]))",
                "snapshots",
            ),
            unit="short",
            description="While snapshots fail, the panels above have gaps, never zeros: see the "
            "runbook ExporterFailing.",
        ),
    ]
