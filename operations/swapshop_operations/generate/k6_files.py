"""The load tests' thresholds, made of slos.yaml, and the copy of k6/ that the chart installs."""

import json
from typing import Final

from swapshop_operations.monitoring import rules
from swapshop_operations.repository import ROOT, SCRIPTS

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
