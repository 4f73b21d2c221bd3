"""Security events as the log has them."""

from collections.abc import Generator, MutableMapping
from contextlib import contextmanager
from typing import Any

from structlog.testing import capture_logs

Line = dict[str, Any]


@contextmanager
def security_log() -> Generator[list[Line]]:
    """Capture the block's security events, with the name of the event under ``event``.

    The list is filled when the block ends.
    """
    events: list[Line] = []
    with capture_logs() as lines:
        yield events
    events += [_event(line) for line in lines if line["event"].startswith("security.")]


def _event(line: MutableMapping[str, Any]) -> Line:
    fields = {name: value for name, value in line.items() if name != "log_level"}
    return {**fields, "event": line["event"].removeprefix("security.")}
