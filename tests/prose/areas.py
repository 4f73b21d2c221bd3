"""The files whose prose is checked."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

CLEAN: Final = (
    "*.md",
    "docs/runbooks/*.md",
    "observability/*.yaml",
    "k6/**/*.js",
    "operations/**/*.py",
    "tests/bench/*.py",
    "tests/chart/*.py",
    "tests/chaos/*.py",
    "tests/e2e/**/*.py",
    "tests/integration/k8s/*.py",
    "tests/prose/*.py",
    "tests/support/*/*.py",
    "tests/unit/prose/*.py",
    "web/*.js",
    "web/*.ts",
    "web/e2e/*.ts",
    "web/public/*",
    "web/scripts/*",
    "web/src/**/*",
    "web/tests/*",
)
"""Globs below the project's root, checked by `./task lint`."""

EVERYWHERE: Final = (
    "*.md",
    "*.toml",
    "*.yml",
    "charts/swapshop/**/*",
    "docs/**/*.md",
    "k6/**/*",
    "k8s/**/*",
    "observability/**/*",
    "operations/**/*",
    "services/**/*",
    "tests/**/*",
    "web/*.ts",
    "web/*.js",
    "web/e2e/**/*",
    "web/scripts/*",
    "web/src/**/*",
    "web/tests/**/*",
)
"""Globs of everything that has prose, counted by `python -m prose --count`."""

KINDS: Final = frozenset(
    {".py", ".js", ".mjs", ".ts", ".tsx", ".css", ".md", ".yaml", ".yml", ".toml", ".tpl", ".sh"}
)
GENERATED: Final = (
    "__generated__",
    "examples",
    "files/observability/",
    "node_modules",
    "/results/",
)


def files(root: Path, globs: Sequence[str]) -> Iterator[Path]:
    """Yield the files that the globs name, each once, without generated ones."""
    paths = {path for glob in globs for path in root.glob(glob)}
    for path in sorted(paths):
        name = path.relative_to(root).as_posix()
        has_prose = path.suffix in KINDS or path.name in {"Dockerfile", "NOTES.txt"}
        if path.is_file() and has_prose and not any(part in name for part in GENERATED):
            yield path
