"""Traces: off, at no cost, unless an OTLP endpoint is set."""

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
"""Trace id of a request while tracing is off, which connects the logs of the services."""

_public_provider: trace.TracerProvider | None = None


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the trace id of a ``traceparent`` header (W3C Trace Context §3.2), else None."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match.group(1) if match else None


@contextmanager
def untraced(trace_id: str) -> Generator[None]:
    """Set the trace id of a block in which tracing is off."""
    token = _untraced_id.set(trace_id)
    try:
        yield
    finally:
        _untraced_id.reset(token)


def current_traceparent() -> str | None:
    """Return the ``traceparent`` for a call or a stored row, if there is a trace."""
    carrier: dict[str, str] = {}
    if trace.get_current_span().get_span_context().is_valid:
        _propagator.inject(carrier)
        return carrier["traceparent"]
    trace_id = _untraced_id.get()
    return f"00-{trace_id}-{secrets.token_hex(8)}-00" if trace_id else None


def configure_tracing(service: str, endpoint: str | None, ratio: float) -> None:
    """Export spans by OTLP over HTTP; without an endpoint do nothing and load nothing.

    Call it before the engine, the Redis client and the applications are created.

    Args:
        service: the resource's ``service.name``.
        endpoint: base URL such as ``http://collector:4318``, or None.
        ratio: share of sampled traces, 0..1; a decision of our own services is kept.
    """
    if endpoint is None:
        return
    from swapshop_kit import trace_export

    global _public_provider  # noqa: PLW0603 - one per process, as the global provider is
    _public_provider = trace_export.start(service, endpoint, ratio)


def is_tracing() -> bool:
    """Return whether spans are exported."""
    return _public_provider is not None


def public_tracer_provider() -> trace.TracerProvider | None:
    """Return the provider for requests of outside callers; None while tracing is off."""
    return _public_provider


def exemplar() -> dict[str, str] | None:
    """Return labels that link a measurement to its trace; None unless the trace is sampled."""
    context = trace.get_current_span().get_span_context()
    if not context.trace_flags.sampled:
        return None
    return {
        "trace_id": format(context.trace_id, "032x"),
        "span_id": format(context.span_id, "016x"),
    }


def trace_headers(traceparent: str | None) -> Mapping[str, str]:
    """Return the headers that continue a stored trace; empty if there is none."""
    return {"traceparent": traceparent} if traceparent else {}
