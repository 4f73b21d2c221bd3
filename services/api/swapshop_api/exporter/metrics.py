"""The metrics of the pipeline, as Prometheus scrapes them: figures of the last snapshot."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from swapshop_api.exporter.figures import (
    LATENCY_BUCKETS,
    Deadlines,
    Figures,
    Latencies,
    Losses,
    Snapshot,
)

_BOUNDS: Final = (*(str(float(bound)) for bound in LATENCY_BUCKETS), "+Inf")


class PipelineCollector(Collector):
    """Shows the last snapshot; while there is none, only how often it failed."""

    def __init__(self) -> None:
        self._shown: Snapshot | None = None
        self._errors = 0

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot in place of the one before."""
        self._shown = snapshot

    def fail(self) -> None:
        """Show nothing until the next snapshot, and count a failure."""
        self._shown = None
        self.count_error()

    def count_error(self) -> None:
        """Count a failure that costs no more than the figure it is of."""
        self._errors += 1

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry does not ask for figures when it takes the collector."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "swapshop_pipeline_collect_errors",
            "Snapshots that failed; the figures that are missing are absent meanwhile.",
            value=self._errors,
        )
        shown = self._shown  # a scrape shows one snapshot, whatever is shown meanwhile
        if shown is not None:
            yield from _gauges(shown.figures)
            yield from _losses(shown.losses) if shown.losses else ()
            yield from _counters(shown.figures)
            yield _latencies(shown.latencies)
            yield _deadlines(shown.deadlines)
            yield _gauge(
                "swapshop_pipeline_collect_duration_seconds",
                "How long the last snapshot took.",
                shown.seconds,
            )


def _gauges(figures: Figures) -> Iterator[Metric]:
    yield _by_label("swapshop_orders", "Orders by state.", "estado", figures.orders)
    yield _gauge(
        "swapshop_orders_blocked",
        "PENDING orders that could not be promoted and wait for an operator.",
        figures.blocked,
    )
    yield _gauge(
        "swapshop_orders_late", "Orders older than 120 s whose delivery is not DONE.", figures.late
    )
    yield _gauge(
        "swapshop_orders_given_up",
        "Orders older than 120 s whose delivery is DEAD.",
        figures.given_up,
    )
    yield _gauge(
        "swapshop_oldest_undelivered_age_seconds",
        "Age of the oldest order that is PENDING, or whose delivery is READY or LEASED.",
        figures.oldest_age,
    )
    yield _by_label("swapshop_deliveries", "Deliveries by state.", "state", figures.deliveries)
    if figures.poller_age is not None:
        yield _gauge(
            "swapshop_poller_last_success_age_seconds",
            "Time since a poller last asked for deliveries and was answered.",
            figures.poller_age,
        )


def _losses(losses: Losses) -> Iterator[Metric]:
    yield _gauge(
        "swapshop_orders_unaccounted",
        "Orders that are not PENDING, not notified and have no open delivery; must be 0.",
        losses.unaccounted,
    )
    yield _gauge(
        "swapshop_orders_processed_without_delivery",
        "Orders PROCESSED in the last 80 days that have no delivery; must be 0.",
        losses.without_delivery,
    )


def _counters(figures: Figures) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "swapshop_deliveries_leased",
        "Claims of deliveries by pollers.",
        value=figures.claims.leased,
    )
    yield CounterMetricFamily(
        "swapshop_deliveries_delivered",
        "Claims that were reported delivered.",
        value=figures.claims.delivered,
    )
    yield CounterMetricFamily(
        "swapshop_lease_expirations",
        "Claims that ran out before their report.",
        value=figures.expirations,
    )
    dead = CounterMetricFamily(
        "swapshop_dead_letters", "Deliveries that became DEAD.", labels=["reason"]
    )
    for reason, count in figures.dead_letters.items():
        dead.add_metric([reason], count)
    yield dead


def _latencies(latencies: Latencies) -> Metric:
    cumulative = accumulate(latencies.counts)
    return HistogramMetricFamily(
        "swapshop_order_notification_latency_seconds",
        "Time from an order's creation to its stored notification, each order once.",
        buckets=list(zip(_BOUNDS, cumulative, strict=True)),
        sum_value=latencies.seconds,
    )


def _deadlines(deadlines: Deadlines) -> Metric:
    metric = CounterMetricFamily(
        "swapshop_order_notification_deadlines",
        "Orders whose 120 s have passed, by whether they were notified within.",
        labels=["result"],
    )
    metric.add_metric(["met"], deadlines.met)
    metric.add_metric(["missed"], deadlines.missed)
    return metric


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)


def _by_label(name: str, documentation: str, label: str, counts: Mapping[str, int]) -> Metric:
    metric = GaugeMetricFamily(name, documentation, labels=[label])
    for value, count in counts.items():
        metric.add_metric([value], count)
    return metric
