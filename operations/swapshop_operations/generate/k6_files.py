"""The load tests' thresholds, made from slos.yaml, and the chart's copy of k6/."""

import json
from typing import Final

from swapshop_operations.monitoring import rules
from swapshop_operations.repository import ROOT, SCRIPTS

CHART_SCRIPTS: Final = "charts/swapshop/files/k6"
SEEN: Final = ("api-availability", "api-latency", "notified")
"""The objectives that a client can measure."""


def condition(slo: rules.Slo) -> str:
    """Return k6's threshold for an objective: a failure rate, or a percentile in milliseconds."""
    if slo.threshold is None:
        return f"rate<={slo.budget:g}"
    return f"p({slo.objective * 100:g})<={slo.threshold * 1000:g}"


def thresholds_text() -> str:
    """Return the thresholds as JSON: an objective's name → k6's conditions."""
    slos = {slo.name: slo for slo in rules.load().slos}
    return json.dumps({name: [condition(slos[name])] for name in SEEN}, indent=2) + "\n"


def files() -> dict[str, str]:
    """Return the thresholds and the chart's copies of the scripts, by path in the repository."""
    thresholds = thresholds_text()
    copies = {
        f"{CHART_SCRIPTS}/{path.relative_to(SCRIPTS).as_posix()}": path.read_text(encoding="utf-8")
        for path in sorted(SCRIPTS.rglob("*.js"))
    }
    return {
        (SCRIPTS / "thresholds.json").relative_to(ROOT).as_posix(): thresholds,
        f"{CHART_SCRIPTS}/thresholds.json": thresholds,
        **copies,
    }
