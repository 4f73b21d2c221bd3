"""What the exporter knows of the pipeline at one moment: pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from swapshop_api.dispatch.policy import DeadReason

DEADLINE: Final = timedelta(seconds=120)
"""A notification that is stored later than so long after its order is late."""

LATENCY_BUCKETS: Final = (0.5, 1, 2.5, 5, 10, 15, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1800)
"""Upper bounds of the histogram of latencies, in seconds."""

LAG: Final = timedelta(seconds=60)
"""Rows commit out of order: one may become visible so long after its time."""

CLOCK_JUMP: Final = timedelta(minutes=10)
"""So far the database's clock may be set, or the clock of its next primary may differ."""

SETTLED: Final = LAG + CLOCK_JUMP
"""No row that becomes visible after a moment has a time longer before it than this."""

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
END: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Latencies:
    """From an order's creation to its stored notification, for all notifications up to a time.

    Args:
        until: notifications received up to then are counted.
        counts: by bucket, the last one beyond all bounds; not cumulative.
        seconds: the sum.
    """

    until: datetime = BEGINNING
    counts: tuple[int, ...] = (0,) * (len(LATENCY_BUCKETS) + 1)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Orders whose time is over, by whether their notification was stored in time.

    Args:
        until: orders created up to then are counted.
        met: orders that were notified in time.
        missed: orders that were not.
        decided: orders created after ``until`` that are counted too, and their creation.
    """

    until: datetime = BEGINNING
    met: int = 0
    missed: int = 0
    decided: Mapping[str, datetime] = field(default_factory=dict[str, datetime])

    def settled(self, until: datetime) -> "Deadlines":
        """Return the same counts without the ids of orders created up to a time."""
        if until <= self.until:
            return self
        decided = {id_: at for id_, at in self.decided.items() if at > until}
        return replace(self, until=until, decided=decided)


@dataclass(frozen=True, slots=True)
class Losses:
    """What must be nothing: orders that the pipeline has lost sight of.

    Args:
        unaccounted: not PENDING, not notified, without a READY, LEASED or DEAD delivery.
        without_delivery: PROCESSED in the last 80 days, without a delivery.
    """

    unaccounted: int
    without_delivery: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Orders in one state on their way: how many are late, and the creation of the oldest."""

    late: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of deliveries, purged ones too: all, those reported delivered, those taken over."""

    leased: int
    delivered: int
    taken_over: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What one transaction sees in both schemas.

    Args:
        orders: by state.
        blocked: PENDING orders that could not be promoted.
        deliveries: by state.
        late: orders older than the deadline whose delivery is not DONE.
        given_up: those of them whose delivery is DEAD.
        oldest_age: in seconds, of the oldest order whose delivery goes on; 0 without one.
        claims: of deliveries.
        dead_letters: deliveries that became DEAD, by reason.
        poller_age: seconds since a poller last asked; None when none did within a day.
    """

    orders: Mapping[str, int]
    blocked: int
    deliveries: Mapping[str, int]
    late: int
    given_up: int
    oldest_age: float
    claims: Claims
    dead_letters: Mapping[DeadReason, int]
    poller_age: float | None

    @property
    def expirations(self) -> int:
        """Claims that ran out: taken over by another, or found by the one that buried it."""
        return self.claims.taken_over + self.dead_letters["poison"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a scrape shows.

    Args:
        figures: of one moment.
        losses: what must be nothing, when it was last counted; None if that took too long.
        latencies: of all notifications stored by then.
        deadlines: of all orders whose time was over for ``LAG``.
        seconds: that it took to read the figures.
    """

    figures: Figures
    losses: Losses | None
    latencies: Latencies
    deadlines: Deadlines
    seconds: float
