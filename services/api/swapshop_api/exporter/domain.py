"""Snapshots: what the pipeline did lives in the database, since a CronJob's pods die unscraped."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Final, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.dispatch.models import DEAD, LEASED, READY
from swapshop_api.exporter import store
from swapshop_api.exporter.figures import (
    DEADLINE,
    END,
    LAG,
    SETTLED,
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

LONG_SECONDS: Final = 60.0
"""The limit of counting the losses, and of one chunk of the first pass."""

LOSSES_SHARE: Final = 0.1
"""Counting the losses looks at every order; it may take this share of the time."""

T = TypeVar("T")

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
            latencies, deadlines = await self._count()
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
        self._collector.show(Snapshot(figures, losses, latencies, deadlines, seconds))
        return True

    def _fail(self) -> bool:
        self._losses, self._losses_due_at = None, 0.0
        self._collector.fail()
        return False

    async def _count(self) -> tuple[Latencies, Deadlines]:
        """Count each notification and each order whose time is over once, at first all there are.

        The rows never change and are never purged. Those older than ``SETTLED`` are counted once
        for all; the rest anew each time, or by id where the count must not change any more.
        Apart from the snapshot, in transactions of a bounded length.
        """
        async with asyncio.timeout(self._interval_seconds):
            now = await self._database.read(store.read_clock)
        settled = now - SETTLED
        if now < self._latencies.until:  # the clock was put back by more than we allow for
            self._latencies, self._deadlines = Latencies(), Deadlines()
        while self._latencies.until < settled:
            self._latencies = await self._add_latencies(self._latencies, settled)
        latencies = self._latencies
        while latencies.until < END:
            latencies = await self._add_latencies(latencies, END)
        await self._decide_deadlines(settled, now - DEADLINE - LAG)
        return latencies, self._deadlines

    async def _add_latencies(self, known: Latencies, until: datetime) -> Latencies:
        return await self._read_long(
            lambda c: store.add_latencies(c, known, until, self._chunk_rows)
        )

    async def _decide_deadlines(self, settled: datetime, until: datetime) -> None:
        while not self._deadlines.decided and self._deadlines.until < settled:
            self._deadlines = await self._read_long(
                lambda c: store.add_deadlines(c, self._deadlines, settled, self._chunk_rows)
            )
        decided = await self._read_long(lambda c: store.decide_deadlines(c, self._deadlines, until))
        self._deadlines = decided.settled(settled)

    async def _read_long(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with asyncio.timeout(LONG_SECONDS):
            return await self._database.read(work)

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
        last_lease = await store.read_last_lease(connection, now)
        going_on = [orders.pending, undelivered.get(READY), undelivered.get(LEASED)]
        late = sum(each.late for each in undelivered.values())
        return Figures(
            orders=orders.counts,
            blocked=orders.blocked,
            deliveries=deliveries,
            late=late + (orders.pending.late if orders.pending else 0),
            given_up=undelivered[DEAD].late if DEAD in undelivered else 0,
            oldest_age=_oldest_age(going_on, now),
            claims=claims,
            dead_letters=dead_letters,
            poller_age=None if last_lease is None else (now - last_lease).total_seconds(),
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
