"""What a scrape shows of a snapshot."""

from dataclasses import replace

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from support.api.exporter import ERRORS, LATENCY, snapshot_of_one_order
from swapshop_api.exporter.metrics import PipelineCollector


def shown(collector: PipelineCollector) -> list[str]:
    """The lines of a scrape, without comments."""
    registry = CollectorRegistry()
    registry.register(collector)
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_before_the_first_snapshot_nothing_is_0() -> None:
    assert shown(PipelineCollector()) == [f"{ERRORS} 0.0"]


def test_a_failure_takes_everything_away_and_the_next_snapshot_brings_it_back() -> None:
    collector = PipelineCollector()
    collector.show(snapshot_of_one_order())
    before = shown(collector)
    collector.fail()
    assert shown(collector) == [f"{ERRORS} 1.0"]
    collector.show(snapshot_of_one_order())
    assert shown(collector) == [f"{ERRORS} 1.0", *before[1:]]


def test_the_buckets_of_latencies_are_cumulative_and_have_the_deadline() -> None:
    collector = PipelineCollector()
    collector.show(snapshot_of_one_order())
    lines = [line for line in shown(collector) if line.startswith(LATENCY)]
    assert f'{LATENCY}_bucket{{le="90.0"}} 0.0' in lines
    assert f'{LATENCY}_bucket{{le="120.0"}} 1.0' in lines
    assert f'{LATENCY}_bucket{{le="1800.0"}} 1.0' in lines
    assert lines[-3:] == [
        f'{LATENCY}_bucket{{le="+Inf"}} 1.0',
        f"{LATENCY}_count 1.0",
        f"{LATENCY}_sum 119.5",
    ]


def test_without_a_poller_within_a_day_there_is_no_heartbeat() -> None:
    snapshot = snapshot_of_one_order()
    collector = PipelineCollector()
    collector.show(replace(snapshot, figures=replace(snapshot.figures, poller_age=None)))
    assert not [line for line in shown(collector) if "poller_last_success" in line]
