"""What is committed is what `./task generate` writes."""

import pytest

from swapshop_operations.generate import observability
from swapshop_operations.repository import ROOT


@pytest.mark.parametrize("name", sorted(observability.generated()))
def test_a_committed_file_is_what_is_generated(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == observability.generated()[name]


def test_the_chart_has_no_file_that_nothing_generates() -> None:
    there = (ROOT / observability.CHART_FILES).rglob("*.*")
    assert {str(path.relative_to(ROOT)) for path in there} <= set(observability.generated())
