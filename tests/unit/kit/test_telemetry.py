"""Traces: ids are passed on even while tracing is off."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from swapshop_kit.telemetry import (
    configure_tracing,
    current_traceparent,
    trace_headers,
    trace_id_of,
    untraced,
)

_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
_SPAN_ID = "00f067aa0ba902b7"
_hex = st.text("0123456789abcdef")


def test_the_trace_id_of_a_traceparent() -> None:
    assert trace_id_of(f"00-{_TRACE_ID}-{_SPAN_ID}-01") == _TRACE_ID


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        _TRACE_ID,
        f"01-{_TRACE_ID}-{_SPAN_ID}-01",
        f"ff-{_TRACE_ID}-{_SPAN_ID}-01",
        f"00-{_TRACE_ID.upper()}-{_SPAN_ID}-01",
        f"00-{'0' * 32}-{_SPAN_ID}-01",
        f"00-{_TRACE_ID}-{'0' * 16}-01",
        f"00-{_TRACE_ID}-{_SPAN_ID}-1",
        f"00-{_TRACE_ID}-{_SPAN_ID}-01-more",
        f"00-{_TRACE_ID}-{_SPAN_ID}-01\n",
        f" 00-{_TRACE_ID}-{_SPAN_ID}-01",
    ],
)
def test_any_other_header_has_none(header: str | None) -> None:
    assert trace_id_of(header) is None


@given(st.tuples(st.just("00"), _hex, _hex, _hex).map("-".join) | st.text())
def test_what_we_read_opentelemetry_reads_alike(header: str) -> None:
    found = trace_id_of(header)
    if found is not None:
        context = TraceContextTextMapPropagator().extract({"traceparent": header})
        span = trace.get_current_span(context).get_span_context()
        assert format(span.trace_id, "032x") == found


def test_without_any_trace_nothing_is_carried_onward() -> None:
    assert current_traceparent() is None
    assert trace_headers(None) == {}
    assert trace_headers("") == {}


def test_an_untraced_block_carries_its_id_and_gives_it_back() -> None:
    with untraced(_TRACE_ID):
        first, second = current_traceparent(), current_traceparent()
        with untraced("f" * 32):
            inner = current_traceparent()
        assert trace_id_of(current_traceparent()) == _TRACE_ID

    assert trace_id_of(first) == trace_id_of(second) == _TRACE_ID
    assert first != second
    assert trace_id_of(inner) == "f" * 32
    assert re.fullmatch(f"00-{_TRACE_ID}-[0-9a-f]{{16}}-00", first or "")
    assert current_traceparent() is None
    assert trace_headers(first) == {"traceparent": first}


def test_a_real_span_comes_before_the_untraced_id() -> None:
    tracer = TracerProvider().get_tracer("test")
    with untraced(_TRACE_ID), tracer.start_as_current_span("work") as span:
        carried = current_traceparent()

    context = span.get_span_context()
    assert (carried or "").startswith(f"00-{context.trace_id:032x}-{context.span_id:016x}-")


def test_without_an_endpoint_nothing_is_configured() -> None:
    before = trace.get_tracer_provider()
    configure_tracing("shop", None, 1.0)

    assert trace.get_tracer_provider() is before
