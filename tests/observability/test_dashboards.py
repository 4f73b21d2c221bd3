"""The dashboards keep the rules of dashboard_lint, and each rule finds what breaks it."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from support.observability import dashboard_lint as lint
from swapshop_operations.dashboards import dashboards
from swapshop_operations.monitoring import queries

BOARDS = dashboards()


@pytest.mark.parametrize("rule", lint.LINTS, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_keeps_the_rule(name: str, rule: lint.Lint) -> None:
    assert list(rule(BOARDS[name])) == []


def test_uids_and_titles_are_unique() -> None:
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)
    assert len({board["title"] for board in BOARDS.values()}) == len(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_is_what_grafanas_own_model_makes_of_it(name: str) -> None:
    register_default_plugins()
    model = Dashboard.from_json(copy.deepcopy(BOARDS[name]))
    assert json.loads(json.dumps(model, cls=JSONEncoder)) == BOARDS[name]


def first(board: lint.Board) -> dict[str, Any]:
    return lint.panels(board)[0]


def with_text(key: str, text: str) -> Callable[[lint.Board], None]:
    return lambda board: first(board).update({key: text})


def with_target(key: str, text: str) -> Callable[[lint.Board], None]:
    return lambda board: first(board)["targets"][0].update({key: text})


def without_unit(board: lint.Board) -> None:
    first(board)["fieldConfig"]["defaults"]["unit"] = "furlong"


def with_two_of_a_ref(board: lint.Board) -> None:
    first(board)["targets"].append({**first(board)["targets"][0], "legendFormat": "other"})


def with_fixed_datasource(board: lint.Board) -> None:
    first(board)["datasource"] = {"type": "prometheus", "uid": "PBFA97CFB590B2093"}


def with_an_id_twice(board: lint.Board) -> None:
    first(board)["id"] = board["panels"][-1]["id"]


def overlapping(board: lint.Board) -> None:
    first(board)["gridPos"]["h"] += 1


def narrower(board: lint.Board) -> None:
    first(board)["gridPos"]["w"] -= 1


def in_purple(board: lint.Board) -> None:
    first(board)["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "purple"


def falling(board: lint.Board) -> None:
    steps = first(board)["fieldConfig"]["defaults"]["thresholds"]["steps"]
    steps.extend([{"value": 9, "color": "red"}, {"value": 3, "color": "green"}])


def unlinked(board: lint.Board) -> None:
    board["links"].clear()


BREAKS: list[tuple[lint.Lint, Callable[[lint.Board], None], str]] = [
    (lint.titles, with_text("title", " "), "a title is missing"),
    (lint.titles, lambda board: board["panels"].append(first(board)), "twice"),
    (lint.descriptions, with_text("description", ""), "description"),
    (lint.descriptions, with_text("description", "Orders."), "description"),
    (lint.units, without_unit, "unit"),
    (lint.legends, with_target("legendFormat", ""), "no legend"),
    (lint.legends, with_target("expr", "sum by (job) (up)"), "legend without {'job'}"),
    (lint.datasources, with_fixed_datasource, "datasource"),
    (lint.datasources, lambda board: board["templating"]["list"].clear(), "is missing"),
    (
        lint.moments,
        lambda board: first(board)["targets"][0].update(instant=False, range=True),
        "now",
    ),
    (lint.identities, with_an_id_twice, "id "),
    (lint.identities, with_two_of_a_ref, "refId"),
    (lint.identities, lambda board: board.pop("uid"), "uid"),
    (lint.grid, overlapping, "overlaps"),
    (lint.grid, narrower, "a gap in line"),
    (lint.colours, in_purple, "colour"),
    (lint.colours, falling, "order of thresholds"),
    (lint.variables, with_target("expr", 'up{job="$cluster"}'), "$cluster"),
    (lint.links, unlinked, "link"),
]


@pytest.mark.parametrize(("rule", "change", "finding"), BREAKS)
def test_the_rule_finds_what_breaks_it(
    rule: lint.Lint, change: Callable[[lint.Board], None], finding: str
) -> None:
    broken = copy.deepcopy(BOARDS["overview.json"])
    change(broken)
    assert any(finding in found for found in rule(broken))


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, _, _ in BREAKS} == set(lint.LINTS)


@pytest.mark.parametrize("query", queries.queries(), ids=lambda query: query.where)
def test_every_query_parses_and_reads_a_metric(query: queries.Query) -> None:
    assert "$" not in query.expression
    assert query.where.startswith("slo:objective") or queries.selectors(query.expression)
