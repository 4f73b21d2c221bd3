"""What a stream sends: every notification once, in whatever order they become visible."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import RowMapping

from swapshop_kit.cursors import Cursor
from swapshop_receiver.notifications.feed import KEYS, PAGE_SIZE, Feed, position_of
from swapshop_receiver.notifications.timing import LOOK_BACK, WINDOW

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
MINUTE = 60.0


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@dataclass
class Table:
    """The rows that are committed by now."""

    rows: dict[str, datetime] = field(default_factory=dict[str, datetime])
    reads: int = 0

    def commit(self, webhook_id: str, seconds: float) -> None:
        self.rows[webhook_id] = after(seconds)

    async def read_keys(self, since: datetime, after: Cursor | None, limit: int) -> list[Cursor]:
        self.reads += 1
        ordered = sorted((at, id_) for id_, at in self.rows.items() if at >= since)
        if after is not None:
            ordered = [row for row in ordered if row > (after.at, after.id)]
        return [Cursor(at, id_) for at, id_ in ordered[:limit]]

    async def read_rows(self, webhook_ids: Sequence[str]) -> Sequence[RowMapping]:
        found: list[Mapping[str, Any]] = [
            {"webhook_id": id_, "received_at": at}
            for at, id_ in sorted((self.rows[id_], id_) for id_ in webhook_ids)
        ]
        return cast("Sequence[RowMapping]", found)

    def feed(self, cursor: Cursor | None = None, now: datetime = NOW) -> Feed:
        """A feed as ``open_feed`` makes it."""
        before = [
            Cursor(at, id_)
            for id_, at in self.rows.items()
            if cursor is None and now - LOOK_BACK <= at < now - WINDOW
        ]
        return Feed(self.read_keys, self.read_rows, cursor, now, before)


async def take_rows(feed: Feed) -> list[RowMapping]:
    """One pass to its end."""
    taken = [*await feed.next_page()]
    while feed.is_behind:
        taken += await feed.next_page()
    return taken


async def take_all(feed: Feed) -> list[str]:
    return [row["webhook_id"] for row in await take_rows(feed)]


async def test_begins_60_seconds_before_now_without_a_cursor() -> None:
    table = Table()
    table.commit("older", -LOOK_BACK.total_seconds() - 1)
    table.commit("old", -60.000001)
    table.commit("edge", -60)
    table.commit("new", -1)
    assert await take_all(table.feed()) == ["edge", "new"]


async def test_begins_11_minutes_before_the_cursor() -> None:
    table = Table()
    table.commit("old", -100 - 11 * MINUTE - 0.000001)
    table.commit("before", -100 - 11 * MINUTE)
    table.commit("at-cursor", -100)
    table.commit("after", -99)
    cursor = Cursor(after(-100), "at-cursor")
    assert await take_all(table.feed(cursor)) == ["before", "at-cursor", "after"]


async def test_an_idle_feed_still_sees_what_was_uncommitted_when_it_began() -> None:
    table = Table()
    feed = table.feed()
    assert await take_all(feed) == []
    table.commit("late", -4)
    assert await take_all(feed) == ["late"]


async def test_a_cursor_from_the_future_counts_as_now() -> None:
    table = Table()
    table.commit("new", -1)
    assert await take_all(table.feed(Cursor(after(86_400), "x"))) == ["new"]


async def test_an_open_stream_shows_what_comes_after_the_clock_was_put_right() -> None:
    table = Table()
    feed = table.feed()
    table.commit("ahead", 10 * MINUTE)
    assert await take_all(feed) == ["ahead"]
    table.commit("first", 30)
    assert await take_all(feed) == ["first"]
    table.commit("second", 2 * MINUTE)
    assert await take_all(feed) == ["second"]


async def test_an_open_stream_shows_what_comes_while_the_clock_is_behind() -> None:
    table = Table()
    feed = table.feed()
    table.commit("right", 1)
    assert await take_all(feed) == ["right"]
    table.commit("behind", 30 - 10 * MINUTE)
    assert await take_all(feed) == ["behind"]
    table.commit("right again", MINUTE)
    assert await take_all(feed) == ["right again"]


@pytest.mark.parametrize("now", [3 * MINUTE, 8 * MINUTE, 12 * MINUTE, 300 * MINUTE])
@pytest.mark.parametrize("last", [10 * MINUTE, -10 * MINUTE], ids=["ahead", "behind"])
async def test_a_stream_that_resumes_shows_what_came_after_the_clock_was_put_right(
    last: float, now: float
) -> None:
    table = Table()
    table.commit("last", last)
    cursor = Cursor(after(last), "last")
    table.commit("first", 30)
    table.commit("second", 2 * MINUTE)
    taken = await take_all(table.feed(cursor, after(now)))
    assert sorted(taken) == ["first", "last", "second"]


async def test_a_clock_put_back_shows_no_old_row_again() -> None:
    table = Table()
    for number in range(30):
        table.commit(f"old-{number}", -MINUTE * number - 61)
    feed = table.feed()
    assert await take_all(feed) == []
    table.commit("behind", -10 * MINUTE)
    assert await take_all(feed) == ["behind"]


async def test_equal_times_are_all_given_over_pages() -> None:
    table = Table()
    ids = [f"id-{number:04}" for number in range(KEYS + 2 * PAGE_SIZE + 1)]
    for id_ in ids:
        table.commit(id_, 0)
    feed = table.feed()
    assert await take_all(feed) == ids
    reads = table.reads
    assert await take_all(feed) == []
    assert table.reads == reads + 2


async def test_remembers_no_more_than_can_be_read_again() -> None:
    table = Table()
    feed = table.feed(Cursor(after(-86_400), "x"))
    for number in range(3 * PAGE_SIZE):
        table.commit(f"id-{number}", 10.0 * (number + 1 - 3 * PAGE_SIZE))
    assert len(await take_all(feed)) == 3 * PAGE_SIZE
    assert feed.remembered == LOOK_BACK.total_seconds() / 10 + 1


@dataclass
class Clock:
    """The database's clock: off by up to ten minutes in all, and set again and again."""

    jumps: list[tuple[float, float]]  # when, and how far ahead it is from then on

    def at(self, seconds: float) -> float:
        ahead = 0.0
        for when, offset in sorted(self.jumps):
            if when <= seconds:
                ahead = offset
        return seconds + ahead


@given(
    rows=st.lists(
        # when it was inserted, and seconds until it is committed
        st.tuples(st.floats(-1500, 1500), st.floats(0, 60)),
        max_size=60,
    ),
    looks=st.lists(st.floats(0, 1500), min_size=1, max_size=20),
    jumps=st.lists(st.tuples(st.floats(-1500, 1500), st.floats(0, 600)), max_size=6),
    cuts=st.sets(st.integers(0, 20)),
)
def test_every_row_is_given_once_a_stream_and_none_is_missed_when_it_is_cut(
    rows: list[tuple[float, float]],
    looks: list[float],
    jumps: list[tuple[float, float]],
    cuts: set[int],
) -> None:
    async def check() -> None:
        table, clock = Table(), Clock(jumps)
        feed = table.feed()
        cursor: Cursor | None = None
        expected, seen, taken = set[str](), set[str](), list[str]()
        for number, look in enumerate([0.0, *sorted(looks), 3000.0]):
            for index, (inserted, delay) in enumerate(rows):
                id_ = f"id-{index}"
                if id_ not in table.rows and inserted + delay <= look:
                    table.commit(id_, clock.at(inserted))
                    expected |= {id_} if number else set()
            if number == 0 or (number in cuts and cursor is not None):
                feed = table.feed(cursor, after(clock.at(look)))
                taken = []
            for row in await take_rows(feed):
                taken.append(row["webhook_id"])
                cursor = position_of(row)
            assert len(taken) == len(set(taken))
            seen |= set(taken)
        assert expected <= seen

    asyncio.run(check())
