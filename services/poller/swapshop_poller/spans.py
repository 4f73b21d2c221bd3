"""Spans of the poller: rounds, calls to the api, and webhooks."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import httpx
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from swapshop_kit.telemetry import trace_headers

ROUND: Final = "dispatch round"
_propagator: Final = TraceContextTextMapPropagator()
_tracer: Final = trace.get_tracer("swapshop_poller")


@contextmanager
def round_span() -> Generator[None]:
    """Open a span, the root of a new trace, for a lease and the work on it."""
    with _tracer.start_as_current_span(ROUND, context=Context()):
        yield


@contextmanager
def client_span(
    url: str,
    template: str,
    *,
    context: Context | None = None,
    links: Sequence[Link] = (),
) -> Generator[Span]:
    """Open a span for a POST, by OpenTelemetry's conventions for HTTP clients.

    Args:
        url: URL without credentials.
        template: path of the URL without ids.
        context: context of the parent span; the current one by default.
        links: links to other traces.
    """
    parts = urlsplit(url)
    attributes: dict[str, str | int] = {
        "http.request.method": "POST",
        "server.address": parts.hostname or "",
        "server.port": parts.port or {"http": 80, "https": 443}[parts.scheme],
        "url.full": url,
        "url.template": template,
    }
    with _tracer.start_as_current_span(
        f"POST {template}",
        context=context,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            note_failure(span, type(error).__qualname__)
            raise


def note_answer(span: Span, answer: httpx.Response) -> None:
    """Set an answer's status on its span."""
    span.set_attribute("http.response.status_code", answer.status_code)
    if answer.is_error:
        note_failure(span, str(answer.status_code))


def note_failure(span: Span, kind: str) -> None:
    """Mark a span as failed."""
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)


def context_of(traceparent: str | None) -> Context:
    """Return the context of a stored ``traceparent``; empty if it is malformed."""
    return _propagator.extract(dict(trace_headers(traceparent)), Context())


def link_to_round() -> list[Link]:
    """Return the link from a delivery's trace to the round, and so the lease, that sends it."""
    context = trace.get_current_span().get_span_context()
    return [Link(context)] if context.is_valid else []
