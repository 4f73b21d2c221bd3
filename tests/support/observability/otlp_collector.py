"""A real OTLP collector for each service, and the spans that it took."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

from support.servers.processes import HOST, free_port

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
ERROR = 2
"""OTLP's status code of a span that failed."""


@dataclass(frozen=True)
class Span:
    """A span as it arrived."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: Mapping[str, str | int]
    links: tuple[tuple[str, str], ...]
    failed: bool
    message: str
    """All of it as text, to look for what must not be there."""


@dataclass
class Collector:
    """A collector's endpoint and what it has taken."""

    endpoint: str
    spans: list[Span] = field(default_factory=list[Span])

    def named(self, name: str) -> list[Span]:
        """The spans of a name, oldest arrival first."""
        return [span for span in self.spans if span.name == name]

    @property
    def environment(self) -> dict[str, str]:
        """Settings that send every trace here, within a fraction of a second."""
        return {
            "OTLP_ENDPOINT": self.endpoint,
            "TRACE_RATIO": "1",
            "OTEL_BSP_SCHEDULE_DELAY": "100",  # milliseconds
        }


@asynccontextmanager
async def collecting() -> AsyncGenerator[Collector]:
    """Runs a collector."""
    port = free_port()
    collector = Collector(f"http://{HOST}:{port}")
    settings = OtelTapHttpProtobufReceiverSettings(http_port=port)
    async with OtelTapHttpProtobufReceiver(settings) as receiver, asyncio.TaskGroup() as tasks:

        async def take() -> None:
            async for message in receiver.stream_traces():
                collector.spans.append(_read(message))

        task = tasks.create_task(take())
        try:
            yield collector
        finally:
            task.cancel()


def _read(message: Message) -> Span:
    attributes: dict[str, str | int] = {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
        for each in message.attributes
    }
    return Span(
        name=message.name,
        kind=KINDS[message.kind],
        trace_id=message.trace_id.hex(),
        span_id=message.span_id.hex(),
        parent_id=message.parent_span_id.hex(),
        attributes=attributes,
        links=tuple((each.trace_id.hex(), each.span_id.hex()) for each in message.links),
        failed=message.status.code == ERROR,
        message=str(message),
    )
