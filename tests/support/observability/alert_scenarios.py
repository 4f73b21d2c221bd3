"""Series of a SwapShop that is well, what happens to them, and which alerts follow by promtool."""

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from support.servers.processes import find_program

STEP_SECONDS: Final = 30
STEPS_PER_MINUTE: Final = 2

REQUESTS: Final = "http_server_request_duration_seconds"


def of(job: str, metric: str, labels: str = "") -> str:
    """A series of a job; `labels` as in `result="met"`."""
    return f'{metric}{{job="swapshop-{job}"{", " if labels else ""}{labels}}}'


def answers(job: str, route: str, status: int, le: str | None = None) -> str:
    """The count of a route's answers; of those within `le` seconds."""
    labels = f'http_route="{route}", http_response_status_code="{status}"'
    if le is None:
        return of(job, f"{REQUESTS}_count", labels)
    return of(job, f"{REQUESTS}_bucket", f'{labels}, le="{le}"')


def placing(status: int, le: str | None = None) -> str:
    """The count of answers to placing an order; of those within `le` seconds."""
    series = answers("api", "/api/orders", status, le)
    return series.replace("http_route=", 'http_request_method="POST", http_route=')


ORDER: Final = "/api/orders/{order_id}"
UP: Final = {job: of(job, "up", f'instance="{job}-1"') for job in ("api", "receiver", "exporter")}
MET, MISSED = (
    of("exporter", "swapshop_order_notification_deadlines_total", f'result="{result}"')
    for result in ("met", "missed")
)
DELIVERED: Final = of("exporter", "swapshop_deliveries_delivered_total")
POLLER_AGE: Final = of("exporter", "swapshop_poller_last_success_age_seconds")


def dead_letters(reason: str) -> str:
    return of("exporter", "swapshop_dead_letters_total", f'reason="{reason}"')


def deliveries(state: str) -> str:
    return of("exporter", "swapshop_deliveries", f'state="{state}"')


@dataclass(frozen=True)
class Line:
    """The values of a series: from a value on, growing by a slope per step of 30 s."""

    start: float = 0
    slope: float = 0

    def at(self, step: int) -> float:
        return self.start + self.slope * step


GONE: Final = None
"""In a change: the series ends."""

Change = Line | None
Changes = Mapping[str, Change]


def _healthy() -> dict[str, Line]:
    series = {name: Line(1) for name in UP.values()}
    for job, route, rate in (("api", ORDER, 300), ("receiver", "/api/notifications", 30)):
        for le in (None, "0.25", "+Inf"):
            series[answers(job, route, 200, le)] = Line(0, rate)
    for le in (None, "0.25", "+Inf"):
        series[placing(201, le)] = Line(0, 30)
    for status in (500, 503):
        series[placing(status)] = Line(0)
    for job in ("api", "receiver"):
        series[of(job, "swapshop_database_durable", f'pool="{job}"')] = Line(1)
    for reason in ("conflict", "malformed", "exhausted", "poison"):
        series[dead_letters(reason)] = Line(0)
    for state in ("READY", "LEASED", "DONE", "DEAD"):
        series[deliveries(state)] = Line(0)
    for name in ("blocked", "given_up", "late", "processed_without_delivery", "unaccounted"):
        series[of("exporter", f"swapshop_orders_{name}")] = Line(0)
    for store in ("mysql", "redis"):
        series[of(store, "up", f'instance="{store}-1"')] = Line(1)
        series[of(store, f"{store}_up")] = Line(1)
    return series | {
        of("exporter", "swapshop_orders", 'estado="PENDING"'): Line(0),
        of("exporter", "swapshop_pipeline_collect_errors_total"): Line(0),
        of("exporter", "swapshop_pipeline_collect_duration_seconds"): Line(0.1),
        of("exporter", "swapshop_lease_expirations_total"): Line(0),
        MET: Line(0, 30),
        MISSED: Line(0),
        DELIVERED: Line(0, 30),
        POLLER_AGE: Line(15),
    }


HEALTHY: Final[Mapping[str, Line]] = _healthy()


@dataclass(frozen=True)
class Event:
    """Something that happens at a minute: series change, begin or end.

    Args:
        minute: when.
        changes: series → its new line, counted from then on.
    """

    minute: int
    changes: Changes


@dataclass(frozen=True)
class Scenario:
    """Events, and the alerts that are active at each minute.

    Args:
        events: in the order of their minutes.
        firing: minute → the alerts that fire then, of any severity; of a burn-rate alert with its
            window, as in "NotifiedBurn 1h".
        pages: minute → the pages that fire or are pending then.
        before: what the series are from the start.
        evaluated_every: seconds; days pass quicker in larger steps.
    """

    events: Sequence[Event]
    firing: Mapping[int, set[str]] = field(default_factory=dict[int, set[str]])
    pages: Mapping[int, set[str]] = field(default_factory=dict[int, set[str]])
    before: Mapping[str, Line] = field(default_factory=lambda: HEALTHY)
    evaluated_every: int = STEP_SECONDS

    def document(self, rules: Path) -> dict[str, Any]:
        """The input of `promtool test rules`."""
        end = max([*self.firing, *self.pages])
        return {
            "rule_files": [str(rules)],
            "evaluation_interval": f"{self.evaluated_every}s",
            # promtool shuffles them otherwise: an alert would see what was recorded a step ago
            "group_eval_order": groups_of(rules),
            "tests": [
                {
                    "interval": f"{STEP_SECONDS}s",
                    "input_series": list(self._input(end * STEPS_PER_MINUTE)),
                    "promql_expr_test": [*self._expectations()],
                }
            ],
        }

    def _input(self, steps: int) -> Iterable[Mapping[str, str]]:
        names = dict.fromkeys([*self.before, *(n for e in self.events for n in e.changes)])
        for name in names:
            changes: list[tuple[int, Change]] = [
                (0, self.before.get(name)),
                *(
                    (event.minute * STEPS_PER_MINUTE, event.changes[name])
                    for event in self.events
                    if name in event.changes
                ),
            ]
            yield {"series": name, "values": _values(changes, steps)}

    def _expectations(self) -> Iterable[Mapping[str, Any]]:
        wanted = {'alertstate="firing"': self.firing, 'severity="page"': self.pages}
        for matcher, times in wanted.items():
            for minute, alerts in times.items():
                yield {
                    "expr": f"group by (alertname, window) (ALERTS{{{matcher}}})",
                    "eval_time": f"{minute}m",
                    "exp_samples": [{"labels": _labels(alert), "value": 1} for alert in alerts],
                }


@cache
def groups_of(rules: Path) -> list[str]:
    """The groups of a file of rules, in its order."""
    content = yaml.safe_load(rules.read_text(encoding="utf-8"))
    return [group["name"] for group in content["groups"]]


def _labels(alert: str) -> str:
    name, _, window = alert.partition(" ")
    return f'{{alertname="{name}"' + (f', window="{window}"}}' if window else "}")


def _values(changes: Sequence[tuple[int, Change]], steps: int) -> str:
    parts: list[str] = []
    ends = [*(step for step, _ in changes[1:]), steps + 1]
    for (begin, line), end in zip(changes, ends, strict=True):
        count = end - begin - 1  # `axn` are n values after the first
        if count < 0:
            continue
        if line is None:
            parts.append("stale" if parts else "_")
            parts.append(f"_x{count}" if count else "")
        else:
            sign = "-" if line.slope < 0 else "+"
            parts.append(f"{line.start:g}{sign}{abs(line.slope):g}x{count}")
    return " ".join(part for part in parts if part)


def gone(part: str) -> dict[str, Change]:
    """The series whose name has this part end."""
    return {name: GONE for name in HEALTHY if part in name}


def happens(minute: int, changes: Changes, **after: set[str]) -> Scenario:
    """One event; `after` is m5={...}: the alerts that fire five minutes later, and no other."""
    firing = {minute + int(name[1:]): alerts for name, alerts in after.items()}
    return Scenario([Event(minute, changes)], firing=firing)


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs promtool; the caller has asked `find_program` for it."""
    program = find_program("promtool")
    assert program is not None
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=100, check=False
    )


def run(scenario: Scenario, rules: Path, folder: Path) -> None:
    """Plays a scenario; another alert than expected is an AssertionError with promtool's words."""
    play(scenario.document(rules), folder)


def play(document: Mapping[str, Any], folder: Path) -> None:
    """Lets promtool test what a document says, as `run` does."""
    file = folder / "scenario.test.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    result = promtool("test", "rules", str(file))
    assert result.returncode == 0, result.stdout + result.stderr
