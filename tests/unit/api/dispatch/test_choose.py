"""What one lease call claims of what is due."""

from datetime import UTC, datetime, timedelta
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import RowMapping

from swapshop_api.dispatch.domain import choose
from swapshop_api.dispatch.policy import POISON_CLAIMS, SUSPECT_CLAIMS
from swapshop_api.dispatch.store import Due

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def due(*unreported_claims: int) -> list[Due]:
    """Deliveries 0, 1, …, the longest due first."""
    return [
        Due(str(number), LONG_AGO + timedelta(seconds=number), claims, cast("RowMapping", {}))
        for number, claims in enumerate(unreported_claims)
    ]


def chosen(limit: int, *unreported_claims: int) -> list[str]:
    return [each.id for each in choose(due(*unreported_claims), limit)]


def test_nothing_is_due() -> None:
    assert chosen(10) == []


def test_the_longest_due_up_to_the_limit() -> None:
    assert chosen(2, 0, 1, 0) == ["0", "1"]


def test_a_suspect_that_is_longest_due_travels_alone() -> None:
    assert chosen(10, SUSPECT_CLAIMS, 0, 0) == ["0"]


def test_of_two_suspects_one_travels() -> None:
    assert chosen(10, 2, 4, 0) == ["0"]


def test_a_suspect_that_is_not_longest_due_is_left_for_a_later_call() -> None:
    assert chosen(10, 0, 3, 1, 2) == ["0", "2"]


def test_a_suspect_does_not_count_against_the_limit() -> None:
    assert chosen(2, 1, 2, 0, 0) == ["0", "2"]


@given(st.lists(st.integers(0, POISON_CLAIMS - 1), max_size=12), st.integers(1, 12))
def test_a_suspect_never_travels_with_another(claims: list[int], limit: int) -> None:
    choice = choose(due(*claims), limit)
    suspects = [each for each in choice if each.unreported_claims >= SUSPECT_CLAIMS]
    assert not suspects or len(choice) == 1


@given(st.lists(st.integers(0, POISON_CLAIMS - 1), min_size=1, max_size=12), st.integers(1, 12))
def test_the_longest_due_is_always_among_them(claims: list[int], limit: int) -> None:
    choice = choose(due(*claims), limit)
    assert choice[0].id == "0"
    assert len(choice) <= limit
