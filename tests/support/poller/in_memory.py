"""The poller's two peers, in memory."""

import asyncio
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from support.poller.builders import poller_settings
from support.poller.virtual_time import run_in_virtual_time, virtual_now
from swapshop_poller.api_client import ApiAway, ApiRefused
from swapshop_poller.contract import (
    Acknowledgement,
    Delivery,
    LeaseAnswer,
    LeaseRequest,
    Outcome,
    Result,
)
from swapshop_poller.loop import Poller
from swapshop_poller.policy import Answer, Attempt

Value = TypeVar("Value")


@dataclass
class Dispatch:
    """The api's side of the dispatch: leases run out, and a lease token fences the reports.

    Args:
        clock: in seconds.
        waiting: deliveries to lease; the oldest due first.
        granted_seconds: what a lease gets at most, whatever was asked for.
        retry_seconds: a delivery that did not arrive is offered again after so long.
    """

    clock: Callable[[], float]
    waiting: Iterable[Delivery] = ()
    granted_seconds: float = 300
    retry_seconds: float = 5
    leases: dict[str, float] = field(default_factory=dict[str, float])
    """When each token's lease runs out."""
    reports: list[tuple[str, Result]] = field(default_factory=list[tuple[str, Result]])
    """All that was reported, repetitions too, with the token."""
    done: set[str] = field(default_factory=set[str])
    dead: set[str] = field(default_factory=set[str])
    """Deliveries of which five confirmed claims ran out."""
    confirmed: list[str] = field(default_factory=list[str])
    """Tokens, in the order in which they were confirmed, repetitions too."""
    _unreported: Counter[str] = field(default_factory=Counter[str])
    _due: dict[str, float] = field(default_factory=dict[str, float])
    _holders: dict[str, str] = field(default_factory=dict[str, str])
    _recorded: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def __post_init__(self) -> None:
        self.known = {each.id: each for each in self.waiting}
        self._due = dict.fromkeys(self.known, self.clock())

    def held_by(self, token: str) -> list[Delivery]:
        """The deliveries that a token holds, even if its lease ran out."""
        return [self.known[id_] for id_, holder in self._holders.items() if holder == token]

    @property
    def held(self) -> set[str]:
        """Ids of the deliveries that are leased."""
        return set(self._holders)

    def expire_leases(self) -> None:
        """Let every lease run out now."""
        self.leases = dict.fromkeys(self.leases, self.clock())

    def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Claim deliveries, or return what the token still holds."""
        now = self.clock()
        if request.lease_token not in self.leases:
            for id_, holder in list(self._holders.items()):
                if self.leases[holder] <= now:
                    del self._holders[id_]
                    self._due[id_] = now
            for id_ in self._choose(now, request.limit):
                del self._due[id_]
                self._holders[id_] = request.lease_token
            self.leases[request.lease_token] = now + min(
                request.lease_seconds, self.granted_seconds
            )
        remaining_ms = int((self.leases[request.lease_token] - now) * 1000)
        return LeaseAnswer(remaining_ms=remaining_ms, deliveries=self.held_by(request.lease_token))

    def _choose(self, now: float, limit: int) -> list[str]:
        for id_ in [id_ for id_ in self._due if self._unreported[id_] >= 5]:
            del self._due[id_]
            self.dead.add(id_)
        due = [id_ for _, id_ in sorted((at, id_) for id_, at in self._due.items() if at <= now)]
        if due and self._unreported[due[0]] >= 2:
            return due[:1]
        return [id_ for id_ in due if self._unreported[id_] < 2][:limit]

    def confirm(self, token: str) -> None:
        """Count what a token holds as claimed by a poller that had it in hand, once."""
        if token not in self.confirmed:
            self._unreported.update(each.id for each in self.held_by(token))
        self.confirmed.append(token)

    def report(self, token: str, results: Sequence[Result]) -> list[Acknowledgement]:
        """Take reports from the lease's holder, and repetitions of them."""
        return [
            Acknowledgement(
                delivery_id=result.delivery_id,
                result="applied" if self._apply(token, result) else "stale",
            )
            for result in results
        ]

    def _apply(self, token: str, result: Result) -> bool:
        self.reports.append((token, result))
        id_ = result.delivery_id
        if (token, id_) in self._recorded:
            return True
        if self._holders.get(id_) != token:
            return False
        del self._holders[id_]
        del self._unreported[id_]
        self._recorded.add((token, id_))
        if result.outcome in (Outcome.DELIVERED, Outcome.REJECTED):
            self.done.add(id_)
        else:
            wait = 0.0 if result.outcome is Outcome.RELEASED else self.retry_seconds
            self._due[id_] = self.clock() + wait
        return True


class Fault(Enum):
    """Faults that can happen in one call of the api."""

    NONE = "none"
    LOST_REQUEST = "lost request"
    LOST_ANSWER = "lost answer"
    UNAVAILABLE = "503"
    REFUSED = "403"
    UNREADABLE = "an answer that is not understood"


@dataclass
class FakeApi:
    """A DispatchApi that fails by a script, and records when it was called.

    Args:
        dispatch: does the work.
        lease_faults: for one lease call each; without one a call works.
        report_faults: for one report each, likewise.
        confirm_faults: for one confirmation each, likewise.
        odd_id: a report that names this delivery is refused as a whole.
        answers_lost_seconds: for so long from the start every answer is lost.
        seconds: how long each way takes.
        time_out: a lost request or answer is noticed after so many seconds.
    """

    dispatch: Dispatch
    lease_faults: Iterable[Fault] = ()
    report_faults: Iterable[Fault] = ()
    confirm_faults: Iterable[Fault] = ()
    odd_id: str = ""
    answers_lost_seconds: float = 0.0
    seconds: float = 0.01
    time_out: float = 10.0
    lease_calls: list[tuple[float, LeaseRequest]] = field(
        default_factory=list[tuple[float, LeaseRequest]]
    )
    report_calls: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])

    def __post_init__(self) -> None:
        self._lease_faults = iter(self.lease_faults)
        self._report_faults = iter(self.report_faults)
        self._confirm_faults = iter(self.confirm_faults)
        self._whole_at = virtual_now() + self.answers_lost_seconds

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        self.lease_calls.append((virtual_now(), request))
        fault = next(self._lease_faults, Fault.NONE)
        return await self._call(fault, lambda: self.dispatch.lease(request))

    async def confirm(self, lease_token: str) -> None:
        fault = next(self._confirm_faults, Fault.NONE)
        await self._call(fault, lambda: self.dispatch.confirm(lease_token))

    async def report(self, lease_token: str, results: Sequence[Result]) -> list[Acknowledgement]:
        self.report_calls.append((virtual_now(), len(results)))
        if self.odd_id in [result.delivery_id for result in results]:
            raise ApiRefused("HTTP 422", status=422)
        fault = next(self._report_faults, Fault.NONE)
        return await self._call(fault, lambda: self.dispatch.report(lease_token, results))

    async def _call(self, fault: Fault, work: Callable[[], Value]) -> Value:
        if virtual_now() < self._whole_at:
            fault = Fault.LOST_ANSWER
        await asyncio.sleep(self.seconds)
        if fault is Fault.UNAVAILABLE:
            raise ApiAway("HTTP 503", answered=True)
        if fault is Fault.REFUSED:
            raise ApiRefused("HTTP 403")
        if fault is Fault.LOST_REQUEST:
            await asyncio.sleep(self.time_out - self.seconds)
            raise ApiAway("TimeoutError", answered=False)
        value = work()
        if fault is Fault.UNREADABLE:
            raise ApiRefused("answer not understood")
        if fault is Fault.LOST_ANSWER:
            await asyncio.sleep(self.time_out - self.seconds)
            raise ApiAway("TimeoutError", answered=False)
        await asyncio.sleep(self.seconds)
        return value


@dataclass(frozen=True)
class Reaction:
    """The receiver's reaction to one attempt, and its duration in seconds."""

    attempt: Attempt = field(default_factory=lambda: Answer(200))
    seconds: float = 0.01


@dataclass(frozen=True)
class Sent:
    """One attempt: when it began and ended, and how it went."""

    delivery_id: str
    lease_ends_at: float
    began_at: float
    ended_at: float
    attempt: Attempt


@dataclass
class FakeReceiver:
    """Takes attempts by a script; without an entry in it every attempt succeeds.

    Args:
        dispatch: knows how long the lease of each delivery lasts.
        script: reactions to the first attempts for a delivery, by its id.
        then: the reaction to every other attempt.
    """

    dispatch: Dispatch
    script: Mapping[str, Sequence[Reaction]] = field(default_factory=dict[str, Sequence[Reaction]])
    then: Reaction = field(default_factory=Reaction)
    sent: list[Sent] = field(default_factory=list[Sent])
    """In the order in which the attempts ended."""
    sent_unconfirmed: list[str] = field(default_factory=list[str])
    """Deliveries sent under a token before its confirmation."""
    in_flight: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self._reactions = {id_: deque(reactions) for id_, reactions in self.script.items()}

    async def __call__(self, sending: Delivery) -> Attempt:
        began_at = virtual_now()
        ends_at, token = max(
            (at, token)
            for token, at in self.dispatch.leases.items()
            if sending in self.dispatch.held_by(token)
        )
        if token not in self.dispatch.confirmed:
            self.sent_unconfirmed.append(sending.id)
        scripted = self._reactions.get(sending.id)
        reaction = scripted.popleft() if scripted else self.then
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        await asyncio.sleep(reaction.seconds)
        self.in_flight -= 1
        self.sent.append(Sent(sending.id, ends_at, began_at, virtual_now(), reaction.attempt))
        return reaction.attempt


@dataclass
class World:
    """A poller and its peers in virtual time.

    Args:
        waiting: deliveries that the api has.
        settings: of the poller, where they differ from the defaults.
        script: see FakeReceiver.
        then: see FakeReceiver.
        api: arguments of FakeApi.
        granted_seconds: see Dispatch.
    """

    waiting: Sequence[Delivery] = ()
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    script: Mapping[str, Sequence[Reaction]] = field(default_factory=dict[str, Sequence[Reaction]])
    then: Reaction = field(default_factory=Reaction)
    api: Mapping[str, Any] = field(default_factory=dict[str, Any])
    granted_seconds: float = 300

    def run(self, seconds: float, give_up_seconds: float | None = None) -> "Story":
        """Run the poller, stop it after a number of seconds, and wait for its end."""

        async def main() -> Story:
            began_at = virtual_now()
            dispatch = Dispatch(virtual_now, self.waiting, self.granted_seconds)
            api = FakeApi(dispatch, **self.api)
            receiver = FakeReceiver(dispatch, self.script, self.then)
            stop = asyncio.Event()
            tokens = (f"token-{number}" for number in itertools.count(1))
            poller = Poller(
                poller_settings(**self.settings),
                api,
                receiver,
                stop,
                clock=virtual_now,
                random=lambda: 0.5,
                new_token=lambda: next(tokens),
            )
            if seconds == 0:
                stop.set()
            asyncio.get_running_loop().call_later(seconds, stop.set)
            await poller.run(give_up_seconds)
            return Story(began_at, virtual_now(), dispatch, api, receiver, poller)

        return run_in_virtual_time(main())


@dataclass(frozen=True)
class Story:
    """The events until the poller's end; times count from its start."""

    began_at: float
    ended_at: float
    dispatch: Dispatch
    api: FakeApi
    receiver: FakeReceiver
    poller: Poller

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended_at - self.began_at

    @property
    def leases(self) -> list[tuple[float, str, int]]:
        """Each lease call: time, token, limit."""
        return [
            (round(at - self.began_at, 2), request.lease_token, request.limit)
            for at, request in self.api.lease_calls
        ]

    @property
    def outcomes(self) -> dict[str, list[str]]:
        """The reported results of a delivery in order, with repetitions."""
        by_id: dict[str, list[str]] = defaultdict(list)
        for _, result in self.dispatch.reports:
            by_id[result.delivery_id].append(result.outcome.value)
        return dict(by_id)

    @property
    def sent_ids(self) -> list[str]:
        """Ids in the order in which the attempts ended."""
        return [each.delivery_id for each in self.receiver.sent]

    def results(self, delivery_id: str) -> list[Result]:
        """All reports of one delivery."""
        return [result for _, result in self.dispatch.reports if result.delivery_id == delivery_id]
