"""What a stream sends: every notification once, in whatever order they become visible."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import RowMapping

from swapshop_kit.cursors import Cursor
from swapshop_receiver.notifications.feed import PAGE_SIZE, Feed

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


@dataclass
class Table:
    """The rows that are committed by now."""

    rows: dict[str, datetime] = field(default_factory=dict[str, datetime])
    reads: int = 0

    def commit(self, webhook_id: str, seconds: float) -> None:
        self.rows[webhook_id] = NOW + timedelta(seconds=seconds)

    async def read(self, since: datetime, after: Cursor | None, limit: int) -> Sequence[RowMapping]:
        self.reads += 1
        ordered = sorted((at, id_) for id_, at in self.rows.items() if at >= since)
        if after is not None:
            ordered = [row for row in ordered if row > (after.at, after.id)]
        found: list[Mapping[str, Any]] = [
            {"webhook_id": id_, "received_at": at} for at, id_ in ordered[:limit]
        ]
        return cast("Sequence[RowMapping]", found)


async def take_all(feed: Feed) -> list[str]:
    """One pass to its end."""
    taken = [row["webhook_id"] for row, _ in await feed.next_page()]
    while feed.is_behind:
        taken += [row["webhook_id"] for row, _ in await feed.next_page()]
    return taken


async def test_begins_60_seconds_before_now_without_a_cursor() -> None:
    table = Table()
    table.commit("old", -60.000001)
    table.commit("edge", -60)
    table.commit("new", -1)
    assert await take_all(Feed(table.read, None, NOW)) == ["edge", "new"]


async def test_begins_60_seconds_before_the_cursor() -> None:
    table = Table()
    table.commit("old", -200.5)
    table.commit("in-window", -159)
    table.commit("at-cursor", -100)
    table.commit("after", -99)
    cursor = Cursor(NOW - timedelta(seconds=100), "at-cursor")
    assert await take_all(Feed(table.read, cursor, NOW)) == ["in-window", "at-cursor", "after"]


async def test_an_idle_feed_still_sees_what_was_uncommitted_when_it_began() -> None:
    table = Table()
    feed = Feed(table.read, None, NOW)
    assert await take_all(feed) == []
    table.commit("late", -4)
    assert await take_all(feed) == ["late"]


async def test_a_cursor_from_the_future_counts_as_now() -> None:
    table = Table()
    feed = Feed(table.read, Cursor(NOW + timedelta(days=1), "x"), NOW)
    table.commit("new", 1)
    assert await take_all(feed) == ["new"]


async def test_the_cursor_to_resume_from_never_goes_back() -> None:
    table = Table()
    feed = Feed(table.read, None, NOW)
    table.commit("b", 5)
    [(_, first)] = await feed.next_page()
    table.commit("a", 2)
    [(row, second)] = await feed.next_page()
    assert (row["webhook_id"], first, second) == ("a", second, Cursor(table.rows["b"], "b"))


async def test_equal_times_are_all_given_over_pages() -> None:
    table = Table()
    ids = [f"id-{number:04}" for number in range(2 * PAGE_SIZE + 1)]
    for id_ in ids:
        table.commit(id_, 0)
    feed = Feed(table.read, None, NOW)
    assert await take_all(feed) == ids
    assert table.reads == 3
    assert await take_all(feed) == []


async def test_remembers_no_more_than_the_window() -> None:
    table = Table()
    feed = Feed(table.read, Cursor(NOW - timedelta(days=1), "x"), NOW)
    for number in range(3 * PAGE_SIZE):
        table.commit(f"id-{number}", number - 3 * PAGE_SIZE)
    assert len(await take_all(feed)) == 3 * PAGE_SIZE
    assert feed.remembered == 61


@given(
    rows=st.lists(
        # seconds after the one before, seconds until it is committed
        st.tuples(st.floats(0, 30), st.floats(0, 5)),
        max_size=300,
    ),
    looks=st.lists(st.floats(0, 400), max_size=20),
)
def test_every_row_is_given_once_if_it_commits_within_5_seconds(
    rows: list[tuple[float, float]], looks: list[float]
) -> None:
    async def check() -> None:
        table, taken = Table(), list[str]()
        feed = Feed(table.read, None, NOW)
        received, commits = 0.0, list[tuple[float, str, float]]()
        for number, (gap, delay) in enumerate(rows):
            received += gap
            commits.append((received + delay, f"id-{number}", received))
        for at in sorted(looks):
            for committed, id_, received in commits:
                if committed <= at:
                    table.commit(id_, received)
            taken += await take_all(feed)
        for _, id_, received in commits:
            table.commit(id_, received)
        taken += await take_all(feed)
        assert sorted(taken) == sorted(table.rows)

    asyncio.run(check())
