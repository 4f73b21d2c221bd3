"""Which writers failed to take an order out of the cache: what excuses a stale read."""

import asyncio
import time
from typing import Final, NoReturn

import httpx
from prometheus_client.parser import text_string_to_metric_families

from chaos.history import Disturbance, History

FAILURES: Final = "swapshop_cache_write_failures_total"
EVERY_SECONDS: Final = 0.5


class WriterWatch:
    """Record the times in which an api's scripts failed in Redis, as the api counts them.

    Args:
        history: where to record.
        operations: base URL of each api's operations port, by the api's name.
    """

    def __init__(self, history: History, operations: dict[str, str]) -> None:
        self._history = history
        self._operations = operations
        self._failures = dict.fromkeys(operations, 0.0)
        self._seen_at = dict.fromkeys(operations, time.time())

    async def run(self) -> NoReturn:
        """Look at every api again and again, until cancelled."""
        async with httpx.AsyncClient(timeout=5) as http:
            while True:
                await asyncio.gather(*(self._look(http, name) for name in self._operations))
                await asyncio.sleep(EVERY_SECONDS)

    async def _look(self, http: httpx.AsyncClient, name: str) -> None:
        try:
            answer = await http.get(f"{self._operations[name]}/metrics")
        except httpx.TransportError:
            return  # paused, or killed: the time of the last look stays
        now, failures = time.time(), _sum(answer.text)
        if failures > self._failures[name]:
            self._history.disturbances.append(Disturbance("cache", self._seen_at[name], now))
        self._failures[name], self._seen_at[name] = failures, now

    def killed(self, name: str, *, redis_is_broken: bool) -> None:
        """Take what the api may have counted since the last look as failed, if Redis was broken."""
        if redis_is_broken:
            disturbance = Disturbance("cache", self._seen_at[name], time.time())
            self._history.disturbances.append(disturbance)
        self._failures[name] = 0


def _sum(metrics: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == FAILURES
    )
