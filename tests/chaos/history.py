"""The operations of a run's clients: the only input of the checker."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal[
    "create", "reuse", "read", "mark", "orders", "notifications", "stream", "event", "dead"
]
Outcome = Literal["ok", "fail", "unknown"]
"""``fail``: the answer promises that nothing was changed; ``unknown``: it may have been."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One request and its answer, or one event of a stream.

    What ``subject`` and ``value`` hold depends on the kind:

    - ``create``: the order's ``cliente``, unique to it; the order.
    - ``reuse``: the same, of an order that is sent with the key of another one; the answer.
    - ``read``, ``mark``: the order's id; the order.
    - ``orders``: the state asked for, or nothing; every order of every page.
    - ``notifications``: nothing; every notification of every page.
    - ``stream``: the connection's name; nothing.
    - ``event``: the connection's name; the notification.
    - ``dead``: nothing; the deliveries given up.
    """

    client: str
    kind: Kind
    subject: str
    invoked: float
    """Unix time in seconds, as all times here."""
    ended: float
    outcome: Outcome
    status: int | None = None
    """Status of the answer; None without an answer."""
    code: str | None = None
    """Code of the problem, if the answer is one."""
    key: str | None = None
    """The Idempotency-Key sent."""
    replayed: bool = False
    value: Any = None


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A fault for whose time the contract of the cache allows a stale state."""

    kind: Literal["cache", "writer"]
    """``cache``: a writer's script failed, or Redis lost its marks; ``writer``: an api died."""
    begin: float
    end: float


@dataclass
class History:
    """Everything that happened, in the order in which it ended."""

    operators: frozenset[str] = frozenset()
    """Clients that may see everything."""
    operations: list[Operation] = field(default_factory=list[Operation])
    disturbances: list[Disturbance] = field(default_factory=list[Disturbance])

    def of(self, *kinds: Kind) -> list[Operation]:
        """Return the operations of some kinds that were answered as asked."""
        return [each for each in self.operations if each.kind in kinds and each.outcome == "ok"]

    @contextmanager
    def disturbed(self, kind: Literal["cache", "writer"]) -> Generator[None]:
        """Record that the block disturbs the cache or a writer."""
        begin = time.time()
        try:
            yield
        finally:
            self.disturbances.append(Disturbance(kind, begin, time.time()))

    def write(self, path: Path) -> None:
        """Write one JSON object a line: the disturbances, then the operations."""
        lines = [json.dumps(asdict(each)) for each in (*self.disturbances, *self.operations)]
        path.write_text("\n".join(lines) + "\n")
