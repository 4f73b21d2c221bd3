"""Spans for the SQL statements of sampled requests."""

import functools
import re
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from sqlalchemy import event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

_tracer = trace.get_tracer("swapshop_kit.database")
_TARGET: Final = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+[`\"]?(\w+)", re.IGNORECASE)
_SPAN: Final = "_swapshop_span"


@functools.lru_cache(maxsize=512)
def describe(statement: str) -> tuple[str, str | None]:
    """Return a statement's operation, such as INSERT, and its first table, if it has one."""
    words = statement.split(maxsplit=1)
    target = _TARGET.search(statement)
    return words[0].upper() if words else "", target.group(1) if target else None


def trace_statements(engine: AsyncEngine) -> None:
    """Create spans by OpenTelemetry's conventions, without parameters or the text of errors.

    A statement outside a sampled span gets none: probes and clean-ups are not traced.
    """
    constant = _constant_attributes(engine.url, engine.dialect.name)

    @event.listens_for(engine.sync_engine, "before_cursor_execute", named=True)
    def begin(*, statement: str, context: Any, **_: Any) -> None:
        if not trace.get_current_span().is_recording():
            return
        operation, table = describe(statement)
        summary = f"{operation} {table}" if table else operation
        attributes = {
            **constant,
            "db.operation.name": operation,
            "db.query.summary": summary,
            "db.query.text": statement,
        }
        if table:
            attributes["db.collection.name"] = table
        span = _tracer.start_span(summary, kind=SpanKind.CLIENT, attributes=attributes)
        setattr(context, _SPAN, span)

    @event.listens_for(engine.sync_engine, "after_cursor_execute", named=True)
    def end(*, context: Any, **_: Any) -> None:
        span = _take(context)
        if span:
            span.end()

    @event.listens_for(engine.sync_engine, "handle_error")
    def fail(failure: ExceptionContext) -> None:
        span = _take(failure.execution_context)
        if span:
            # Without its text: "Duplicate entry 'ana@example.com'" is personal data.
            span.set_attribute("error.type", type(failure.original_exception).__qualname__)
            span.set_status(StatusCode.ERROR)
            span.end()


def _take(context: Any) -> Span | None:
    span: Span | None = context.__dict__.pop(_SPAN, None) if context is not None else None
    return span


def _constant_attributes(url: URL, system: str) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {"db.system.name": system}
    if system != "sqlite" and url.database:
        attributes["db.namespace"] = url.database
    if url.host:
        attributes["server.address"] = url.host
        attributes["server.port"] = url.port or 3306
    return attributes
