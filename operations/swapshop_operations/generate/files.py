"""Writes all generated files: rules, dashboards, load tests and the index of decisions."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from swapshop_operations.dashboards import dashboards
from swapshop_operations.generate import decisions, k6_files
from swapshop_operations.monitoring import rules
from swapshop_operations.repository import ROOT

CHART_FILES: Final = "charts/swapshop/files/observability"

Source = Callable[[], Mapping[str, str]]
"""Makes files: path in the repository → text."""


def rule_files() -> dict[str, str]:
    """Return Prometheus' rules and Alertmanager's inhibit rules."""
    return {
        f"{CHART_FILES}/rules.yaml": rules.rules_text(),
        f"{CHART_FILES}/inhibit_rules.yaml": rules.inhibit_rules_text(),
    }


def load_test_files() -> dict[str, str]:
    """Return the load tests' thresholds and the scripts that the chart installs."""
    return k6_files.files()


def dashboard_files() -> dict[str, str]:
    """Return Grafana's dashboards."""
    return {
        f"{CHART_FILES}/dashboards/{name}": json.dumps(board, indent=2, ensure_ascii=False) + "\n"
        for name, board in dashboards().items()
    }


SOURCES: Final[Sequence[Source]] = (rule_files, dashboard_files, load_test_files, decisions.files)


def generated() -> dict[str, str]:
    """Return every generated file: path in the repository → text."""
    return {path: text for source in SOURCES for path, text in source().items()}


def write() -> None:
    """Write every generated file and print the path of each that changed."""
    for name, text in generated().items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(name)


if __name__ == "__main__":
    write()
