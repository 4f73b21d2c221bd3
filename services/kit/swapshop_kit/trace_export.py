"""Send spans to an OTLP collector. Imported only if an endpoint is set, as it loads the SDK."""

import atexit
import logging
import random
from collections.abc import Sequence
from typing import Final

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

EXPORT_SECONDS: Final = 2.0
"""Time-out of a batch, including its retries."""

_NOISY: Final = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk._shared_internal",
    "urllib3.connectionpool",
)
_log = structlog.get_logger()


class OwnDecision(Sampler):
    """Samples at random, whatever flag or trace id the caller sends.

    It is for outside callers: neither the flag of a ``traceparent`` nor a trace id that a ratio
    sampler always accepts may make us record more than our share.

    Args:
        ratio: share of sampled traces, 0..1.
    """

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide at random; the arguments have no effect."""
        is_taken = random.random() < self._ratio
        decision = Decision.RECORD_AND_SAMPLE if is_taken else Decision.DROP
        return SamplingResult(decision, attributes if is_taken else None, trace_state)

    def get_description(self) -> str:
        """Return the sampler's name for the SDK."""
        return f"OwnDecision{{{self._ratio}}}"


class OneLineExporter(SpanExporter):
    """Logs once that the collector is away and once that it is back, not for every batch.

    Args:
        exporter: sends the batches; must return FAILURE instead of raising.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0
        self._is_shutting_down = False

    def end(self) -> None:
        """Send nothing more after a failure, since the process is ending."""
        self._is_shutting_down = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; after a failure it is lost."""
        if self._is_shutting_down and self._lost:
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            if not self._lost:
                _log.warning("traces.export_failed", spans=len(spans))
            self._lost += len(spans)
        elif self._lost:
            _log.warning("traces.export_recovered", lost=self._lost)
            self._lost = 0
        return result

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()


def start(service: str, endpoint: str, ratio: float) -> TracerProvider:
    """Start exporting spans; the rest is sent when the process ends.

    A collector that is away delays the end by at most twice EXPORT_SECONDS.

    Args:
        service: the resource's ``service.name``.
        endpoint: base URL such as ``http://collector:4318``.
        ratio: share of sampled traces, 0..1.

    Returns:
        The provider for requests of outside callers. All other spans use the global provider,
        which keeps the decision of the parent.
    """
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    resource = Resource.create({"service.name": service})
    url = f"{endpoint.rstrip('/')}/v1/traces"
    exporter = OneLineExporter(OTLPSpanExporter(endpoint=url, timeout=EXPORT_SECONDS))
    processor = BatchSpanProcessor(exporter)
    samplers = (ParentBased(TraceIdRatioBased(ratio)), OwnDecision(ratio))
    ours, public = (
        TracerProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
        for sampler in samplers
    )
    for provider in (ours, public):
        provider.add_span_processor(processor)

    def flush() -> None:
        exporter.end()
        processor.shutdown()

    atexit.register(flush)
    trace.set_tracer_provider(ours)
    return public
