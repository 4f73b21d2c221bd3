"""How often streams are fed, woken and kept alive."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

WINDOW: Final = timedelta(seconds=60)
"""Rows commit out of order; what was received within it may still appear."""


@dataclass(frozen=True)
class StreamTiming:
    """Seconds, all of them; tests shorten them."""

    comment: float = 15.0
    """Between comments, without which a proxy would take an idle stream for dead."""
    reread: float = 15.0
    """Between looks into the database, for all streams, in case Redis lost a message."""
    poll: float = 2.0
    """The same while Redis is away."""
    longest_gap: float = 30.0
    """After so long without a look, one that goes back a window might miss rows."""
    ping: float = 5.0
    """A silent Redis is asked for a sign of life after so long, and given as long to answer."""
    reconnect: float = 1.0
    """Between tries to subscribe."""
    database_retry: float = 2.0
    """Until a stream asks a database again that failed it."""
    write: float = 15.0
    """A client that takes nothing for so long is left."""
