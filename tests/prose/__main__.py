"""Check the prose of the project: `python -m prose`; `python -m prose --count` counts turns.

Exits 1 when a text has a turn of phrase to avoid.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from prose.areas import CLEAN, EVERYWHERE, files
from prose.find import Finding, findings

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check or count; return the exit status."""
    parser = argparse.ArgumentParser(prog="prose", description=__doc__)
    parser.add_argument("--count", action="store_true", help="count each turn over all areas")
    parser.add_argument("paths", nargs="*", type=Path, help="files to check instead of the areas")
    options = parser.parse_args(arguments)
    if options.count:
        counts = Counter(found.turn.example for found in _found(files(ROOT, EVERYWHERE)))
        for example, count in counts.most_common():
            print(f"{count:5}  {example}")
        return 0
    found = _found(options.paths or files(ROOT, CLEAN))
    for finding in found:
        print(finding)
    return 1 if found else 0


def _found(paths: Iterable[Path]) -> list[Finding]:
    return [finding for path in paths for finding in findings(path)]


if __name__ == "__main__":
    sys.exit(main())
