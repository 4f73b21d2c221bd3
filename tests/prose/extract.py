"""Finds the prose of a file: docstrings, comments, and the whole text of documents."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Prose:
    """A piece of prose.

    Args:
        line: the line of the file, from 1, on which the text starts.
        text: the text, with the line breaks of the file.
        has_opening: a comment or docstring, whose first words are the start of a sentence.
    """

    line: int
    text: str
    has_opening: bool


def prose_of(path: Path) -> Iterator[Prose]:
    """Yield the prose of a file.

    Raises:
        ValueError: no rule says where a file of this kind has prose.
    """
    extract = _BY_SUFFIX.get(path.suffix or path.name)
    if extract is None:
        raise ValueError(f"{path}: nothing says where such a file has prose")
    yield from extract(path.read_text(encoding="utf-8"))


def _python(text: str) -> Iterator[Prose]:
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield Prose(node.lineno, node.value.value, has_opening=True)
    lines: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0]] = token.string.lstrip("# ")
    yield from _blocks(lines)


_SCRIPT: Final = re.compile(
    r"""
      "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | `(?:\\.|[^`\\])*`   # skipped: strings
    | (?<![:\\])//(?P<line>[^\n]*) | /\*(?P<block>.*?)\*/             # comments
    """,
    re.DOTALL | re.VERBOSE,
)


def _script(text: str) -> Iterator[Prose]:
    lines: dict[int, str] = {}
    for match in _SCRIPT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["line"] is not None:
            lines[line] = match["line"].lstrip("/ ")
        elif match["block"] is not None:
            comment = re.sub(r"(?m)^[ *]+", "", match["block"])
            yield Prose(line, comment, has_opening=True)
    yield from _blocks(lines)


def _markdown(text: str) -> Iterator[Prose]:
    without_code = re.sub(
        r"(?ms)^ *```.*?^ *```|`[^`]*`|\]\([^)]*\)|^ {4,}.*?$",
        lambda match: re.sub(r"[^\n]", ".", match[0]),
        text,
    )
    yield Prose(1, without_code, has_opening=False)


def _hash_comments(text: str) -> Iterator[Prose]:
    """Yield the comments, for their openings, and the whole text: values are prose too."""
    lines = {
        number: line.split("#", 1)[1].lstrip("# -")
        for number, line in enumerate(text.splitlines(), 1)
        if re.match(r"\s*#", line)
    }
    for block in _blocks(lines):
        yield Prose(block.line, block.text, has_opening=True)
    yield Prose(1, re.sub(r"(?m)^(\s*)#", r"\1 ", text), has_opening=False)


def _blocks(lines: Mapping[int, str]) -> Iterator[Prose]:
    """Join comments of consecutive lines."""
    start = 0
    block: list[str] = []
    for number, text in sorted(lines.items()):
        if block and number == start + len(block):
            block.append(text)
            continue
        if block:
            yield Prose(start, "\n".join(block), has_opening=True)
        start, block = number, [text]
    if block:
        yield Prose(start, "\n".join(block), has_opening=True)


_BY_SUFFIX: Final[Mapping[str, Callable[[str], Iterator[Prose]]]] = {
    ".py": _python,
    ".js": _script,
    ".mjs": _script,
    ".ts": _script,
    ".tsx": _script,
    ".css": _script,
    ".md": _markdown,
    ".yaml": _hash_comments,
    ".yml": _hash_comments,
    ".toml": _hash_comments,
    ".tpl": _hash_comments,
    ".txt": _hash_comments,
    ".sh": _hash_comments,
    "Dockerfile": _hash_comments,
}
