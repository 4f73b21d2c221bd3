"""What is committed is what `./task generate` writes."""

import pytest

from swapshop_operations.generate import files
from swapshop_operations.repository import ROOT


@pytest.mark.parametrize("name", sorted(files.generated()))
def test_a_committed_file_is_what_is_generated(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == files.generated()[name]


def test_the_chart_has_no_file_that_nothing_generates() -> None:
    there = (ROOT / files.CHART_FILES).rglob("*.*")
    assert {str(path.relative_to(ROOT)) for path in there} <= set(files.generated())
