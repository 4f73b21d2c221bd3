"""How often streams are fed, woken and kept alive."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

WINDOW: Final = timedelta(seconds=60)
"""Rows commit out of order: one may become visible so long after its ``received_at``."""

CLOCK_JUMP: Final = timedelta(minutes=10)
"""So far the database's clock may be set, or the clock of its next primary may differ."""

LOOK_BACK: Final = WINDOW + CLOCK_JUMP
"""No row that becomes visible after a moment was received longer before it than this, by
whatever the database's clock told at both."""


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
    """After so long without a look, every stream is woken: rows could be older than a look sees."""
    ping: float = 5.0
    """A silent Redis is asked for a sign of life after so long, and given as long to answer."""
    reconnect: float = 1.0
    """Between tries to subscribe."""
    database_retry: float = 2.0
    """Until a stream asks a database again that failed it."""
    write: float = 15.0
    """A client that takes nothing for so long is left."""

    @property
    def recent(self) -> timedelta:
        """How far a look goes back: to all that can have become visible since the one before."""
        return LOOK_BACK + timedelta(seconds=self.longest_gap)
