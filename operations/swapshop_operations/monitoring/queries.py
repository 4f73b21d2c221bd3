r"""All queries of the dashboards and rules, and a check that a Prometheus has data for each.

    python -m swapshop_operations.monitoring.queries \
        --prometheus URL [--without OWNER]... [--minutes 15]

prints the queries that fail or return nothing, and exits with 1 if there are any. ``--without``
leaves out the queries on metrics of an owner (see metrics.yaml) that is missing, such as
``kubelet`` or, if the poller is a CronJob, ``poller``.
"""

import argparse
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import httpx
import promql_parser as promql

from swapshop_operations.dashboards import dashboards
from swapshop_operations.monitoring import catalogue, rules

Ask = Callable[[str], Sequence[float]]
"""Runs an instant query and returns its values; raises QueryFailed."""
Kind = Literal["panel", "variable", "record", "alert"]

INTERVALS: Final = {"$__rate_interval": "2m", "$__range": "15m"}
"""Values for Grafana's built-in variables."""
INTERVALS_PATTERN: Final = re.compile("|".join(re.escape(name) for name in INTERVALS))

# Queries that return nothing in health; the series that they read must exist nevertheless.
EMPTY_IN_HEALTH: Final[Mapping[str, str]] = {
    "swapshop-overview / Alerts": "no alert is pending",
    "swapshop-api / Failed requests by route": "no request fails",
    "swapshop-k6 / Iterations": "k6 reports dropped iterations only when it drops one",
    "swapshop-k6 / From order to notification, as the customer sees it": "only some scenarios wait",
    "swapshop-pipeline / Drain time": "nothing was delivered for two minutes",
}
# Matchers that select failures; because of them a selector can match nothing.
FAULTS: Final[Mapping[str, str]] = {
    "http_response_status_code": "no request fails",
    "expected_response": "no request of k6 fails",
}
# Metrics that do not exist until something goes wrong.
ABSENT_IN_HEALTH: Final[Mapping[str, str]] = {
    "ALERTS": "no alert is pending",
    "k6_dropped_iterations_total": "k6 had enough virtual users",
    "k6_order_notification_latency_p50": "only some scenarios wait for notifications",
    "k6_order_notification_latency_p99": "only some scenarios wait for notifications",
}


class QueryFailed(Exception):
    """Prometheus refused a query or did not answer; the message says why."""


@dataclass(frozen=True)
class Query:
    """A query and its place.

    Args:
        where: the dashboard's uid and the panel's title, or the rule's name.
        kind: an alert's query returns nothing unless the alert is pending or firing.
        expression: PromQL, without Grafana's variables.
    """

    where: str
    kind: Kind
    expression: str


@dataclass(frozen=True)
class Finding:
    """A query that fails or returns nothing."""

    query: Query
    problem: str

    def __str__(self) -> str:
        return f"{self.query.where}: {self.problem}\n    {self.query.expression}"


def queries() -> list[Query]:
    """Return all queries."""
    return [*_of_dashboards(), *_of_rules()]


def prove(ask: Ask, without: Collection[str] = (), minutes: int = 15) -> list[Finding]:
    """Run every query and return the findings.

    Args:
        ask: runs a query on the Prometheus to check.
        without: owners of missing metrics; queries on these are left out.
        minutes: a query passes if it returned a value at any time in this many minutes.
    """
    findings: list[Finding] = []
    for query in queries():
        if not _owners(query.expression) & set(without):
            try:
                problem = _problem(ask, query, minutes)
            except QueryFailed as failure:
                problem = str(failure)
            if problem:
                findings.append(Finding(query, problem))
    return findings


def prometheus(url: str, client: httpx.Client) -> Ask:
    """Return a function that queries the Prometheus at a URL."""

    def ask(expression: str) -> list[float]:
        try:
            answer = client.post(f"{url}/api/v1/query", data={"query": expression})
        except httpx.HTTPError as error:
            raise QueryFailed(f"{url}: {error}") from error
        if answer.status_code != 200:
            raise QueryFailed(answer.text)
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return [float(series["value"][1]) for series in result]

    return ask


def substituted(
    expression: str, variables: Mapping[str, str], intervals: Mapping[str, str] = INTERVALS
) -> str:
    """Return a panel's expression with values for Grafana's variables.

    Args:
        expression: the expression in the dashboard.
        variables: a variable's name, without the ``$``, → a regular expression of its values.
        intervals: a duration for each of INTERVALS.
    """
    expression = INTERVALS_PATTERN.sub(lambda found: intervals[found[0]], expression)
    return re.sub(r"\$(\w+)", lambda found: variables[found[1]], expression)


def variables_of(board: Mapping[str, Any]) -> dict[str, str]:
    """Return a regular expression of all values for each variable of a dashboard."""
    listed: list[dict[str, Any]] = board["templating"]["list"]
    return {each["name"]: each["allValue"] for each in listed if each["type"] == "query"}


def selectors(expression: str) -> list[promql.VectorSelector]:
    """Return the selectors of an expression.

    Raises:
        ValueError: the expression has a syntax error.
    """
    found: list[promql.VectorSelector] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)
        if isinstance(node, promql.MatrixSelector):
            found.append(node.vector_selector)

    promql.walk(promql.parse(expression), visit)
    return found


def _of_dashboards() -> Iterator[Query]:
    for board in dashboards().values():
        uid, variables = board["uid"], variables_of(board)
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                expression = substituted(target["expr"], variables)
                yield Query(f"{uid} / {panel['title']}", "panel", expression)
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield Query(f"{uid} / ${variable['name']}", "variable", _values(variable["query"]))


def _values(query: str) -> str:
    """Return Grafana's ``label_values(series, label)`` as PromQL."""
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    if found is None:
        raise ValueError(f"{query}: not label_values(series, label)")
    series, label = found.groups()
    any_value = re.sub(r'"\$\w+"', '".+"', series)
    return f"count by ({label}) ({any_value})"


def _of_rules() -> Iterator[Query]:
    for group in rules.rule_groups(rules.load()):
        for rule in group["rules"]:
            name = rule.get("alert") or rule["record"]
            yield Query(name, "alert" if "alert" in rule else "record", rule["expr"])


def _problem(ask: Ask, query: Query, minutes: int) -> str | None:
    found = _finds(ask, query.expression, minutes)
    if found or (query.kind != "alert" and query.where not in EMPTY_IN_HEALTH):
        return None if found else "finds nothing"
    for selector in selectors(query.expression):
        if selector.name not in ABSENT_IN_HEALTH and not _has_series(ask, selector, minutes):
            return f"there is no {selector}"
    return None


def _has_series(ask: Ask, selector: promql.VectorSelector, minutes: int) -> bool:
    kept = [str(matcher) for matcher in selector.matchers.matchers if matcher.name not in FAULTS]
    return _finds(ask, f"{selector.name}{{{','.join(kept)}}}", minutes)


def _finds(ask: Ask, expression: str, minutes: int) -> bool:
    """Return whether there was a value, apart from NaN, in the last minutes."""
    highest = f"max_over_time(({expression})[{minutes}m:15s])"
    return sum(ask(f"count({highest} >= -Inf)")) > 0


def _owners(expression: str) -> set[str]:
    metrics = {catalogue.metric_of(selector.name or "") for selector in selectors(expression)}
    known = {**catalogue.OWN, **catalogue.EXTERNAL}
    return {known[metric]["owner"] for metric in metrics & set(known)}


def main(command: Sequence[str] | None = None) -> int:
    """Return 0 if every query returns a value, else 1."""
    parser = argparse.ArgumentParser(prog="queries", description=__doc__)
    parser.add_argument("--prometheus", required=True, help="URL of Prometheus")
    parser.add_argument("--without", action="append", default=[], help="an owner in metrics.yaml")
    parser.add_argument("--minutes", type=int, default=15, help="how far to look back")
    options = parser.parse_args(command)
    with httpx.Client(timeout=30) as client:
        ask = prometheus(options.prometheus.rstrip("/"), client)
        findings = prove(ask, options.without, options.minutes)
    for finding in findings:
        print(finding, file=sys.stderr)
    print(f"{len(queries())} queries, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
