"""What is committed is what `./task generate` writes."""

import pytest

import outputs


@pytest.mark.parametrize("name", sorted(outputs.generated()))
def test_a_committed_file_is_what_is_generated(name: str) -> None:
    assert (outputs.ROOT / name).read_text(encoding="utf-8") == outputs.generated()[name]


def test_the_chart_has_no_file_that_nothing_generates() -> None:
    there = (outputs.ROOT / outputs.CHART_FILES).rglob("*.*")
    assert {str(path.relative_to(outputs.ROOT)) for path in there} <= set(outputs.generated())
