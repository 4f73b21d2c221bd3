"""Compares CACHE_MODE on and off in alternating runs with the same image and data."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from swapshop_operations.load.ratios import Ratio, alternation, ratio_of

SCENARIO: Final = "cache-ab"
RUNS: Final = 5
"""Runs in each mode; with fewer the confidence interval is too wide."""
EXPECTED: Final = {"on": "HIT", "off": "BYPASS"}
"""The header X-Cache of a read in each mode."""


@dataclass(frozen=True)
class Reads:
    """The figures of one run."""

    per_second: float
    median_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Comparison:
    """The runs of both modes in order, and the ratios of on to off."""

    on: list[Reads]
    off: list[Reads]
    per_second: Ratio
    p99_ms: Ratio

    def __str__(self) -> str:
        lines = [f"{'run':5}{'on: per s':>12}{'p99 ms':>10}{'off: per s':>14}{'p99 ms':>10}"]
        for number, (on, off) in enumerate(zip(self.on, self.off, strict=True), 1):
            lines.append(
                f"{number:<5}{on.per_second:12.0f}{on.p99_ms:10.1f}"
                f"{off.per_second:14.0f}{off.p99_ms:10.1f}"
            )
        lines.append(f"reads per second, on over off: {self.per_second}")
        lines.append(f"p99, on over off: {self.p99_ms}")
        return "\n".join(lines)


def reads_of(summary: dict[str, Any]) -> Reads:
    """Return the figures of the scenario ``reads`` from a summary of k6/lib/summary.js."""
    (row,) = [row for row in summary["requests"] if row["label"] == "reads"]
    return Reads(row["perSecond"], row["times"]["med"], row["times"]["p(99)"])


def compare(measure: Callable[[str, int], Reads]) -> Comparison:
    """Measure both modes alternately.

    Args:
        measure: makes one run, given CACHE_MODE and the run's number in this mode, from 1.
    """
    found: dict[str, list[Reads]] = {"on": [], "off": []}
    for mode in alternation("on", "off", RUNS):
        found[mode].append(measure(mode, len(found[mode]) + 1))
        print(f"CACHE_MODE={mode}: {found[mode][-1].per_second:.0f} reads per second", flush=True)
    on, off = found["on"], found["off"]
    return Comparison(
        on,
        off,
        ratio_of([it.per_second for it in on], [it.per_second for it in off]),
        ratio_of([it.p99_ms for it in on], [it.p99_ms for it in off]),
    )


def write(comparison: Comparison, folder: Path) -> None:
    """Print the comparison and write report.txt and summary.json into a folder."""
    print(comparison)
    (folder / "report.txt").write_text(f"{comparison}\n", encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps(asdict(comparison)), encoding="utf-8")
