"""Every order in which the steps of a creator, writers and readers of one order can happen.

The participants take the steps of ``Orders`` on a row with a lock; each call of the cache is put to
the real OrderCache and the real Redis, once for each state of the three keys, and its answer is
remembered. A step is one round trip: what lies between two of them cannot be seen from outside.
"""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

from redis.asyncio import Redis

from swapshop_api.orders.cache import CachedOrder, DirtyMarks, OrderCache
from swapshop_kit.ids import new_id

PENDING, PROCESSED = "PENDING", "PROCESSED"
ORPHAN = "orphan"
"""The token of a participant that has ended or died."""

Known = Literal["", "seen", "answered"]
"""Whether somebody has been shown PROCESSED: a reader, or who marked the order."""


class Keys(NamedTuple):
    """The keys of the order in Redis: a state, and who holds the lease and the mark."""

    value: str = ""
    lease: str = ""
    dirty: str = ""


class Writer(NamedTuple):
    """At its next step: lock, mark, commit, clear, or clear after a ROLLBACK."""

    next: Literal["lock", "mark", "commit", "clear", "undo", ""] = "lock"


class Reader(NamedTuple):
    """At its next step: cache, database (with a lease or without), fill what it read."""

    next: Literal["cache", "lease", "bypass", "fill", ""] = "cache"
    began: Known = ""
    read: str = ""


class State(NamedTuple):
    """Everything that decides what can happen next."""

    row: str = ""
    locked_by: str = ""
    keys: Keys = Keys()
    creator: Literal["lease", "commit", "fill", ""] = "lease"
    creator_leases: bool = False
    writers: tuple[Writer, ...] = ()
    readers: tuple[Reader, ...] = ()
    known: Known = ""


class StaleReadError(Exception):
    """A read showed PENDING though it began after PROCESSED was known."""

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self.known: Known = known


@dataclass(frozen=True)
class Explored:
    """How many states there are; and, where one was found, the way to a stale read."""

    states: int
    stale_after: Known
    schedule: Sequence[str]


class CacheTable:
    """The real cache's answer for each state of its keys, asked once and then remembered."""

    def __init__(self, cache: OrderCache, redis: Redis) -> None:
        self._cache = cache
        self._redis = redis
        self._id = new_id()
        self._owner = new_id()
        self._names = [f"order:{{{self._id}}}:{part}" for part in Keys._fields]
        self._answers: dict[tuple[Any, ...], tuple[Keys, str]] = {}

    async def call(self, keys: Keys, what: str, who: str, state: str = "") -> tuple[Keys, str]:
        """Return what the keys are after a call, and what it answered."""
        question = (keys, what, who, state)
        if question not in self._answers:
            await self._put(keys)
            answer, token = await self._ask(what, who, state)
            found = await self._get()
            self._answers[question] = (
                found._replace(lease=who) if token and found.lease == token else found,
                answer,
            )
        return self._answers[question]

    async def _ask(self, what: str, who: str, state: str) -> tuple[str, str | None]:
        marks = DirtyMarks(self._cache, token=who, order_ids={self._id})
        if what == "read":
            found = await self._cache.read(self._id)
            shown = found.order.body.decode() if found.order else ""
            return shown or found.result, found.lease
        if what == "lease_new":
            lease = await self._cache.lease_new(self._id)
            return "taken" if lease else "", lease
        if what == "fill":
            order = CachedOrder(self._owner, state.encode())
            await self._cache.fill(self._id, who, order, is_final=state == PROCESSED)
        elif what == "mark":
            await marks.mark([self._id])
        else:
            await marks.clear()
        return "", None

    async def _put(self, keys: Keys) -> None:
        await self._redis.delete(*self._names)
        value = f"{self._owner}{keys.value}" if keys.value else ""
        for name, content in zip(self._names, keys._replace(value=value), strict=True):
            if content:
                await self._redis.set(name, content, px=60_000)

    async def _get(self) -> Keys:
        contents = cast("list[bytes | None]", await self._redis.mget(self._names))
        value, lease, dirty = [(content or b"").decode() for content in contents]
        return Keys(value.removeprefix(self._owner), lease, dirty)


Step = tuple[str, State]


class Explorer:
    """Walks through every state that can be reached, nearest first.

    Args:
        table: the cache.
        writers: how many mark the order processed; each may also roll back or die at any step.
        readers: how many read it, once each.
        failing: the writers' script that Redis can fail to run.
        tolerated: a read that began before more than this was known may be stale.
    """

    def __init__(
        self,
        table: CacheTable,
        *,
        writers: int = 2,
        readers: int = 3,
        failing: Literal["", "mark", "clear"] = "",
        tolerated: Known = "",
    ) -> None:
        self._table = table
        self._failing = failing
        self._tolerated = ("", "seen") if tolerated == "seen" else ("",)
        self._start = State(writers=(Writer(),) * writers, readers=(Reader(),) * readers)

    async def explore(self) -> Explored:
        """Visit every state, or those up to the first stale read."""
        came_from: dict[State, tuple[State, str] | None] = {self._start: None}
        waiting = deque([self._start])
        while waiting:
            state = waiting.popleft()
            try:
                async for name, reached in self._steps(state):
                    after = _canonical(reached)
                    if after not in came_from:
                        came_from[after] = (state, name)
                        waiting.append(after)
            except StaleReadError as stale:
                return Explored(len(came_from), stale.known, _way_to(state, came_from))
        return Explored(len(came_from), "", [])

    async def _steps(self, state: State) -> AsyncGenerator[Step]:
        async for step in self._creator(state):
            yield step
        for n, writer in enumerate(state.writers):
            async for name, after, moved in self._writer(state, f"w{n}", writer):
                yield f"w{n} {name}", after._replace(writers=_with(state.writers, n, moved))
        for n, reader in enumerate(state.readers):
            if reader.next:
                name, after, moved = await self._reader(state, f"r{n}", reader)
                yield f"r{n} {name}", after._replace(readers=_with(state.readers, n, moved))
        for part in ("value", "lease", "dirty"):
            if getattr(state.keys, part) and (part != "dirty" or state.keys.dirty == ORPHAN):
                yield f"{part} expires", _with_keys(state, state.keys._replace(**{part: ""}))

    async def _creator(self, state: State) -> AsyncGenerator[Step]:
        if state.creator == "lease":
            keys, taken = await self._table.call(state.keys, "lease_new", "c")
            after = _with_keys(state, keys)
            yield "c lease", after._replace(creator="commit", creator_leases=bool(taken))
        elif state.creator == "commit":
            following = "fill" if state.creator_leases else ""
            yield "c commit", state._replace(row=PENDING, creator=following)
        elif state.creator == "fill":
            keys, _ = await self._table.call(state.keys, "fill", "c", PENDING)
            yield "c fill", _with_keys(state, keys)._replace(creator="")

    async def _writer(
        self, state: State, who: str, writer: Writer
    ) -> AsyncGenerator[tuple[str, State, Writer]]:
        free = state._replace(locked_by="")
        if writer.next == "lock" and state.row and not state.locked_by:
            if state.row == PROCESSED:  # there is nothing to do, and so it answers
                yield "answers", state._replace(known="answered"), Writer("")
            else:
                yield "locks", state._replace(locked_by=who), Writer("mark")
        elif writer.next == "mark":
            keys, _ = await self._table.call(state.keys, "mark", who)
            yield "marks", _with_keys(state, keys), Writer("commit")
            if self._failing == "mark":
                yield "cannot mark", state, Writer("commit")
            yield "dies", free, Writer("")
        elif writer.next == "commit":
            yield "commits", free._replace(row=PROCESSED), Writer("clear")
            yield "rolls back", free, Writer("undo")
            yield "dies", free, Writer("")
        elif writer.next in ("clear", "undo"):
            keys, _ = await self._table.call(state.keys, "clear", who)
            known: Known = "answered" if writer.next == "clear" else state.known
            yield "clears", _with_keys(state, keys)._replace(known=known), Writer("")
            if self._failing == "clear":
                yield "cannot clear", state._replace(known=known), Writer("")
            yield "dies", state, Writer("")

    async def _reader(self, state: State, who: str, reader: Reader) -> tuple[str, State, Reader]:
        if reader.next == "cache":
            keys, found = await self._table.call(state.keys, "read", who)
            after, began = _with_keys(state, keys), reader._replace(began=state.known)
            if found == "miss":
                return "misses", after, began._replace(next="lease")
            if found == "bypass":
                return "bypasses", after, began._replace(next="bypass")
            return f"hits {found}", self._show(after, began, found), Reader("")
        if reader.next == "lease" and state.row:
            return "reads", state, reader._replace(next="fill", read=state.row)
        if reader.next == "fill":
            keys, _ = await self._table.call(state.keys, "fill", who, reader.read)
            after = _with_keys(state, keys)
            return "fills", self._show(after, reader, reader.read), Reader("")
        return f"reads {state.row}", self._show(state, reader, state.row), Reader("")

    def _show(self, state: State, reader: Reader, shown: str) -> State:
        if shown != PROCESSED and reader.began not in self._tolerated:
            raise StaleReadError(reader.began)
        seen = shown == PROCESSED and not state.known
        return state._replace(known="seen") if seen else state


def _with_keys(state: State, keys: Keys) -> State:
    return state._replace(keys=keys)


def _with(all_: tuple[Any, ...], n: int, moved: Any) -> tuple[Any, ...]:
    return (*all_[:n], moved, *all_[n + 1 :])


def _canonical(state: State) -> State:
    """Make one of the states that differ only in which reader or writer is which."""
    lease, dirty = state.keys.lease, state.keys.dirty
    writers = sorted(enumerate(state.writers), key=_by_role("w", dirty, state.locked_by))
    readers = sorted(enumerate(state.readers), key=_by_role("r", lease))
    names = {f"w{old}": f"w{new}" for new, (old, w) in enumerate(writers) if w.next}
    names |= {f"r{old}": f"r{new}" for new, (old, r) in enumerate(readers) if r.next}
    if state.creator:
        names["c"] = "c"
    keys = state.keys._replace(
        lease=names.get(lease, ORPHAN) if lease else "",
        dirty=names.get(dirty, ORPHAN) if dirty else "",
    )
    return state._replace(
        keys=keys,
        locked_by=names.get(state.locked_by, ""),
        writers=tuple(writer for _, writer in writers),
        readers=tuple(reader for _, reader in readers),
    )


def _by_role(kind: str, *tokens: str) -> Callable[[tuple[int, tuple[Any, ...]]], Any]:
    return lambda each: (each[1], *(token == f"{kind}{each[0]}" for token in tokens))


def _way_to(state: State, came_from: dict[State, tuple[State, str] | None]) -> list[str]:
    steps: list[str] = []
    while (previous := came_from[state]) is not None:
        state, name = previous
        steps.append(name)
    return [*reversed(steps), "stale read"]
