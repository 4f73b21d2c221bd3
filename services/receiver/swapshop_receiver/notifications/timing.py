"""Intervals of streams: reads, wake-ups and comments."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

WINDOW: Final = timedelta(seconds=60)
"""Rows commit out of order: a row can become visible this long after its ``received_at``."""

CLOCK_JUMP: Final = timedelta(minutes=10)
"""Largest jump of the database's clock, by an adjustment or a failover, that loses no event."""

LOOK_BACK: Final = WINDOW + CLOCK_JUMP
"""A row becomes visible at most this long after its ``received_at``, by the database's clock at
both times."""


@dataclass(frozen=True)
class StreamTiming:
    """Intervals in seconds; tests shorten them."""

    comment: float = 15.0
    """Between comments, which keep proxies from closing an idle stream."""
    reread: float = 15.0
    """Between reads of the database, for all streams, in case Redis lost a message."""
    poll: float = 2.0
    """The same while Redis is away."""
    longest_gap: float = 30.0
    """After a longer gap between reads every stream is woken: a read may miss old rows."""
    ping: float = 5.0
    """Redis is pinged after this time without a message, and has the same time to answer."""
    reconnect: float = 1.0
    """Between attempts to subscribe."""
    database_retry: float = 2.0
    """Until a stream reads again after the database failed."""
    write: float = 15.0
    """A client that reads nothing for this time is disconnected."""

    @property
    def recent(self) -> timedelta:
        """How far a read goes back: to all that can have become visible since the last one."""
        return LOOK_BACK + timedelta(seconds=self.longest_gap)
