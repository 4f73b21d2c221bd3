"""Export of spans, and the cost of a failing collector."""

import math
from collections.abc import Sequence

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from support.servers.python_programs import json_lines
from swapshop_kit.statement_spans import describe
from swapshop_kit.trace_export import OneLineExporter, OwnDecision

_BATCH = (ReadableSpan("work"), ReadableSpan("work"))


class _Collector(SpanExporter):
    def __init__(self) -> None:
        self.is_up = True
        self.tries = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.tries += 1
        return SpanExportResult.SUCCESS if self.is_up else SpanExportResult.FAILURE


def test_an_outage_is_two_lines_however_long_it_lasts() -> None:
    collector = _Collector()
    exporter = OneLineExporter(collector)
    with structlog.testing.capture_logs() as lines:
        for is_up in (True, False, False, False, True, True):
            collector.is_up = is_up
            exporter.export(_BATCH)

    assert [(line["event"], line.get("lost")) for line in lines] == [
        ("traces.export_failed", None),
        ("traces.export_recovered", 6),
    ]


def test_a_process_that_ends_tries_nothing_after_a_failure() -> None:
    collector = _Collector()
    exporter = OneLineExporter(collector)
    exporter.end()
    assert exporter.export(_BATCH) is SpanExportResult.SUCCESS
    collector.is_up = False
    for _ in range(4):
        assert exporter.export(_BATCH) is SpanExportResult.FAILURE

    assert collector.tries == 2


@pytest.mark.parametrize("ratio", [0.0, 0.1, 1.0])
def test_no_trace_id_is_preferred(ratio: float) -> None:
    count = 4000
    decide = OwnDecision(ratio).should_sample
    taken = sum(
        decide(None, 1, "GET /", SpanKind.SERVER).decision.is_sampled() for _ in range(count)
    )
    assert abs(taken - ratio * count) <= 6 * math.sqrt(count * ratio * (1 - ratio))


@pytest.mark.parametrize(
    ("statement", "described"),
    [
        ("INSERT INTO orders (id) VALUES (%s)", ("INSERT", "orders")),
        ("SELECT a, b \nFROM `orders` WHERE c IN (%s)", ("SELECT", "orders")),
        ("UPDATE deliveries SET state=%s", ("UPDATE", "deliveries")),
        ("DELETE FROM leases WHERE token = %s", ("DELETE", "leases")),
        ("SELECT 1", ("SELECT", None)),
        ("", ("", None)),
    ],
)
def test_a_statement_is_named_by_its_operation_and_table(
    statement: str, described: tuple[str, str | None]
) -> None:
    assert describe(statement) == described


@pytest.mark.parametrize(
    ("service", "sdk"),
    [
        # redis-py imports the metrics module even if it is not used
        ("api", "opentelemetry.sdk.trace"),
        ("receiver", "opentelemetry.sdk.trace"),
        ("poller", "opentelemetry.sdk"),
    ],
)
def test_without_an_endpoint_no_tracer_is_loaded(service: str, sdk: str) -> None:
    (line,) = json_lines(
        f"""
        import json
        import sys
        import swapshop_{service}.app
        from swapshop_kit.telemetry import configure_tracing, is_tracing

        configure_tracing("shop", None, 1.0)
        loaded = [name for name in sys.modules if name.startswith(
            ("{sdk}", "opentelemetry.exporter", "google.protobuf", "requests")
        )]
        print(json.dumps({{"loaded": loaded, "tracing": is_tracing()}}))
        """
    )
    assert line == {"loaded": [], "tracing": False}
