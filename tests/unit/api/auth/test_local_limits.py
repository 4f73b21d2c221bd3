"""Rate limits while Redis is away: each pod counts its share by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.api.accounts import Clock
from swapshop_api.auth.problems import TooManyRequests
from swapshop_api.auth.rate_limits import MAX_LOCAL_KEYS, Limit, RateLimits
from swapshop_kit.redis import Circuit, create_redis

_LOGIN = Limit("login", "198.51.100.1", 3, 60)


def _limits(clock: Clock, max_replicas: int = 1) -> RateLimits:
    circuit = Circuit(lambda: 0.0)
    circuit.trip()  # for ever: no server is ever asked
    redis = create_redis("redis://redis.invalid:6379/0")
    return RateLimits(redis, max_replicas, circuit=circuit, clock=clock)


async def _is_admitted(limits: RateLimits, *wanted: Limit) -> bool:
    try:
        await limits.take(*wanted)
    except TooManyRequests:
        return False
    return True


async def test_a_limit_is_used_up_and_comes_back_as_its_window_slides() -> None:
    clock = Clock(0.0)
    limits = _limits(clock)
    for clock.now in (0.0, 10.0, 20.0):
        await limits.take(_LOGIN)
    clock.now = 20.5

    with pytest.raises(TooManyRequests) as refusal:
        await limits.take(_LOGIN)
    assert refusal.value.status == 429
    assert refusal.value.headers["Retry-After"] == "40"
    clock.now = 60.0
    await limits.take(_LOGIN)
    assert not await _is_admitted(limits, _LOGIN)


async def test_subjects_and_limits_are_counted_apart() -> None:
    limits = _limits(Clock())
    for _ in range(3):
        await limits.take(_LOGIN)

    assert await _is_admitted(limits, Limit("login", "198.51.100.2", 3, 60))
    assert await _is_admitted(limits, Limit("register", "198.51.100.1", 3, 60))


async def test_a_refused_call_counts_against_none_of_its_limits() -> None:
    limits = _limits(Clock())
    account, address = Limit("account", "ana", 1, 60), Limit("address", "198.51.100.1", 2, 60)
    await limits.take(account, address)
    assert not await _is_admitted(limits, account, address)

    assert await _is_admitted(limits, address)
    assert not await _is_admitted(limits, address)


@pytest.mark.parametrize(("max_replicas", "share"), [(1, 3), (2, 1), (3, 1), (8, 1)])
async def test_a_pod_admits_its_share_and_at_least_one(max_replicas: int, share: int) -> None:
    limits = _limits(Clock(), max_replicas)

    admitted = [await _is_admitted(limits, _LOGIN) for _ in range(5)]
    assert admitted == [True] * share + [False] * (5 - share)


async def test_what_is_remembered_is_bounded_and_the_longest_unused_goes_first() -> None:
    limits = _limits(Clock())
    for number in range(MAX_LOCAL_KEYS + 1):
        await limits.take(Limit("login", str(number), 1, 60))

    assert await _is_admitted(limits, Limit("login", "0", 1, 60))
    assert not await _is_admitted(limits, Limit("login", str(MAX_LOCAL_KEYS), 1, 60))


@given(st.lists(st.floats(0, 40), max_size=30), st.integers(1, 5))
async def test_no_window_ever_holds_more_than_the_limit(pauses: list[float], count: int) -> None:
    clock = Clock(0.0)
    limits = _limits(clock)
    admitted: list[float] = []
    for pause in pauses:
        clock.now += pause
        if await _is_admitted(limits, Limit("login", "x", count, 60)):
            admitted.append(clock.now)

    for first, last in zip(admitted, admitted[count:], strict=False):
        assert last - first >= 60


def test_nobody_is_named_in_redis() -> None:
    assert "ana" not in Limit("login", "ana@example.com", 1, 60).key
