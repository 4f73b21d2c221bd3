"""A random schedule of faults, and what does them."""

import asyncio
import os
import random
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis

from chaos.history import History
from chaos.site import Site, start
from chaos.writers import WriterWatch
from support.servers.processes import ChildProcess, ServerStartError

HANDS: Final = 2
"""Faults that may happen at once."""
LONGEST_PAUSE: Final = 22.0
"""Seconds; longer than a lease of the run, and than every time-out."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that breaks, and is whole again after some time."""

    at: float
    """Seconds after the beginning, at the earliest."""
    kind: str
    target: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {self.kind} {self.target} {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class _Plan:
    weight: int
    longest: float
    targets: Callable[[Sequence[str], Sequence[str], Sequence[str]], list[str]]
    """Kinds of faults of the services, our stores and the links."""


_PLANS: Final[dict[str, _Plan]] = {
    "kill": _Plan(4, 3, lambda services, _stores, _links: [*services]),
    "vanish": _Plan(1, 3, lambda services, _stores, _links: [*services]),
    "pause": _Plan(3, LONGEST_PAUSE, lambda services, _stores, _links: [*services]),
    "kill store": _Plan(2, 3, lambda _services, stores, _links: [*stores]),
    "flush": _Plan(
        1, 0, lambda _services, stores, _links: [each for each in stores if each == "redis"]
    ),
    "cut": _Plan(3, 0, lambda _services, _stores, links: [*links]),
    "hold answers": _Plan(3, 12, lambda _services, _stores, links: [*links]),
    "lose answers": _Plan(3, 12, lambda _services, _stores, links: [*links]),
    "partition": _Plan(2, 12, lambda _services, _stores, links: [*links]),
    "delay": _Plan(2, 8, lambda _services, _stores, links: [*links]),
}


def schedule(
    choice: random.Random,
    seconds: float,
    services: Sequence[str],
    stores: Sequence[str],
    links: Sequence[str],
) -> list[Fault]:
    """Draw the faults of one hand; the same seed draws the same ones.

    Args:
        choice: where the randomness comes from.
        seconds: length of the run.
        services: that may be killed and paused.
        stores: that may be killed; none that was given from outside.
        links: those that can fail.
    """
    faults: list[Fault] = []
    at = choice.uniform(0.2, 2)
    plans = {name: plan for name, plan in _PLANS.items() if plan.targets(services, stores, links)}
    weights = [plan.weight for plan in plans.values()]
    while at < seconds:
        (kind,) = choice.choices(list(plans), weights)
        target = choice.choice(plans[kind].targets(services, stores, links))
        # most outages are short, some as long as they may be
        lasts = plans[kind].longest * choice.random() ** 2
        faults.append(Fault(at, kind, target, lasts))
        at += lasts + choice.uniform(0.2, 2)
    return faults


class Saboteur:
    """Do faults to a site, and record those that excuse a stale read.

    Args:
        site: what to break.
        history: where to record.
        watch: records killed writers.
        over: set when no more faults shall happen; ends those that last.
    """

    def __init__(
        self, site: Site, history: History, watch: WriterWatch, over: asyncio.Event
    ) -> None:
        self._site = site
        self._history = history
        self._watch = watch
        self._redis_faults = 0
        self._over = over
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.done = 0
        self.failures: list[str] = []
        """Services that did not come back, or ended on their own."""
        self._kinds: dict[str, Callable[[Fault], Awaitable[None]]] = {
            "kill": self._kill,
            "vanish": self._vanish,
            "pause": self._pause,
            "kill store": self._kill_store,
            "flush": self._flush,
            "cut": self._cut,
            "hold answers": self._hold,
            "lose answers": self._lose,
            "partition": self._partition,
            "delay": self._delay,
        }

    async def run(self, faults: Sequence[Fault]) -> None:
        """Do the faults one after the other, until the run is over."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for fault in faults:
            await self._last(begin + fault.at - loop.time())
            if self._over.is_set():
                return
            async with self._locks[fault.target]:
                await self._kinds[fault.kind](fault)
            self.done += 1

    async def _last(self, seconds: float) -> None:
        """Wait, or until the run is over."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._over.wait()
        except TimeoutError:
            return

    async def _kill(self, fault: Fault) -> None:
        process = await self._running(fault.target)
        is_writer = fault.target.startswith("api")
        with self._history.disturbed("writer") if is_writer else nullcontext():
            process.kill()
            if is_writer:
                self._watch.killed(fault.target, redis_is_broken=self._redis_faults > 0)
            await self._last(fault.seconds)
            await self._start(fault.target)

    async def _running(self, name: str) -> ChildProcess:
        """Return a service, started again if it has ended on its own."""
        process = self._site.services[name]
        if not process.is_running:
            self.failures.append(f"{name} ended on its own")
            await self._start(name)
        return process

    async def _start(self, name: str) -> None:
        """Start a service again, and again if it is not ready in time; then that is recorded."""
        while True:
            try:
                await start(self._site.services[name])
            except ServerStartError as error:
                self.failures.append(f"{name} did not start again: {error}")
            else:
                return

    async def _vanish(self, fault: Fault) -> None:
        """Kill a service without closing its connections, as when its host loses power."""
        links = [
            link for name, link in self._site.links.items() if name.startswith(f"{fault.target}>")
        ]
        for link in links:
            link.keeps_server_side = True
        try:
            await self._kill(fault)
        finally:
            for link in links:
                link.keeps_server_side = False

    async def _pause(self, fault: Fault) -> None:
        pid = (await self._running(fault.target)).pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await self._last(fault.seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _kill_store(self, fault: Fault) -> None:
        store = self._site.stores[fault.target]
        with self._disturbing(fault):
            with self._losing_marks() if fault.target == "redis" else nullcontext():
                await asyncio.to_thread(store.kill)
            await self._last(fault.seconds)
            await asyncio.to_thread(store.start)

    def _losing_marks(self) -> AbstractContextManager[None]:
        """Redis forgets the marks of writers under way, though their scripts succeed."""
        return self._history.disturbed("cache")

    async def _flush(self, _fault: Fault) -> None:
        with self._losing_marks():
            async with Redis.from_url(self._site.redis_url) as redis:  # pyright: ignore[reportUnknownMemberType] - its keyword arguments have no types
                await redis.flushall()  # pyright: ignore[reportUnknownMemberType] - likewise

    async def _cut(self, fault: Fault) -> None:
        with self._disturbing(fault):
            self._site.links[fault.target].cut()

    async def _hold(self, fault: Fault) -> None:
        """Answers arrive late."""
        link = self._site.links[fault.target]
        with self._disturbing(fault):
            link.hold()
            await self._last(fault.seconds)
            link.heal()

    async def _lose(self, fault: Fault) -> None:
        """Requests arrive, answers never do."""
        link = self._site.links[fault.target]
        with self._disturbing(fault):
            link.hold()
            await self._last(fault.seconds)
            link.cut()
            link.heal()

    async def _partition(self, fault: Fault) -> None:
        link = self._site.links[fault.target]
        with self._disturbing(fault):
            link.hold(requests=True)
            await self._last(fault.seconds)
            link.heal()

    async def _delay(self, fault: Fault) -> None:
        link = self._site.links[fault.target]
        with self._disturbing(fault):
            link.latency_seconds = 0.01 + 0.05 * fault.seconds
            await self._last(fault.seconds)
            link.latency_seconds = 0

    @contextmanager
    def _disturbing(self, fault: Fault) -> Generator[None]:
        """Count the faults of Redis and of the links to it while they last."""
        is_of_redis = fault.target.endswith("redis")
        self._redis_faults += is_of_redis
        try:
            yield
        finally:
            self._redis_faults -= is_of_redis
