"""Makes Prometheus' rules and Alertmanager's inhibit rules from slos.yaml and alerts.yaml.

The burn-rate alerts follow Google's SRE Workbook, chapter 5 ("Multiwindow, Multi-Burn-Rate
Alerts"); the recorded series have Sloth's names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from swapshop_operations.repository import OBSERVABILITY

HEADER: Final = "# Made of observability/{sources} by `./task generate`: edit them, not this.\n"

Rule = dict[str, Any]
Severity = Literal["page", "ticket"]

STEP: Final = 30
"""Seconds between two evaluations of an SLO's events; the traffic gate depends on it."""
WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
HOURS: Final = {"1h": 1, "6h": 6, "1d": 24, "3d": 72}


@dataclass(frozen=True)
class Burn:
    """A burn rate of the error budget that raises an alert; a rate of 1 uses it up in 30 days."""

    factor: float
    long: str
    short: str
    severity: Severity
    pending: str


BURNS: Final = (
    Burn(14.4, "1h", "5m", "page", "2m"),
    Burn(6, "6h", "30m", "page", "2m"),
    Burn(3, "1d", "2h", "ticket", "15m"),
    Burn(1, "3d", "6h", "ticket", "15m"),
)


@dataclass(frozen=True)
class Slo:
    """An objective; slos.yaml describes the fields."""

    name: str
    alert: str
    objective: float
    min_per_hour: int
    promise: str
    events: str
    errors: str
    threshold: float | None = None

    @property
    def budget(self) -> float:
        """The share of events that can be bad without missing the objective."""
        return round(1 - self.objective, 6)


@dataclass(frozen=True)
class Alert:
    """An alert on a cause; alerts.yaml describes the fields."""

    alert: str
    severity: Severity
    pending: str
    expr: str
    summary: str
    description: str
    inhibits: Sequence[str] = ()


@dataclass(frozen=True)
class Sources:
    """The contents of slos.yaml and alerts.yaml."""

    window: str
    held: Sequence[Rule]
    slos: Sequence[Slo]
    alerts: Sequence[Alert]
    vanished: Mapping[str, Sequence[str]]
    runbooks: str


def load(folder: Path = OBSERVABILITY) -> Sources:
    """Read both files; an unknown or missing field is a TypeError."""
    objectives: Any = yaml.safe_load((folder / "slos.yaml").read_text(encoding="utf-8"))
    causes: Any = yaml.safe_load((folder / "alerts.yaml").read_text(encoding="utf-8"))
    return Sources(
        window=objectives["window"],
        held=objectives["held"],
        slos=[Slo(**slo) for slo in objectives["slos"]],
        alerts=[Alert(**alert) for alert in causes["alerts"]],
        vanished=causes["vanished"],
        runbooks=causes["runbooks"],
    )


def _event_rules(slo: Slo) -> Iterable[Rule]:
    labels = {"slo": slo.name}
    yield {"record": "slo:objective:ratio", "expr": f"vector({slo.objective})", "labels": labels}
    yield {"record": "slo:sli_events:rate5m", "expr": slo.events, "labels": labels}
    # Before the first bad event there can be no series of bad events.
    errors = f"({slo.errors})\nor\n0 * ({slo.events})"
    yield {"record": "slo:sli_errors:rate5m", "expr": errors, "labels": labels}


def _ratio(window: str) -> str:
    if window == "5m":
        return "slo:sli_errors:rate5m\n/ (slo:sli_events:rate5m > 0)"
    return (
        f"sum_over_time(slo:sli_errors:rate5m[{window}])\n"
        f"/ (sum_over_time(slo:sli_events:rate5m[{window}]) > 0)"
    )


def _window_rules(windows: Iterable[str]) -> Iterable[Rule]:
    for window in windows:
        yield {"record": f"slo:sli_error:ratio_rate{window}", "expr": _ratio(window)}
        if window in HOURS:
            count = f"sum_over_time(slo:sli_events:rate5m[{window}]) * {STEP}"
            yield {"record": f"slo:sli_events:count{window}", "expr": count}


def _budget_rule(window: str) -> Rule:
    return {
        "record": "slo:period_error_budget_remaining:ratio",
        "expr": f"1 - ({_ratio(window)})\n/ on (slo) (1 - slo:objective:ratio)",
    }


def _burn_alert(slo: Slo, burn: Burn, runbooks: str) -> Rule:
    where = f'{{slo="{slo.name}"}}'
    limit = f"{burn.factor} * {slo.budget}"
    return {
        "alert": slo.alert,
        "expr": (
            f"slo:sli_error:ratio_rate{burn.long}{where} > {limit}\n"
            f"and slo:sli_error:ratio_rate{burn.short}{where} > {limit}\n"
            f"and slo:sli_events:count{burn.long}{where} >= {slo.min_per_hour * HOURS[burn.long]}"
        ),
        "for": burn.pending,
        "labels": {"severity": burn.severity, "window": burn.long},
        "annotations": {
            "summary": f"The error budget of {slo.name} burns {burn.factor} times too fast",
            "description": (
                f"Promised: {slo.objective * 100:g} % of {slo.promise}. In the last {burn.long}, "
                "{{ $value | humanizePercentage }} were not."
            ),
            "runbook": f"{runbooks}{slo.alert}.md",
        },
    }


def _cause_alert(alert: Alert, runbooks: str) -> Rule:
    return {
        "alert": alert.alert,
        "expr": alert.expr.strip(),
        "for": alert.pending,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook": f"{runbooks}{alert.alert}.md",
        },
    }


def _vanished_alert(vanished: Mapping[str, Sequence[str]], runbooks: str) -> Rule:
    absences = [
        f'label_replace(absent({metric}{{job="{job}"}}), "metric", "{metric}", "", "")'
        for job, metrics in vanished.items()
        for metric in metrics
    ]
    return _cause_alert(
        Alert(
            alert="MetricVanished",
            severity="ticket",
            pending="15m",
            expr="({})\nand on (job) (max by (job) (up) == 1)".format("\nor ".join(absences)),
            summary="{{ $labels.metric }} is no longer exported",
            description=(
                "{{ $labels.job }} answers Prometheus without {{ $labels.metric }}, so the alerts "
                "and dashboards that read it show nothing. Check that images and rules are of the "
                "same release."
            ),
        ),
        runbooks,
    )


def rule_groups(sources: Sources) -> list[Rule]:
    """Return the groups of Prometheus' rule file."""
    slos = sources.slos
    events = [rule for slo in slos for rule in _event_rules(slo)]
    burns = [_burn_alert(slo, burn, sources.runbooks) for slo in slos for burn in BURNS]
    causes = [_cause_alert(alert, sources.runbooks) for alert in sources.alerts]
    return [
        {
            "name": "swapshop-slo",
            "interval": f"{STEP}s",
            "rules": [*sources.held, *events, *_window_rules(WINDOWS[:4])],
        },
        # Expensive and slow to change; still below the 5 minutes after which a sample is stale.
        {
            "name": "swapshop-slo-long",
            "interval": "2m",
            "rules": [*_window_rules(WINDOWS[4:]), _budget_rule(sources.window)],
        },
        {"name": "swapshop-slo-alerts", "interval": f"{STEP}s", "rules": burns},
        {
            "name": "swapshop-causes",
            "interval": f"{STEP}s",
            "rules": [*causes, _vanished_alert(sources.vanished, sources.runbooks)],
        },
    ]


def inhibit_rules(sources: Sources) -> list[Rule]:
    """Return Alertmanager's inhibit rules: an alert on a cause silences those on its effects."""
    of_causes: list[Rule] = [
        {
            "source_matchers": [f'alertname="{alert.alert}"'],
            "target_matchers": [f'alertname=~"{"|".join(alert.inhibits)}"'],
        }
        for alert in sources.alerts
        if alert.inhibits
    ]
    burns = "|".join(slo.alert for slo in sources.slos)
    paged: Rule = {
        "source_matchers": ['severity="page"', f'alertname=~"{burns}"'],
        "target_matchers": ['severity="ticket"', f'alertname=~"{burns}"'],
        "equal": ["alertname"],
    }
    return [*of_causes, paged]


class _Dumper(yaml.SafeDumper):
    """Writes a multi-line text as a block."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(_: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return yaml.ScalarNode("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def _yaml(content: Mapping[str, Any], sources: str) -> str:
    body = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return HEADER.format(sources=sources) + body


def rules_text() -> str:
    """Return Prometheus' rule file."""
    return _yaml({"groups": rule_groups(load())}, "{slos,alerts}.yaml")


def inhibit_rules_text() -> str:
    """Return `inhibit_rules` of Alertmanager's configuration."""
    return _yaml({"inhibit_rules": inhibit_rules(load())}, "alerts.yaml")
