"""An event loop whose clock jumps: an hour of pauses passes in no time, in the same order."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Value = TypeVar("Value")


class NothingCanHappenError(Exception):
    """Every task waits and no timer is set: a real loop would wait forever."""


class _JumpingSelector(selectors.SelectSelector):
    """Moves the clock where another selector would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events:
            return events
        if timeout is None:
            raise NothingCanHappenError
        self.now += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """For code that waits neither for a socket nor for a thread; it begins at 1,000 s."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_in_virtual_time(main: Coroutine[Any, Any, Value]) -> Value:
    """Run a coroutine to its end on a loop with a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def virtual_now() -> float:
    """The running loop's time, in seconds."""
    return asyncio.get_running_loop().time()
