"""Which tests a change concerns, by the folders that mirror each other."""

import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_KINDS: Final = ("unit", "integration")

_AREAS: Final = {
    "charts": ("tests/chart",),
    "docs": ("tests/unit/docs", "tests/unit/prose"),
    "observability": ("tests/observability",),
    "operations": (
        "tests/unit/operations",
        "tests/observability",
        "tests/integration/k6",
        "tests/integration/k8s",
    ),
}
"""Folders that are not services, and their tests."""


def changed_files(base: str) -> list[str]:
    """Return the files that differ from where this branch left another, new ones too.

    Raises:
        subprocess.CalledProcessError: git is missing, or does not know the base.
    """
    start = _git("merge-base", base, "HEAD")
    committed_or_not = _git("diff", "--name-only", *start)
    return committed_or_not + _git("ls-files", "--others", "--exclude-standard")


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(  # noqa: S603 - the arguments above
        ["git", *arguments],  # noqa: S607 - the developer's own git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.splitlines()


def concerns(test_file: Path, changed: Iterable[str]) -> bool:
    """Tell whether any of the changed files concerns a file of tests."""
    own = PurePosixPath(test_file.relative_to(ROOT))
    return any(_concerns(own, PurePosixPath(path)) for path in changed)


def _concerns(own: PurePosixPath, path: PurePosixPath) -> bool:
    folders: Iterable[str | PurePosixPath] = ()
    match path.parts:
        case ("services", "contracts", *_):
            folders = ("tests/contract",)
        case ("services", service, _, capability, _, *_):
            folders = [f"tests/{kind}/{service}/{capability}" for kind in _KINDS]
        case ("services", service, *_):  # above the capabilities, or without any
            return own.parent in [PurePosixPath("tests", kind, service) for kind in _KINDS]
        case ("tests", "support", *_):
            module = ".".join(path.with_suffix("").parts[1:])
            return module in (ROOT / own).read_text(encoding="utf-8")
        case ("tests", _, *_, "conftest.py"):
            folders = (path.parent,)
        case (folder, *_):
            folders = _AREAS.get(folder, ())
        case _:
            pass
    return own == path or any(own.is_relative_to(folder) for folder in folders)
