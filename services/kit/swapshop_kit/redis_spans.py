"""Spans for the Redis commands and pipelines of sampled requests."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline

_tracer = trace.get_tracer("swapshop_kit.redis")
_SCRIPTS: Final = ("EVALSHA", "FCALL")


class TracedRedis(Redis):
    """Creates spans by OpenTelemetry's conventions for Redis, without keys or values."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command, in its own span if the current one is sampled."""
        name = str(args[0]).upper()
        more = {"db.stored_procedure.name": str(args[1])} if name in _SCRIPTS else {}
        with _span(self.connection_pool, name, more):
            return await super().execute_command(*args, **options)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Return a pipeline whose execution is one span."""
        return _TracedPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )


class _TracedPipeline(Pipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        names = {str(command[0][0]).upper() for command in self.command_stack}
        operation = f"PIPELINE {names.pop()}" if len(names) == 1 else "PIPELINE"
        more = {"db.operation.batch.size": len(self.command_stack)}
        with _span(self.connection_pool, operation, more):
            return await super().execute(raise_on_error)


@contextmanager
def _span(pool: ConnectionPool, name: str, more: Mapping[str, str | int]) -> Generator[None]:
    if not trace.get_current_span().is_recording():
        yield
        return
    with _tracer.start_as_current_span(
        name,
        kind=SpanKind.CLIENT,
        attributes={**_constant_attributes(pool), "db.operation.name": name, **more},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise


def _constant_attributes(pool: ConnectionPool) -> dict[str, str | int]:
    given = pool.connection_kwargs
    attributes: dict[str, str | int] = {
        "db.system.name": "redis",
        "db.namespace": str(given.get("db", 0)),
    }
    if "host" in given:
        attributes["server.address"] = given["host"]
        attributes["server.port"] = given.get("port", 6379)
    return attributes
