"""Finds turns of phrase to avoid in a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prose.extract import Prose, prose_of
from prose.turns import TURNS, Turn


@dataclass(frozen=True, slots=True)
class Finding:
    """A turn of phrase in a file, at a line counted from 1."""

    path: Path
    line: int
    words: str
    turn: Turn

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: '{self.words}': write {self.turn.instead}"


def findings(path: Path) -> list[Finding]:
    """Return the turns of phrase to avoid in a file, by line.

    Raises:
        ValueError: a file of an unknown kind.
    """
    found = {
        finding
        for prose in prose_of(path)
        for turn in TURNS
        for finding in _matches(path, prose, turn)
    }
    return sorted(found, key=lambda finding: (finding.line, finding.words))


def _matches(path: Path, prose: Prose, turn: Turn) -> Iterator[Finding]:
    if turn.opening:
        if not prose.has_opening:
            return
        match = turn.regex.match(prose.text.lstrip())
        matches = [match] if match else []
    else:
        matches = list(turn.regex.finditer(prose.text))
    for match in matches:
        line = prose.line + (0 if turn.opening else prose.text.count("\n", 0, match.start()))
        yield Finding(path, line, " ".join(match[0].split()), turn)
