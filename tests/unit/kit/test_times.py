"""Times in JSON: one format, with microseconds, in UTC."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from swapshop_kit.times import UtcTimestamp, to_rfc3339

_zones = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


class _Sample(BaseModel):
    at: UtcTimestamp


def test_microseconds_and_z_are_always_written() -> None:
    assert to_rfc3339(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000000Z"
    assert to_rfc3339(datetime(2026, 1, 2, 3, 4, 5, 6, UTC)) == "2026-01-02T03:04:05.000006Z"


@given(st.datetimes(datetime(1000, 1, 3), datetime(9999, 1, 1), timezones=_zones))  # noqa: DTZ001 - hypothesis wants the bounds naive
def test_any_moment_reads_back_and_sorts_as_text(at: datetime) -> None:
    text = to_rfc3339(at)

    assert len(text) == len("2026-01-02T03:04:05.000006Z")
    assert datetime.fromisoformat(text) == at
    assert (text < to_rfc3339(at + timedelta(microseconds=1))) is True


def test_a_model_writes_it_in_json_and_keeps_the_datetime_in_python() -> None:
    at = datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=-5)))

    assert _Sample(at=at).model_dump_json() == '{"at":"2026-01-02T05:00:00.000000Z"}'
    assert _Sample(at=at).model_dump() == {"at": at}
