"""The rules that every dashboard keeps, each a function from a dashboard to what breaks it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import promql_parser as promql

from swapshop_operations.monitoring import queries

COLUMNS = 24
UNITS = {
    *("none", "short", "bool_yes_no", "percentunit", "s", "bytes"),
    *("cpm", "ops", "reqps", "Bps"),
}
"""Rates are a second or, where they are small, a minute; shares are 0..1; times are seconds."""
COLOURS = {"text", "green", "yellow", "orange", "red"}
"""text: no judgement; green: well; yellow: look soon; orange: a ticket; red: customers are hurt."""
SHORTEST_DESCRIPTION = 40

Board = dict[str, Any]
Lint = Callable[[Board], Iterator[str]]


def panels(board: Board) -> list[dict[str, Any]]:
    """The panels, without the headings."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def titles(board: Board) -> Iterator[str]:
    """Every panel has its own title within the dashboard and its section."""
    named = [panel["title"].strip() for panel in board["panels"]]
    if "" in named or not board["title"].startswith("SwapShop / "):
        yield "a title is missing"
    kinds = Counter((panel["type"], panel["title"]) for panel in board["panels"])
    yield from (f"{title}: twice" for (_, title), count in kinds.items() if count > 1)


def descriptions(board: Board) -> Iterator[str]:
    """Every panel describes what it shows and what to do, in sentences; so does the dashboard."""
    for panel in panels(board):
        text = panel.get("description", "")
        if len(text) < SHORTEST_DESCRIPTION or not text.endswith("."):
            yield f"{panel['title']}: description"
    if not board.get("description"):
        yield "the dashboard has no description"


def units(board: Board) -> Iterator[str]:
    """Every panel has one of the units that are used everywhere."""
    for panel in panels(board):
        if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield f"{panel['title']}: unit"


def legends(board: Board) -> Iterator[str]:
    """Every query has a legend; one of several series names the labels that tell them apart."""
    for panel in panels(board):
        for target in panel["targets"]:
            labels = set(re.findall(r"{{(\w+)}}", target.get("legendFormat", "")))
            if not target.get("legendFormat"):
                yield f"{panel['title']}: no legend"
            elif not labels_of(target["expr"]) <= labels:
                yield f"{panel['title']}: legend without {labels_of(target['expr']) - labels}"
        written = [target["legendFormat"] for target in panel["targets"]]
        if len(set(written)) < len(written):
            yield f"{panel['title']}: the same legend twice"


def labels_of(expression: str) -> set[str]:
    """The labels that distinguish an expression's series, as far as its form shows them."""
    tree = promql.parse(queries.INTERVALS_PATTERN.sub("2m", expression))
    return _labels(tree)


def _labels(node: Any) -> set[str]:
    match node:
        case promql.AggregateExpr():
            return set(node.modifier.labels) if node.modifier else set()
        case promql.BinaryExpr():
            return _labels(node.lhs) | _labels(node.rhs)
        case promql.Call(func=function):
            left = set[str]().union(*(_labels(argument) for argument in node.args))
            return left - {"le"} if function.name == "histogram_quantile" else left
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return _labels(node.expr)
        case promql.VectorSelector(name=name) if name and name.startswith("slo:"):
            return {"slo"}
        case _:
            return set()


def datasources(board: Board) -> Iterator[str]:
    """Only the variable names a datasource; no uid of one Grafana is written down."""
    expected = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(board):
        for part in (panel, *panel["targets"]):
            if part.get("datasource") != expected:
                yield f"{panel['title']}: datasource"
    listed = board["templating"]["list"]
    if [each["name"] for each in listed if each["type"] == "datasource"] != ["datasource"]:
        yield "the variable `datasource` is missing"
    for variable in listed:
        if variable["type"] == "query" and variable.get("datasource") != expected:
            yield f"${variable['name']}: datasource"


def moments(board: Board) -> Iterator[str]:
    """Panels of the current state use instant queries; a range would show past states."""
    for panel in panels(board):
        for target in panel["targets"]:
            if (
                target["instant"] != (panel["type"] == "stat")
                or target["range"] == target["instant"]
            ):
                yield f"{panel['title']}: asks for a range or for now"


def identities(board: Board) -> Iterator[str]:
    """Ids of panels and of a panel's queries occur once; the uid is fixed."""
    ids = Counter(panel.get("id") for panel in board["panels"])
    yield from (f"id {each}" for each, count in ids.items() if count > 1 or not each)
    if not re.fullmatch(r"swapshop-[a-z0-9]+", board.get("uid", "")):
        yield "uid"
    for panel in panels(board):
        names = [target["refId"] for target in panel["targets"]]
        if len(set(names)) < len(names):
            yield f"{panel['title']}: refId"


def grid(board: Board) -> Iterator[str]:
    """Panels lie within 24 columns, do not overlap, and leave no gap at the end of a line."""
    taken: dict[tuple[int, int], str] = {}
    for panel in board["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > COLUMNS or place["w"] < 1 or place["h"] < 1:
            yield f"{panel['title']}: out of the grid"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken:
                    yield f"{panel['title']} overlaps {taken[x, y]}"
                    return
                taken[x, y] = panel["title"]
    lines = Counter(y for _, y in taken)
    yield from (f"a gap in line {y}" for y, width in lines.items() if width != COLUMNS)


def colours(board: Board) -> Iterator[str]:
    """Thresholds use the colours that have a meaning, rise, and begin without a value."""
    for panel in panels(board):
        steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        values = [step.get("value") for step in steps]
        if {step["color"] for step in steps} - COLOURS:
            yield f"{panel['title']}: colour"
        if steps and (values[0] is not None or values[1:] != sorted(values[1:])):
            yield f"{panel['title']}: order of thresholds"


def variables(board: Board) -> Iterator[str]:
    """Queries use only variables that there are, and each variable is used."""
    known = {each["name"] for each in board["templating"]["list"]} - {"datasource"}
    text = " ".join(
        [target["expr"] for panel in panels(board) for target in panel["targets"]]
        + [str(each.get("query")) for each in board["templating"]["list"]]
    )
    used = set(re.findall(r"\$(?!__)(\w+)", text))
    yield from (f"${name}" for name in used ^ known)


def links(board: Board) -> Iterator[str]:
    """Each dashboard leads to its sisters, at the same time range, and is found by the tag."""
    if "swapshop" not in board["tags"]:
        yield "tag"
    kept = [link for link in board["links"] if link["tags"] == ["swapshop"] and link["keepTime"]]
    if len(kept) != 1:
        yield "link"


LINTS: tuple[Lint, ...] = (
    *(titles, descriptions, units, legends, datasources, moments),
    *(identities, grid, colours, variables, links),
)
