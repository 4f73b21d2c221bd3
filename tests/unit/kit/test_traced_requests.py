"""With tracing on, the log line of a request has the trace id of its spans."""

from support.servers.python_programs import json_lines

_PROGRAM = """
    import asyncio
    import json
    import httpx
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from swapshop_kit import web
    from swapshop_kit.logging import configure_logging
    from swapshop_kit.telemetry import current_traceparent

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    configure_logging("shop")
    router = web.router(tag="toys")

    @router.get("/toys/{number}")
    async def read(number: int) -> str | None:
        return current_traceparent()

    async def main() -> None:
        transport = httpx.ASGITransport(web.create_app("t", "1", [router], trusted_callers=True))
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            given = await client.get("/toys/1", headers={"traceparent": parent})
            fresh = await client.get("/toys/1")
        spans = [
            {"event": "span", "name": span.name, "trace_id": format(span.context.trace_id, "032x"),
             "span_id": format(span.context.span_id, "016x")}
            for span in exporter.get_finished_spans()
        ]
        headers = [answer.json()[:52] for answer in (given, fresh)]
        for each in (*spans, {"event": "onward", "headers": headers}):
            print(json.dumps(each))

    asyncio.run(main())
"""


def test_log_lines_carry_the_trace_of_the_requests_span() -> None:
    lines = json_lines(_PROGRAM)
    logs = [line for line in lines if line["event"] == "request"]
    spans = [line for line in lines if line["event"] == "span"]
    onward = lines[-1]["headers"]

    assert [span["name"] for span in spans] == ["GET /toys/{number}"] * 2
    assert logs[0]["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert logs[1]["trace_id"] != logs[0]["trace_id"]
    assert [(log["trace_id"], log["span_id"]) for log in logs] == [
        (span["trace_id"], span["span_id"]) for span in spans
    ]
    assert onward == [f"00-{span['trace_id']}-{span['span_id']}" for span in spans]


def test_an_endpoint_gets_the_spans_of_a_named_service() -> None:
    (line,) = json_lines(
        """
        import json
        import threading
        from http.server import BaseHTTPRequestHandler, HTTPServer
        from opentelemetry import trace
        from swapshop_kit.telemetry import configure_tracing

        class Collector(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        received = []
        server = HTTPServer(("127.0.0.1", 0), Collector)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        configure_tracing("the-shop", f"http://127.0.0.1:{server.server_port}/", 1.0)
        with trace.get_tracer("test").start_as_current_span("the-work"):
            pass
        trace.get_tracer_provider().shutdown()
        server.shutdown()
        ((path, body),) = received
        print(json.dumps({"path": path, "named": b"the-shop" in body, "span": b"the-work" in body}))
        """
    )

    assert line == {"path": "/v1/traces", "named": True, "span": True}
