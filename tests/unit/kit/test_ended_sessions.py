"""The list of ended sessions: what it adds, drops and reads, with a fake clock."""

from collections.abc import Collection

from swapshop_kit.ended_sessions import KEPT_SECONDS, OVERLAP_SECONDS, EndedSessions
from swapshop_kit.ids import new_id


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class _Source:
    """A session store that records what was read."""

    def __init__(self) -> None:
        self.ended: list[str] | None = []
        self.asked: list[int] = []

    async def __call__(self, within_seconds: int) -> Collection[str] | None:
        self.asked.append(within_seconds)
        return self.ended


def test_a_session_is_known_until_its_last_access_token_has_expired() -> None:
    clock, session = _Clock(), new_id()
    ended = EndedSessions(clock)
    assert session not in ended
    ended.add([session])
    clock.now += KEPT_SECONDS
    ended.add([])
    assert session in ended

    clock.now += 0.1
    ended.add([])
    assert session not in ended


def test_a_session_that_is_seen_again_is_kept_no_longer() -> None:
    clock, session = _Clock(), new_id()
    ended = EndedSessions(clock)
    ended.add([session])
    clock.now += KEPT_SECONDS
    ended.add([session])
    clock.now += 1

    ended.add([])
    assert session not in ended


def test_listeners_are_told_of_each_session_once() -> None:
    told: list[set[str]] = []
    ended = EndedSessions(_Clock())
    ended.on_ended(lambda ids: told.append(set(ids)))
    first, second = new_id(), new_id()
    ended.add([first])
    ended.add([first, second])
    ended.add([first, second])
    ended.add([])

    assert told == [{first}, {second}]


async def test_the_first_look_is_at_all_and_the_next_ones_overlap_the_one_before() -> None:
    clock, source = _Clock(), _Source()
    ended = EndedSessions(clock)
    await ended.read_from(source)
    clock.now += 2
    await ended.read_from(source)
    clock.now += 2.5
    await ended.read_from(source)
    clock.now += 86_400
    await ended.read_from(source)

    assert source.asked == [KEPT_SECONDS, 2 + OVERLAP_SECONDS, 3 + OVERLAP_SECONDS, KEPT_SECONDS]


async def test_a_list_that_cannot_be_read_stays_and_is_asked_for_what_was_missed() -> None:
    clock, source, session = _Clock(), _Source(), new_id()
    ended = EndedSessions(clock)
    source.ended = [session]
    assert await ended.read_from(source)
    source.ended = None
    for _ in range(10):
        clock.now += 2
        assert not await ended.read_from(source)
    assert session in ended
    assert ended.age_seconds == 20

    missed = new_id()
    source.ended = [missed]
    assert await ended.read_from(source)
    assert source.asked[-1] == 20 + OVERLAP_SECONDS
    assert missed in ended
    assert ended.age_seconds == 0


async def test_a_list_that_was_never_read_ages_since_the_process_began() -> None:
    clock, source = _Clock(), _Source()
    ended, source.ended = EndedSessions(clock), None
    clock.now += 7

    assert not await ended.read_from(source)
    assert ended.age_seconds == 7
    clock.now += 2
    await ended.read_from(source)
    assert source.asked == [KEPT_SECONDS, KEPT_SECONDS]
