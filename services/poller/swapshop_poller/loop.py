"""The poller's loop: claim, send, report and pause until it is stopped."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import structlog

from swapshop_kit.ids import new_id
from swapshop_poller.api_client import ApiAway, ApiRefused, DispatchApi
from swapshop_poller.contract import LeaseRequest, Outcome, Result
from swapshop_poller.metrics import API_AWAY, MISCONFIGURATIONS, ROUNDS
from swapshop_poller.policy import backoff_seconds
from swapshop_poller.receiver_state import ReceiverState
from swapshop_poller.reporting import Reporter
from swapshop_poller.round import Ending, Lease, Round, Send, count_outcomes
from swapshop_poller.settings import PollerSettings
from swapshop_poller.spans import round_span

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Claim:
    """A lease token without an answer yet, and the time of its first call."""

    token: str
    started_at: float


class Poller:
    """Moves deliveries from the api to the receiver.

    It pauses by the event loop's clock, so a test can control both clocks together.

    Args:
        settings: limits and intervals.
        api: client of the api.
        send: makes one attempt.
        stop: ends the loop; sends in flight are finished and reported, the rest is released.
        clock: returns monotonic seconds.
        random: returns a uniform number in 0..1, for the backoff.
        new_token: returns a new lease token, a UUID.
    """

    def __init__(
        self,
        settings: PollerSettings,
        api: DispatchApi,
        send: Send,
        stop: asyncio.Event,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
        new_token: Callable[[], str] = new_id,
    ) -> None:
        self._settings = settings
        self._api = api
        self._send = send
        self._stop = stop
        self._clock = clock
        self._random = random
        self._new_token = new_token
        self._reporter = Reporter(api, stop, clock, random)
        self._claim: _Claim | None = None
        self.receiver = ReceiverState()
        self.api_failures = 0
        """Consecutive lease calls that failed."""
        self.has_leased = False
        """Whether the api has ever answered a lease call."""
        self._api_has_answered = False

    @property
    def is_stopping(self) -> bool:
        """Whether the poller claims no more deliveries."""
        return self._stop.is_set()

    async def run(self, give_up_seconds: float | None = None) -> None:
        """Poll until ``stop`` is set.

        Args:
            give_up_seconds: also return if the api sends no answer within this time of the
                start.
        """
        started_at = self._clock()
        while not self._stop.is_set():
            with round_span():
                lease = await self._lease()
                pause_seconds = None if lease is None else await self._work(lease)
            if pause_seconds is not None:
                await self._pause(pause_seconds)
                continue
            tried_seconds = self._clock() - started_at
            if give_up_seconds is not None and self._is_unreachable(tried_seconds, give_up_seconds):
                return
            await self._pause(backoff_seconds(self.api_failures, self._random))

    def _is_unreachable(self, tried_seconds: float, give_up_seconds: float) -> bool:
        if self._api_has_answered or tried_seconds < give_up_seconds:
            return False
        _log.error("api.unreachable", seconds=round(tried_seconds, 1))
        return True

    async def _lease(self) -> Lease | None:
        """Claim deliveries; after a lost answer repeat the same token, which claims no more.

        A token is kept until its answer arrives, however late. Its deliveries are then sent or
        released at once, so a long outage delays only one batch.
        """
        claim = self._claim = self._claim or _Claim(self._new_token(), self._clock())
        asked_at = self._clock()
        limit = 1 if self.receiver.needs_probe else self._settings.batch_size
        seconds = self._settings.lease_seconds
        request = LeaseRequest(lease_token=claim.token, limit=limit, lease_seconds=seconds)
        try:
            answer = await self._api.lease(request)
        except ApiAway as error:
            self.api_failures += 1
            self._api_has_answered |= error.answered
            API_AWAY.inc()
            _log.warning("lease.failed", reason=str(error), failures=self.api_failures)
            return None
        except ApiRefused as error:
            self.api_failures += 1
            self._api_has_answered = True
            MISCONFIGURATIONS.labels("api").inc()
            _log.error("lease.refused", reason=str(error))
            if self._clock() - claim.started_at > seconds - self._settings.reserve_seconds:
                self._claim = None  # its deliveries may be the cause: try others
            return None
        self._claim = None
        self.api_failures = 0
        self.has_leased = self._api_has_answered = True
        ends_at = min(claim.started_at + seconds, asked_at + answer.remaining_ms / 1000)
        return Lease(claim.token, ends_at, answer.deliveries)

    async def _work(self, lease: Lease) -> float:
        """Send and report a lease's deliveries; return the pause in seconds before the next."""
        started_at = self._clock()
        sending = Round(
            lease,
            self._send,
            self.receiver,
            concurrency=self._settings.concurrency,
            reserve_seconds=self._settings.reserve_seconds,
            stop=self._stop,
            clock=self._clock,
        )
        if lease.deliveries and sending.may_begin():
            await self._confirm(lease)
        results = await sending.run()
        if results:
            reported = await self._reporter.report(lease, results)
            ROUNDS.labels(sending.ending).inc()
            _log.info(
                "round",
                lease_token=lease.token,
                leased=len(results),
                **count_outcomes(results),
                **asdict(reported),
                ending=sending.ending,
                seconds=round(self._clock() - started_at, 3),
            )
        return self._pause_after(sending.ending, results)

    async def _confirm(self, lease: Lease) -> None:
        """Confirm to the api that its answer arrived, before a delivery can crash the poller.

        If this call fails the deliveries are still sent: a claim that the api counted must not go
        unsent only because the answer to this call was lost.
        """
        try:
            await self._api.confirm(lease.token)
        except ApiAway as error:
            API_AWAY.inc()
            _log.warning("confirmation.failed", lease_token=lease.token, reason=str(error))
        except ApiRefused as error:
            MISCONFIGURATIONS.labels("api").inc()
            _log.error("confirmation.refused", lease_token=lease.token, reason=str(error))

    def _pause_after(self, ending: Ending, results: Sequence[Result]) -> float:
        if self.receiver.needs_probe or ending is Ending.MISCONFIGURED:
            return self._settings.probe_seconds
        is_full = len(results) >= self._settings.batch_size
        more_is_due = is_full and any(result.outcome is Outcome.DELIVERED for result in results)
        return 0.0 if more_is_due else self._settings.idle_seconds

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return
