"""Traces: off, and free of cost, unless an OTLP endpoint is set."""

import re
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_TRACEPARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_propagator = TraceContextTextMapPropagator()
_untraced_id: ContextVar[str | None] = ContextVar("untraced_id", default=None)
"""The trace id of a request while no tracer runs: logs still meet across services."""


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the trace id of a ``traceparent`` header (W3C Trace Context §3.2), else None."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match.group(1) if match else None


@contextmanager
def untraced(trace_id: str) -> Generator[None]:
    """Hold a trace id for a block that no tracer covers."""
    token = _untraced_id.set(trace_id)
    try:
        yield
    finally:
        _untraced_id.reset(token)


def current_traceparent() -> str | None:
    """Return the ``traceparent`` that a call or a stored row should carry onward, if any."""
    carrier: dict[str, str] = {}
    if trace.get_current_span().get_span_context().is_valid:
        _propagator.inject(carrier)
        return carrier["traceparent"]
    trace_id = _untraced_id.get()
    return f"00-{trace_id}-{secrets.token_hex(8)}-00" if trace_id else None


def configure_tracing(service: str, endpoint: str | None, ratio: float) -> None:
    """Export spans by OTLP over HTTP; without an endpoint do nothing.

    Args:
        service: the resource's ``service.name``.
        endpoint: base URL such as ``http://collector:4318``, or None.
        ratio: the share of new traces that is sampled, 0..1; a caller's decision is kept.
    """
    if endpoint is None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(
        resource=Resource.create({"service.name": service}),
        sampler=ParentBased(TraceIdRatioBased(ratio)),
    )
    # Its tries again and again for so long hold up the end of a process whose collector is away.
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=2)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def trace_headers(traceparent: str | None) -> Mapping[str, str]:
    """Return the header that continues a stored trace; none when there is nothing to continue."""
    return {"traceparent": traceparent} if traceparent else {}
