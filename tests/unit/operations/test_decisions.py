"""The index of the decision records."""

from pathlib import Path

import pytest

from swapshop_operations.generate.decisions import index, row

RECORD = """# 7. Limits | in one script

**Context.** A login is counted twice.

**Decision.** A sliding log in one
script. The process has one too.

**Consequence.** One round trip.
"""


def test_a_row_has_title_status_and_the_first_sentence_of_the_decision() -> None:
    assert row("0007-limits.md", RECORD) == (
        "| 7 | [Limits \\| in one script](0007-limits.md) | in force "
        "| A sliding log in one script. |\n"
    )


def test_a_status_line_shows_in_the_index() -> None:
    text = RECORD + "\n**Status.** Replaced by\n[9](0009-x.md).\n"
    assert "| Replaced by [9](0009-x.md). |" in row("0007-limits.md", text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("0008-limits.md", RECORD),
        ("0007-limits.md", RECORD.replace("**Decision.**", "Decision:")),
        ("0007-limits.md", RECORD.removeprefix("# 7. ")),
    ],
)
def test_a_record_of_another_form_is_an_error(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        row(name, text)


def test_the_index_is_sorted_and_leaves_itself_out(tmp_path: Path) -> None:
    (tmp_path / "0007-b.md").write_text(RECORD, encoding="utf-8")
    (tmp_path / "0002-a.md").write_text(RECORD.replace("# 7", "# 2"), encoding="utf-8")
    (tmp_path / "README.md").write_text("old", encoding="utf-8")
    rows = [line for line in index(tmp_path).splitlines() if line.startswith("| ") and "](" in line]
    assert [line.split(" | ")[0] for line in rows] == ["| 2", "| 7"]
