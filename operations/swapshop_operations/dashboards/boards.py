"""A dashboard: sections of panels one below the other, links to its sisters, and variables."""

import json
from collections.abc import Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from swapshop_operations.dashboards.panels import DATASOURCE

COLUMNS: Final = 24
TAG: Final = "swapshop"

Section = tuple[str, Sequence[models.Panel]]
"""A heading, and the panels below it, from left to right."""


def dashboard(
    name: str,
    title: str,
    description: str,
    sections: Sequence[Section],
    variables: Sequence[builders.QueryVariable] = (),
) -> dict[str, Any]:
    """Return a dashboard's JSON.

    Args:
        name: its uid is ``swapshop-`` and this.
        title: as lists show it.
        description: the question that it answers.
        sections: from top to bottom.
        variables: besides that of the datasource.
    """
    datasource = builders.DatasourceVariable("datasource").label("Data source").type("prometheus")
    board = (
        builders.Dashboard(title)
        .uid(f"swapshop-{name}")
        .description(description)
        .tags([TAG])
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("30s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(_to_its_sisters())
        .variables([datasource, *variables])
        .build()
    )
    board.panels = _arranged(sections)
    return json.loads(json.dumps(board, cls=JSONEncoder))


def variable(name: str, label: str, query: str, all_values: str) -> builders.QueryVariable:
    """Return a variable of a label's values, of which several can be chosen, at first all.

    Args:
        name: in queries, after ``$``.
        label: before the list.
        query: Grafana's ``label_values(series, label)``.
        all_values: regular expression that stands for all of them.
    """
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(all_values)
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )


def _to_its_sisters() -> builders.DashboardLink:
    return (
        builders.DashboardLink("SwapShop")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .keep_time(keep_time=True)
        .include_vars(include_vars=True)
    )


def _arranged(sections: Sequence[Section]) -> list[models.Panel | models.RowPanel]:
    """Return headings and panels with ids and places; the panels of a line are equally high."""
    arranged: list[models.Panel | models.RowPanel] = []
    y = 0
    for heading, panels in sections:
        row = builders.Row(heading).id(len(arranged) + 1).build()
        row.grid_pos = models.GridPos(x=0, y=y, w=COLUMNS, h=1)
        arranged.append(row)
        y += 1
        for line in _broken(panels):
            x, height = 0, max(_size(panel).h for panel in line)
            for panel in line:
                width = _size(panel).w
                panel.id_val = len(arranged) + 1
                panel.grid_pos = models.GridPos(x=x, y=y, w=width, h=height)
                arranged.append(panel)
                x += width
            y += height
    return arranged


def _broken(panels: Sequence[models.Panel]) -> list[list[models.Panel]]:
    """Return the panels in lines that are not wider than the grid."""
    lines: list[list[models.Panel]] = [[]]
    for panel in panels:
        if sum(_size(each).w for each in lines[-1]) + _size(panel).w > COLUMNS:
            lines.append([])
        lines[-1].append(panel)
    return lines


def _size(panel: models.Panel) -> models.GridPos:
    return panel.grid_pos or models.GridPos()
