"""Report results, and retry until the api answers or it is too late."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import structlog

from swapshop_poller.api_client import ApiAway, ApiRefused, DispatchApi
from swapshop_poller.contract import MAX_RESULTS, Acknowledgement, Result
from swapshop_poller.metrics import API_AWAY, MISCONFIGURATIONS, UNREPORTED
from swapshop_poller.policy import backoff_seconds
from swapshop_poller.round import Lease

LAST_TRIES_SECONDS: Final = 5.0
"""Time for retries after a stop: a pod's grace period is 30 s in total."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reported:
    """Numbers of results that were applied, came too late, and could not be reported."""

    applied: int
    stale: int
    unreported: int


class Reporter:
    """Reports results to the api. Reports are idempotent, so a lost answer does no harm.

    Args:
        api: client of the api.
        stop: once set, failing reports are retried for only 5 s more.
        clock: returns monotonic seconds; must be the clock of the lease's end.
        random: returns a uniform number in 0..1, for the backoff.
    """

    def __init__(
        self,
        api: DispatchApi,
        stop: asyncio.Event,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._api = api
        self._stop = stop
        self._clock = clock
        self._random = random
        self._stop_noticed_at: float | None = None

    async def report(self, lease: Lease, results: Sequence[Result]) -> Reported:
        """Report all results; each report is tried at least once, even after the lease.

        A late ``delivered`` is still worth reporting: the api accepts it in any state.
        """
        answers: list[Acknowledgement] = []
        for start in range(0, len(results), MAX_RESULTS):
            answers += await self._report_chunk(lease, results[start : start + MAX_RESULTS])
        applied = sum(answer.result == "applied" for answer in answers)
        unreported = len(results) - len(answers)
        UNREPORTED.inc(unreported)
        return Reported(applied, len(answers) - applied, unreported)

    async def _report_chunk(
        self, lease: Lease, results: Sequence[Result]
    ) -> Sequence[Acknowledgement]:
        failures = 0
        while True:
            try:
                return await self._api.report(lease.token, results)
            except ApiRefused as error:
                if error.status == HTTPStatus.UNPROCESSABLE_ENTITY and len(results) > 1:
                    return await self._report_halves(lease, results)
                MISCONFIGURATIONS.labels("api").inc()
                _log.error("report.refused", reason=str(error), results=len(results))
                return []
            except ApiAway as error:
                failures += 1
                API_AWAY.inc()
                pause = backoff_seconds(failures, self._random)
                given_up = self._clock() + pause >= self._last_try_at(lease)
                _log.warning("report.failed", reason=str(error), given_up=given_up)
                if given_up:
                    return []
            await asyncio.sleep(pause)

    async def _report_halves(
        self, lease: Lease, results: Sequence[Result]
    ) -> Sequence[Acknowledgement]:
        """Report a refused chunk in two halves, so that one bad result costs no other."""
        half = len(results) // 2
        return [
            *await self._report_chunk(lease, results[:half]),
            *await self._report_chunk(lease, results[half:]),
        ]

    def _last_try_at(self, lease: Lease) -> float:
        if not self._stop.is_set():
            return lease.ends_at
        if self._stop_noticed_at is None:
            self._stop_noticed_at = self._clock()
        return min(lease.ends_at, self._stop_noticed_at + LAST_TRIES_SECONDS)
