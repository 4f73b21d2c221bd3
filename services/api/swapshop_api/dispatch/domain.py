"""Leases and their reports: each delivery is held by one poller at a time, and none is lost."""

import base64
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from swapshop_api.audit import store as audit
from swapshop_api.audit.models import DEAD_ACTION
from swapshop_api.audit.store import SYSTEM, Entry
from swapshop_api.dispatch import store
from swapshop_api.dispatch.metrics import ORDERS_PROCESSED, REPORTED_ATTEMPTS
from swapshop_api.dispatch.models import DONE, LEASED
from swapshop_api.dispatch.policy import POISON_CLAIMS, SUSPECT_CLAIMS, Jitter, Verdict, judge
from swapshop_api.dispatch.problems import LeaseNotFound
from swapshop_api.dispatch.promotion import promote_oldest
from swapshop_api.dispatch.schemas import (
    LeasedDelivery,
    LeaseIn,
    LeaseOut,
    Outcome,
    ResultIn,
    ResultOut,
    ResultsOut,
)
from swapshop_api.dispatch.store import Due, Recorded, Report
from swapshop_api.orders.cache import DirtyMarks, OrderCache
from swapshop_kit.database import Database, DuplicateKey
from swapshop_kit.ids import is_canonical_id

Counted = tuple[str, Outcome]
"""A recorded report, by the event's type and its outcome."""


def choose(due: Sequence[Due], limit: int) -> list[Due]:
    """Choose what one call claims: only the suspect if one is due longest, else the others.

    Args:
        due: due deliveries, longest due first, without poison.
        limit: maximum number of deliveries.
    """
    if due and due[0].unreported_claims >= SUSPECT_CLAIMS:
        return [due[0]]
    return [each for each in due if each.unreported_claims < SUSPECT_CLAIMS][:limit]


class Dispatch:
    """The use cases of pollers.

    Args:
        database: of the schema ``swapshop``.
        cache: of orders, which a lease call changes by promoting them.
        jitter: returns a factor around 1 that spreads retries.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        database: Database,
        cache: OrderCache,
        *,
        jitter: Jitter = lambda: random.uniform(0.8, 1.2),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._cache = cache
        self._jitter = jitter
        self._clock = clock

    async def lease(self, client: str, wanted: LeaseIn) -> LeaseOut:
        """Promote pending orders and claim due deliveries; repeated, claim nothing more.

        Raises:
            DatabaseUnavailable: nothing was claimed.
            OutcomeUnknown: repeat the call with the same token.
        """
        started = self._clock()
        marks = self._cache.dirty_marks()

        async def work(connection: AsyncConnection) -> tuple[int, Sequence[RowMapping]]:
            return await self._claim(connection, client, wanted, marks)

        try:
            promoted, rows = await self._database.transaction(work)
        except DuplicateKey as error:
            return await self._repeat(wanted, error)
        finally:
            await marks.clear()
        ORDERS_PROCESSED.inc(promoted)
        elapsed = timedelta(seconds=self._clock() - started)
        return _to_lease(timedelta(seconds=wanted.lease_seconds) - elapsed, rows)

    async def _claim(
        self, connection: AsyncConnection, client: str, wanted: LeaseIn, marks: DirtyMarks
    ) -> tuple[int, Sequence[RowMapping]]:
        duration = timedelta(seconds=wanted.lease_seconds)
        await store.insert_lease(connection, wanted.lease_token, client, duration)
        promotion = await promote_oldest(connection, wanted.limit, marks)
        due = await store.lock_due(connection, wanted.limit)
        alive = [each for each in due if each.unreported_claims < POISON_CLAIMS]
        chosen = choose(alive, wanted.limit)
        if chosen:
            ids = [each.id for each in chosen]
            await store.claim(connection, ids, wanted.lease_token, duration)
        poison = [each.id for each in due if each.unreported_claims >= POISON_CLAIMS]
        if poison:
            await store.bury(connection, poison)
        buried = [Entry(DEAD_ACTION, id_, "poison") for id_ in poison]
        await audit.record_all(connection, SYSTEM, [*promotion.blocked, *buried])
        return len(promotion.promoted), [each.row for each in chosen]

    async def _repeat(self, wanted: LeaseIn, duplicate: DuplicateKey) -> LeaseOut:
        async def read(
            connection: AsyncConnection,
        ) -> tuple[timedelta | None, Sequence[RowMapping]]:
            token = wanted.lease_token
            remaining = await store.read_remaining(connection, token)
            return remaining, await store.read_leased(connection, token)

        remaining, rows = await self._database.read(read)
        if remaining is None:
            raise duplicate  # not the key of the token: unexpected
        # the database's clock may have been put back since the first call
        return _to_lease(min(remaining, timedelta(seconds=wanted.lease_seconds)), rows)

    async def confirm(self, token: str) -> None:
        """Count the claims under a lease token: their poller has the answer, and may send now.

        Only what a poller had in hand can have ended it. Confirming again counts nothing more.

        Raises:
            LeaseNotFound: the token is not a UUID.
        """
        if not is_canonical_id(token):
            raise LeaseNotFound

        async def work(connection: AsyncConnection) -> None:
            if not await store.set_received(connection, token):
                return
            locked = await store.lock_deliveries(
                connection, await store.read_held(connection, token)
            )
            held = [id_ for id_, row in locked.items() if row["lease_token"] == token]
            if held:
                await store.count_claim(connection, held)

        await self._database.transaction(work)

    async def report(self, token: str, results: Sequence[ResultIn]) -> ResultsOut:
        """Apply what came of the claims under a lease token; repeating a report is harmless.

        Raises:
            LeaseNotFound: the token is not a UUID.
        """
        if not is_canonical_id(token):
            raise LeaseNotFound

        async def work(
            connection: AsyncConnection,
        ) -> tuple[list[ResultOut], list[Counted]]:
            return await self._apply(connection, token, results)

        answers, recorded = await self._database.transaction(work)
        for event_type, outcome in recorded:
            REPORTED_ATTEMPTS.labels(event_type, outcome).inc()
        return ResultsOut(results=answers)

    async def _apply(
        self, connection: AsyncConnection, token: str, results: Sequence[ResultIn]
    ) -> tuple[list[ResultOut], list[Counted]]:
        """Answer each result as if it were the only one; return the new outcomes too."""
        ids = {result.delivery_id for result in results}
        found = await store.lock_deliveries(connection, ids)
        outcomes = await store.read_outcomes(connection, token, ids)
        answers: list[ResultOut] = []
        recorded: list[Counted] = []
        reports: dict[str, Report] = {}
        dead: list[Entry] = []
        for result in results:
            id_ = result.delivery_id
            step = _step(result, found.get(id_), outcomes, token)
            answer: Literal["applied", "stale"] = "stale" if step == "stale" else "applied"
            answers.append(ResultOut(delivery_id=id_, result=answer))
            if step != "apply":
                continue
            outcomes[id_] = Recorded(result.outcome, redriven=False)
            recorded.append((found[id_]["event_type"], result.outcome))
            reports[id_] = Report(result.outcome, result.status, result.error)
            if result.outcome != "delivered":
                verdict = self._judge(result, found[id_])
                await store.set_verdict(connection, id_, verdict, result.status, result.error)
                if verdict.reason is not None:
                    dead.append(Entry(DEAD_ACTION, id_, verdict.reason))
        for report, group in _by_report(reports).items():
            if report.outcome == "delivered":
                undone = [id_ for id_ in group if found[id_]["state"] != DONE]
                if undone:
                    await store.set_done(connection, undone, report.status)
            await store.record_outcome(connection, token, group, report)
        await audit.record_all(connection, SYSTEM, dead)
        return answers, recorded

    def _judge(self, result: ResultIn, delivery: RowMapping) -> Verdict:
        return judge(
            result.outcome,
            result.status,
            result.retry_after,
            attempts=delivery["attempts"],
            aways=delivery["aways"],
            jitter=self._jitter,
        )


def _step(
    result: ResultIn,
    delivery: RowMapping | None,
    outcomes: Mapping[str, Recorded],
    token: str,
) -> Literal["apply", "repeated", "stale"]:
    """Classify a result: apply it, or answer it as a repetition or as stale."""
    if delivery is None or result.delivery_id not in outcomes:
        return "stale"
    recorded = outcomes[result.delivery_id]
    if recorded.outcome == result.outcome:
        return "repeated"
    if recorded.redriven:
        return "stale"  # an operator wants it sent after this claim, whatever came of it
    if result.outcome == "delivered":
        return "apply"  # the receiver has it, whoever holds the delivery now
    is_current = delivery["state"] == LEASED and delivery["lease_token"] == token
    return "apply" if is_current and recorded.outcome is None else "stale"


def _by_report(reports: Mapping[str, Report]) -> Mapping[Report, list[str]]:
    """Group deliveries by their last report."""
    groups: defaultdict[Report, list[str]] = defaultdict(list)
    for id_, report in reports.items():
        groups[report].append(id_)
    return groups


def _to_lease(remaining: timedelta, rows: Iterable[RowMapping]) -> LeaseOut:
    return LeaseOut(
        remaining_ms=max(0, remaining // timedelta(milliseconds=1)),
        deliveries=[
            LeasedDelivery(
                id=row["id"],
                webhook_id=row["webhook_id"],
                event_type=row["event_type"],
                body=base64.b64encode(row["payload"]).decode(),
                attempts=row["attempts"],
                traceparent=row["traceparent"],
            )
            for row in rows
        ],
    )
