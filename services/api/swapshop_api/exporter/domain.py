"""Snapshots: what the pipeline did lives in the database, since a CronJob's pods die unscraped."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.dispatch.models import LEASED, READY
from swapshop_api.exporter import store
from swapshop_api.exporter.figures import (
    DEADLINE,
    Deadlines,
    Figures,
    Latencies,
    Losses,
    Snapshot,
    Waiting,
)
from swapshop_api.exporter.metrics import PipelineCollector
from swapshop_kit.database import Database
from swapshop_kit.problems import DatabaseUnavailable

CHUNK_ROWS: Final = 20_000
"""Rows that one statement of the first pass reads."""

LAG: Final = timedelta(seconds=10)
"""Rows are counted once they are so old: they commit out of order, though within 5 s."""

LONG_SECONDS: Final = 60.0
"""The limit of counting the losses, and of one chunk of the first pass."""

LOSSES_SHARE: Final = 0.1
"""Counting the losses looks at every order; it may take this share of the time."""

_log = structlog.get_logger()


class Exporter:
    """Takes snapshots of both schemas, one after another.

    Args:
        database: of the schema ``swapshop``; its user may read the receiver's too.
        collector: shows them.
        interval_seconds: from the start of one snapshot to that of the next.
        clock: monotonic, in seconds.
        chunk_rows: that one statement of the first pass reads.
        losses_seconds: the limit of counting the losses.
    """

    def __init__(
        self,
        database: Database,
        collector: PipelineCollector,
        interval_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        chunk_rows: int = CHUNK_ROWS,
        losses_seconds: float = LONG_SECONDS,
    ) -> None:
        self._database = database
        self._collector = collector
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._chunk_rows = chunk_rows
        self._losses_seconds = losses_seconds
        self._latencies = Latencies()
        self._deadlines = Deadlines()
        self._losses: Losses | None = None
        self._losses_due_at = 0.0

    async def run(self) -> None:
        """Take snapshots until cancelled, whether or not the database is there."""
        while True:
            started = self._clock()
            await self.collect()
            await asyncio.sleep(max(0.0, self._interval_seconds - (self._clock() - started)))

    async def collect(self) -> bool:
        """Take a snapshot and show it, or show nothing; return whether there was one."""
        try:
            await self._catch_up()
            started = self._clock()
            figures = await self._read()
            losses = await self._count_losses()
        except (DatabaseUnavailable, TimeoutError) as error:
            _log.warning("snapshot.failed", error=repr(error.__cause__ or error))
            return self._fail()
        except SQLAlchemyError:  # such as a schema without an index that comes with its migration
            _log.exception("snapshot.failed")
            return self._fail()
        seconds = self._clock() - started
        self._collector.show(Snapshot(figures, losses, self._latencies, self._deadlines, seconds))
        return True

    def _fail(self) -> bool:
        self._losses, self._losses_due_at = None, 0.0
        self._collector.fail()
        return False

    async def _catch_up(self) -> None:
        """Count what is old enough to have been committed; at first, all that there is.

        These rows never change and are never purged, so they are counted once, apart from the
        snapshot and in transactions of a bounded length.
        """
        async with asyncio.timeout(self._interval_seconds):
            now = await self._database.read(store.read_clock)
        latencies_until, deadlines_until = now - LAG, now - LAG - DEADLINE
        while self._latencies.until < latencies_until or self._deadlines.until < deadlines_until:
            async with asyncio.timeout(LONG_SECONDS):
                await self._database.read(
                    lambda c: self._add_chunk(c, latencies_until, deadlines_until)
                )

    async def _add_chunk(
        self, connection: AsyncConnection, latencies_until: datetime, deadlines_until: datetime
    ) -> None:
        """Each half is whole by itself: a chunk that was counted is not read again."""
        if self._latencies.until < latencies_until:
            self._latencies = await store.add_latencies(
                connection, self._latencies, latencies_until, self._chunk_rows
            )
        if self._deadlines.until < deadlines_until:
            self._deadlines = await store.add_deadlines(
                connection, self._deadlines, deadlines_until, self._chunk_rows
            )

    async def _read(self) -> Figures:
        async with asyncio.timeout(self._interval_seconds) as limit:

            def renew(seconds: float) -> None:
                limit.reschedule(asyncio.get_running_loop().time() + seconds)

            return await self._database.snapshot(lambda c: self._read_all(c, renew))

    async def _read_all(
        self, connection: AsyncConnection, renew: Callable[[float], None]
    ) -> Figures:
        """Renew the time as answers come: a server that hangs is noticed within an interval."""
        now = await store.read_clock(connection)
        late_since = now - DEADLINE
        renew(self._interval_seconds)
        orders = await store.read_orders(connection, late_since)
        renew(self._interval_seconds)
        undelivered = await store.read_undelivered(connection, late_since)
        renew(self._interval_seconds)
        deliveries = await store.count_deliveries(connection)
        renew(self._interval_seconds)
        purged = await store.read_totals(connection)
        claims = await store.count_claims(connection, purged)
        renew(self._interval_seconds)
        dead_letters = await store.count_dead_letters(connection, purged)
        last_lease = await store.read_last_lease(connection)
        going_on = [orders.pending, undelivered.get(READY), undelivered.get(LEASED)]
        late = sum(each.late for each in undelivered.values())
        return Figures(
            orders=orders.counts,
            blocked=orders.blocked,
            deliveries=deliveries,
            late=late + (orders.pending.late if orders.pending else 0),
            oldest_age=_oldest_age(going_on, now),
            claims=claims,
            dead_letters=dead_letters,
            last_lease=last_lease,
        )

    async def _count_losses(self) -> Losses | None:
        """Count the losses anew; after a long count, only after a rest in proportion.

        None: the last count took too long. The other figures do not fall with it.
        """
        started = self._clock()
        if started >= self._losses_due_at:
            try:
                async with asyncio.timeout(self._losses_seconds):
                    self._losses = await self._database.snapshot(store.count_losses)
            except TimeoutError:
                _log.warning("losses.not_counted", seconds=self._losses_seconds)
                self._losses = None
                self._collector.count_error()
            ended = self._clock()
            rest = (ended - started) * (1 / LOSSES_SHARE - 1)
            self._losses_due_at = ended + (rest if rest > self._interval_seconds else 0.0)
        return self._losses


def _oldest_age(orders: Iterable[Waiting | None], now: datetime) -> float:
    created = [each.oldest for each in orders if each is not None]
    return max(0.0, (now - min(created)).total_seconds()) if created else 0.0
