"""Writes the index of the decision records: docs/decisions/README.md."""

import re
from pathlib import Path
from typing import Final

from swapshop_operations.repository import ROOT

FOLDER: Final = "docs/decisions"
_TITLE: Final = re.compile(r"# (\d+)\. (.+)\n")
_STATUS: Final = re.compile(r"^\*\*Status\.\*\* (.+?)(?:\n\n|\n?\Z)", re.DOTALL | re.MULTILINE)
_DECISION: Final = re.compile(r"^\*\*Decision\.\*\* (.+?)(?:\n\n|\n?\Z)", re.DOTALL | re.MULTILINE)
_SENTENCE: Final = re.compile(r"(.+?[.:])(?:\s+[A-Z`\-*]|$)", re.DOTALL)
_INTRODUCTION: Final = """\
# Decisions

Each record is about 15 lines: the context, the decision, its consequence. To add one, take the
next free number and run `./task generate`, which writes this index. Numbers are reserved in blocks
for pieces of work done at the same time, so some numbers do not exist. A record that a later one
changes has a line `**Status.**` that names it.

| | record | status | decision |
|---|---|---|---|
"""


def row(name: str, text: str) -> str:
    """Return the line of the index for a record.

    Raises:
        ValueError: the record has no title with its number, or no decision.
    """
    title, decision = _TITLE.match(text), _DECISION.search(text)
    if title is None or decision is None or not name.startswith(f"{int(title[1]):04}-"):
        raise ValueError(f"{name}: needs '# NUMBER. TITLE' and a paragraph '**Decision.**'")
    status = _STATUS.search(text)
    sentence = _SENTENCE.match(decision[1])
    cells = (
        title[1],
        f"[{title[2]}]({name})",
        status[1] if status else "in force",
        sentence[1].rstrip(":") if sentence else decision[1],
    )
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |\n"


def index(records: Path = ROOT / FOLDER) -> str:
    """Return the index of the records in a folder, by number.

    Raises:
        ValueError: a record that is not of the usual form.
    """
    paths = sorted(path for path in records.glob("*.md") if path.name != "README.md")
    rows = (row(path.name, path.read_text(encoding="utf-8")) for path in paths)
    return _INTRODUCTION + "".join(rows)


def files() -> dict[str, str]:
    """Return the index: the path below the project's root → the text."""
    return {f"{FOLDER}/README.md": index()}
