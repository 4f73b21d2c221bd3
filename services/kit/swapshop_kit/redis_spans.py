"""A span for each Redis command of a sampled request."""

from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from redis.asyncio import Redis

_tracer = trace.get_tracer("swapshop_kit.redis")
_SCRIPTS: Final = ("EVALSHA", "FCALL")


class TracedRedis(Redis):
    """Makes spans by OpenTelemetry's conventions for Redis; never of keys or values."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command, in a span of its own if the current one is sampled."""
        if not trace.get_current_span().is_recording():
            return await super().execute_command(*args, **options)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped
        name = str(args[0]).upper()
        attributes = {**self._constant_attributes(), "db.operation.name": name}
        if name in _SCRIPTS:
            attributes["db.stored_procedure.name"] = str(args[1])
        with _tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return await super().execute_command(*args, **options)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped
            except BaseException as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(StatusCode.ERROR)
                raise

    def _constant_attributes(self) -> dict[str, str | int]:
        given = self.connection_pool.connection_kwargs
        attributes: dict[str, str | int] = {
            "db.system.name": "redis",
            "db.namespace": str(given.get("db", 0)),
        }
        if "host" in given:
            attributes["server.address"] = given["host"]
            attributes["server.port"] = given.get("port", 6379)
        return attributes
