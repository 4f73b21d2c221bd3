"""The prose linter finds what it says it finds, where it says."""

from pathlib import Path

import pytest

from prose.areas import CLEAN, files
from prose.extract import prose_of
from prose.find import findings
from prose.turns import TURNS, Turn

ROOT = Path(__file__).resolve().parents[3]


def found(path: Path, text: str) -> list[tuple[int, str]]:
    path.write_text(text, encoding="utf-8")
    return [(finding.line, finding.words) for finding in findings(path)]


@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: turn.example)
def test_each_turn_matches_its_example_and_not_its_remedy(turn: Turn) -> None:
    assert turn.regex.search(turn.example)
    assert not turn.regex.search(turn.instead)


def test_python_is_read_in_docstrings_and_comments_and_nowhere_else(tmp_path: Path) -> None:
    text = (
        '"""A module.\n\nIt is run anew.\n"""\n'
        "x = 'beside'  # kept for\n"
        "y = 1\n"
        "# Waits and is away, kept for\n"
        "# ever.\n"
        "class C:\n"
        "    z: int\n"
        '    """What it holds."""\n'
    )
    assert found(tmp_path / "a.py", text) == [
        (3, "anew"),
        (7, "for ever"),
        (7, "is away"),
        (11, "What"),
    ]


def test_a_question_is_no_bad_opening(tmp_path: Path) -> None:
    assert found(tmp_path / "a.py", "# What is missing?\n") == []


def test_scripts_are_read_in_comments_only(tmp_path: Path) -> None:
    text = (
        "const a = 'beside // anew' // https://example.com tells\n"
        "/**\n * What it is.\n */\n"
        "const b = `anew`\n"
    )
    assert found(tmp_path / "a.ts", text) == [(1, "tells"), (2, "What")]


def test_markdown_is_read_without_its_code(tmp_path: Path) -> None:
    text = (
        "It is\naway.\n\n```sh\nrun anew\n```\n\n    run anew\n\n"
        "`anew` and [beside](anew.md), [here](anew.md).\n"
    )
    assert found(tmp_path / "a.md", text) == [(1, "is away"), (10, "beside")]


def test_yaml_is_read_in_comments_and_in_values(tmp_path: Path) -> None:
    text = "# Of one pod, kept for\n# ever.\ndescription: It is away.\n"
    assert found(tmp_path / "a.yaml", text) == [
        (1, "Of one"),
        (1, "for ever"),
        (3, "is away"),
    ]


def test_a_file_of_an_unknown_kind_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.xyz"
    path.write_text("anew", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.xyz"):
        list(prose_of(path))


def test_every_glob_of_the_clean_areas_names_a_file() -> None:
    assert [glob for glob in CLEAN if not any(files(ROOT, [glob]))] == []


def test_the_clean_areas_have_no_turn_to_avoid() -> None:
    assert [str(found) for path in files(ROOT, CLEAN) for found in findings(path)] == []
