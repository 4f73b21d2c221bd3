"""The operations port: liveness, readiness and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel

State = Literal["up", "away", "read-only"]
"""State of a dependency; a read-only database still answers reads."""

Check = Callable[[], Awaitable[bool | State]]
"""Returns the state of a dependency; True means up, False means away."""


class Readiness(BaseModel):
    """Whether the service takes requests, and the state of its dependencies."""

    ready: bool
    draining: bool
    dependencies: dict[str, State]


@dataclass
class Health:
    """Readiness: true once every required dependency has answered, until the drain begins.

    A later outage is reported but changes nothing: with every pod unready, the ingress would hide
    the service's own 503 and its cached answers.

    Args:
        required: checks of dependencies that must answer once.
        optional: checks of dependencies that are only reported.
    """

    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict[str, Check])
    draining: bool = False
    _seen: set[str] = field(default_factory=set[str])

    async def readiness(self) -> Readiness:
        """Run all checks concurrently; each check has its own time-out."""
        checks = {**self.required, **self.optional}
        answers = await asyncio.gather(*(check() for check in checks.values()))
        states: dict[str, State] = {
            name: _as_state(answer) for name, answer in zip(checks, answers, strict=True)
        }
        self._seen.update(name for name, state in states.items() if state != "away")
        ready = not self.draining and self._seen >= set(self.required)
        return Readiness(ready=ready, draining=self.draining, dependencies=states)


def _as_state(answer: bool | State) -> State:
    if isinstance(answer, bool):
        return "up" if answer else "away"
    return answer


def operations_router(health: Health) -> APIRouter:
    """Create the routes of the operations port."""
    router = APIRouter(tags=["operations"])

    @router.get("/livez")
    async def livez() -> dict[str, bool]:
        """Answer as long as the event loop runs."""
        return {"live": True}

    @router.get("/readyz", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        """Return whether to send requests here, and which dependency is away."""
        readiness = await health.readiness()
        response.status_code = 200 if readiness.ready else 503
        return readiness

    @router.get("/metrics", response_class=Response)
    async def metrics(request: Request) -> Response:
        """Return the metrics in the format that the caller prefers; OpenMetrics has exemplars."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(REGISTRY), media_type=content_type)

    return router
