"""One round: send the deliveries of one lease while the lease lasts."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog

from swapshop_kit.telemetry import trace_id_of
from swapshop_poller.contract import (
    MAX_ERROR_LENGTH,
    MAX_STATUS,
    MIN_STATUS,
    Delivery,
    Outcome,
    Result,
)
from swapshop_poller.metrics import MISCONFIGURATIONS, SEND_DURATION
from swapshop_poller.policy import (
    Answer,
    Attempt,
    Verdict,
    judge,
    retry_after_seconds,
)
from swapshop_poller.receiver_state import ReceiverState

Send = Callable[[Delivery], Awaitable[Attempt]]
"""Makes one attempt, with a time-out."""

_log = structlog.get_logger()


class Ending(StrEnum):
    """Why a round stopped sending."""

    FINISHED = "finished"
    STOPPED = "stopped"
    LEASE_SHORT = "lease short"
    RECEIVER_AWAY = "receiver away"
    MISCONFIGURED = "receiver misconfigured"


@dataclass(frozen=True, slots=True)
class Lease:
    """Deliveries leased under a token.

    Args:
        token: fencing token of the reports.
        ends_at: end of the lease by the poller's monotonic clock, never after its end by the
            database's clock.
        deliveries: deliveries in the order of sending.
    """

    token: str
    ends_at: float
    deliveries: list[Delivery]


@dataclass(frozen=True, slots=True)
class _Settled:
    delivery: Delivery
    attempt: Attempt
    verdict: Verdict


class Round:
    """Sends a lease's deliveries with bounded concurrency; each gets exactly one result.

    Args:
        lease: the lease whose deliveries to send.
        send: makes one attempt.
        receiver: records every attempt; the round ends when it is away.
        concurrency: maximum attempts in flight.
        reserve_seconds: rest of the lease that an attempt needs to begin.
        stop: once set, no more attempts begin.
        clock: returns monotonic seconds; must be the clock of ``lease.ends_at``.
    """

    def __init__(
        self,
        lease: Lease,
        send: Send,
        receiver: ReceiverState,
        *,
        concurrency: int,
        reserve_seconds: float,
        stop: asyncio.Event,
        clock: Callable[[], float],
    ) -> None:
        self._unsent = deque(lease.deliveries)
        self._ends_at = lease.ends_at
        self._send = send
        self._receiver = receiver
        self._concurrency = concurrency
        self._reserve_seconds = reserve_seconds
        self._stop = stop
        self._clock = clock
        self._settled: list[_Settled] = []
        self.ending = Ending.FINISHED

    async def run(self) -> list[Result]:
        """Send while allowed, wait for the attempts, and return a result for every delivery."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(self._concurrency, len(self._unsent))):
                tasks.create_task(self._send_in_turn())
        results = self._results()
        for settled, result in zip(self._settled, results, strict=True):
            _log_result(settled, result)
        return [*results, *self._releases()]

    async def _send_in_turn(self) -> None:
        while self._unsent and self.may_begin():
            delivery = self._unsent.popleft()
            started = self._clock()
            attempt = await self._send(delivery)
            verdict = judge(attempt)
            SEND_DURATION.labels(verdict.outcome).observe(self._clock() - started)
            self._settle(_Settled(delivery, attempt, verdict))

    def may_begin(self) -> bool:
        """Return whether another attempt may begin now; if not, ``ending`` says why."""
        if self.ending is Ending.FINISHED:
            if self._stop.is_set():
                self.ending = Ending.STOPPED
            elif self._ends_at - self._clock() < self._reserve_seconds:
                self.ending = Ending.LEASE_SHORT
        return self.ending is Ending.FINISHED

    def _settle(self, settled: _Settled) -> None:
        self._settled.append(settled)
        self._receiver.note(settled.verdict)
        if settled.verdict.is_misconfiguration:
            self.ending = Ending.MISCONFIGURED
            MISCONFIGURATIONS.labels("receiver").inc()
        elif self.ending is Ending.FINISHED and self._receiver.is_away:
            self.ending = Ending.RECEIVER_AWAY

    def _results(self) -> list[Result]:
        last_delivered = max(
            (
                index
                for index, each in enumerate(self._settled)
                if each.verdict.outcome is Outcome.DELIVERED
            ),
            default=-1,
        )
        return [
            _result(each, answers_others=index < last_delivered)
            for index, each in enumerate(self._settled)
        ]

    def _releases(self) -> list[Result]:
        return [
            Result(delivery_id=delivery.id, outcome=Outcome.RELEASED, error=self.ending)
            for delivery in self._unsent
        ]


def _result(settled: _Settled, *, answers_others: bool) -> Result:
    attempt, verdict = settled.attempt, settled.verdict
    outcome = Outcome.RETRY if verdict.may_be_own_doing and answers_others else verdict.outcome
    if isinstance(attempt, Answer):
        is_known = MIN_STATUS <= attempt.status <= MAX_STATUS
        status = attempt.status if is_known else None
        code = attempt.code if is_known else f"HTTP {attempt.status}"
        error = Ending.MISCONFIGURED if verdict.is_misconfiguration else code
    else:
        status, error = None, f"{attempt.cause}: {attempt.error}"[:MAX_ERROR_LENGTH]
    return Result(
        delivery_id=settled.delivery.id,
        outcome=outcome,
        status=status,
        error=error,
        retry_after=retry_after_seconds(attempt),
    )


def _log_result(settled: _Settled, result: Result) -> None:
    if result.outcome is Outcome.DELIVERED:
        return
    fields = result.model_dump(exclude_none=True, mode="json")
    trace_id = trace_id_of(settled.delivery.traceparent)
    if settled.verdict.is_misconfiguration:
        _log.error("receiver.misconfigured", trace_id=trace_id, **fields)
    else:
        _log.warning("delivery.failed", trace_id=trace_id, **fields)


def count_outcomes(results: Sequence[Result]) -> dict[str, int]:
    """Count results by outcome for the log, including outcomes without results."""
    counts = Counter(result.outcome for result in results)
    names = {outcome: outcome.value for outcome in Outcome} | {Outcome.RETRY: "retried"}
    return {name: counts[outcome] for outcome, name in names.items()}
