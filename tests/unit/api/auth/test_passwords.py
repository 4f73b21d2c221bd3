"""Passwords: hashed off the loop, few at a time, and an unknown user costs as much."""

import asyncio
import threading
import time

import pytest

from support.api.accounts import cheap_passwords
from support.waiting import until
from swapshop_api.auth.passwords import Party, Passwords
from swapshop_api.auth.problems import PasswordQueueFull


async def test_a_password_is_right_or_wrong() -> None:
    passwords = cheap_passwords()
    stored = await passwords.hash("correct horse")

    assert await passwords.verify("correct horse", stored) == (True, None)
    assert await passwords.verify("correct hors", stored) == (False, None)


async def test_hashes_have_the_recommended_cost_and_a_salt() -> None:
    passwords = Passwords()
    first, second = await passwords.hash("same"), await passwords.hash("same")

    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second


async def test_a_hash_of_another_cost_is_renewed_when_the_password_is_right() -> None:
    old = await cheap_passwords().hash("correct horse")
    passwords = Passwords(memory_kib=16)

    assert await passwords.verify("wrong", old) == (False, None)
    is_right, renewed = await passwords.verify("correct horse", old)
    assert is_right
    assert renewed is not None
    assert "m=16," in renewed
    assert await passwords.verify("correct horse", renewed) == (True, None)


async def test_an_unknown_user_is_never_right_and_takes_as_long() -> None:
    passwords = Passwords()
    stored = await passwords.hash("correct horse")

    async def seconds(against: str | None) -> float:
        started = time.perf_counter()
        assert await passwords.verify("wrong password", against) == (False, None)
        return time.perf_counter() - started

    # in turn, and the least of each: what else the machine does only ever adds
    pairs = [(await seconds(stored), await seconds(None)) for _ in range(7)]
    known, unknown = map(min, zip(*pairs, strict=True))
    assert 0.4 < unknown / known < 2.5


async def test_so_many_hash_so_many_wait_and_the_next_is_refused() -> None:
    passwords = Passwords(8, concurrency=2, max_waiting=3)
    gate, running = threading.Event(), threading.Semaphore(0)

    def work() -> str:
        running.release()
        gate.wait(10)
        return "done"

    async with asyncio.TaskGroup() as tasks:
        admitted = [tasks.create_task(passwords.run(work)) for _ in range(5)]
        await until(lambda: running.acquire(blocking=False))
        await until(lambda: running.acquire(blocking=False))
        with pytest.raises(PasswordQueueFull) as refusal:
            await passwords.hash("one too many")
        assert not running.acquire(blocking=False), "two at a time"
        gate.set()

    assert [task.result() for task in admitted] == ["done"] * 5
    assert refusal.value.status == 503
    assert refusal.value.headers["Retry-After"] == "2"
    assert await passwords.hash("there is room again")


async def test_a_caller_who_left_keeps_the_slot_until_the_thread_ends() -> None:
    passwords = Passwords(8, concurrency=1, max_waiting=0)
    gate, running = threading.Event(), threading.Event()

    def work() -> None:
        running.set()
        gate.wait(10)

    left = asyncio.create_task(passwords.run(work))
    await until(running.is_set)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    with pytest.raises(PasswordQueueFull):
        await passwords.hash("the thread still works")
    gate.set()

    async def has_room() -> bool:
        try:
            return bool(await passwords.hash("the thread is done"))
        except PasswordQueueFull:
            return False

    await until(has_room)


class _Desk:
    """One slot, which the first caller holds until ``gate`` opens; others wait for it."""

    def __init__(self, max_waiting: int) -> None:
        self._passwords = Passwords(8, concurrency=1, max_waiting=max_waiting)
        self._callers: list[asyncio.Task[None]] = []
        self._is_taken = False
        self.gate = threading.Event()
        self.served: list[str] = []
        self.dropped: list[str] = []

    async def call(self, *names: str, is_known: bool = False) -> None:
        """Make callers wait, in this order; their party is the first word of a name."""
        for name in names:
            party = Party(name.split()[0], is_known=is_known)
            self._callers.append(asyncio.create_task(self._run(name, party)))
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Serve all who wait."""
        self.gate.set()
        await asyncio.gather(*self._callers)

    async def _run(self, name: str, party: Party) -> None:
        def work() -> None:
            self.gate.wait(30)
            self.served.append(name)

        try:
            await self._passwords.run(work, party)
        except PasswordQueueFull:
            self.dropped.append(name)


async def test_parties_are_served_in_turn() -> None:
    desk = _Desk(max_waiting=5)
    await desk.call("storm 0", "storm 1", "storm 2", "storm 3", "ana 1", "eva 1")
    await desk.close()

    assert desk.served == ["storm 0", "storm 1", "ana 1", "eva 1", "storm 2", "storm 3"]


async def test_a_flood_of_one_party_crowds_out_only_itself() -> None:
    desk = _Desk(max_waiting=3)
    await desk.call("storm 0", "storm 1", "storm 2", "storm 3", "storm 4", "ana 1", "eva 1")
    await desk.call("ana 2", "zoe 1")
    await desk.close()

    assert desk.served == ["storm 0", "storm 1", "ana 1", "eva 1"]
    assert desk.dropped == ["storm 4", "storm 3", "storm 2", "ana 2", "zoe 1"]


async def test_strangers_and_known_devices_have_places_of_their_own_and_alternate() -> None:
    desk = _Desk(max_waiting=2)
    await desk.call("here 0", "here 1", "there 1", "far 1")
    await desk.call("ana 1", "ana 2", "ana 3", is_known=True)
    await desk.close()

    assert desk.served == ["here 0", "ana 1", "here 1", "ana 2", "there 1"]
    assert desk.dropped == ["far 1", "ana 3"]


async def test_who_leaves_the_queue_leaves_a_place() -> None:
    passwords = Passwords(8, concurrency=1, max_waiting=1)
    gate = threading.Event()
    running = asyncio.create_task(passwords.run(lambda: gate.wait(10)))
    left = asyncio.create_task(passwords.run(lambda: gate.wait(10)))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait([left])
    waiting = asyncio.create_task(passwords.hash("a place is free"))
    await asyncio.sleep(0)
    with pytest.raises(PasswordQueueFull):
        await passwords.hash("and now none")
    gate.set()

    assert await running
    assert await waiting
