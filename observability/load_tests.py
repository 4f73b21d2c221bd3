"""The load tests' thresholds, made of slos.yaml, and the copy of k6/ that the chart installs."""

import json
from pathlib import Path
from typing import Final

import rules

SCRIPTS: Final = "k6"
CHART_SCRIPTS: Final = "charts/swapshop/files/k6"
SEEN: Final = ("api-availability", "api-latency", "notified")
"""The objectives that a client can judge."""


def condition(slo: rules.Slo) -> str:
    """Return how k6 says that an objective is met: of a share, or of a duration in milliseconds."""
    if slo.threshold is None:
        return f"rate<={slo.budget:g}"
    return f"p({slo.objective * 100:g})<={slo.threshold * 1000:g}"


def thresholds_text() -> str:
    """Return the thresholds as JSON: an objective's name → k6's conditions."""
    slos = {slo.name: slo for slo in rules.load().slos}
    return json.dumps({name: [condition(slos[name])] for name in SEEN}, indent=2) + "\n"


def files(root: Path) -> dict[str, str]:
    """Return the thresholds, and what the chart has of k6/: the path below the root → the text."""
    thresholds = thresholds_text()
    scripts = {
        str(path.relative_to(root / SCRIPTS)): path.read_text(encoding="utf-8")
        for path in sorted((root / SCRIPTS).rglob("*.js"))
    }
    return {
        f"{SCRIPTS}/thresholds.json": thresholds,
        f"{CHART_SCRIPTS}/thresholds.json": thresholds,
        **{f"{CHART_SCRIPTS}/{name}": text for name, text in scripts.items()},
    }
