"""The comparison of CACHE_MODE on and off."""

import json
from pathlib import Path
from typing import Any

import pytest

from swapshop_operations.load.cache_comparison import Reads, compare, reads_of, write


class Machine:
    """Measures made-up figures: the cache triples the reads, and the machine grows slower."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def measure(self, mode: str, number: int) -> Reads:
        self.runs.append(f"{mode}-{number}")
        speed = 1000 - 4 * len(self.runs)
        return Reads(speed * (3 if mode == "on" else 1), 5, 300 / speed)


def test_both_modes_run_by_turns_and_a_drift_of_the_machine_cancels_out() -> None:
    machine = Machine()
    comparison = compare(machine.measure)
    turns = "on-1 off-1 off-2 on-2 on-3 off-3 off-4 on-4 on-5 off-5"
    assert machine.runs == turns.split()
    assert comparison.per_second.median == pytest.approx(3, rel=0.01)
    assert comparison.p99_ms.median == pytest.approx(1, rel=0.01)


def test_the_report_has_each_run_and_the_ratio_with_its_spread(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comparison = compare(Machine().measure)
    write(comparison, tmp_path)
    report = (tmp_path / "report.txt").read_text()
    assert report in capsys.readouterr().out
    assert [line.split()[0] for line in report.splitlines()[1:6]] == ["1", "2", "3", "4", "5"]
    ratio = comparison.per_second
    assert ratio.least < ratio.median < ratio.most
    assert f"reads per second, on over off: {ratio.median:.2f} (95 %: {ratio.low:.2f} to" in report
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["per_second"]["median"] == ratio.median
    assert len(summary["on"]) == len(summary["off"]) == 5


def test_the_figures_are_those_of_the_reads_alone() -> None:
    times = {"med": 2.0, "p(95)": 4.0, "p(99)": 5.0, "max": 6.0}
    rows: list[dict[str, Any]] = [
        {"label": "POST /api/orders", "perSecond": 7, "times": {}},
        {"label": "reads", "perSecond": 900.0, "times": times},
    ]
    assert reads_of({"requests": rows}) == Reads(900.0, 2.0, 5.0)
