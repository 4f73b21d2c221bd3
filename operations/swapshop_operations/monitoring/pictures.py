r"""Draws panels of the dashboards with the data of a Prometheus, for docs/observability.md.

    python -m swapshop_operations.monitoring.pictures \
        --prometheus URL --start T --end T [--shade FROM TO TEXT]

Times are seconds since 1970. Queries, units, legends and limits come from the dashboards.
"""

import argparse
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import httpx
import matplotlib as mpl
import matplotlib.pyplot as plt

from swapshop_operations.dashboards import dashboards
from swapshop_operations.monitoring.queries import QueryFailed, substituted, variables_of
from swapshop_operations.repository import ROOT

FOLDER: Final = ROOT / "docs" / "images"
PICTURES: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "outage": [
        ("overview.json", "Order flow"),
        ("pipeline.json", "Orders on their way, by what they wait for"),
        ("pipeline.json", "Age of the oldest order on its way"),
        ("pipeline.json", "Attempts by outcome"),
        ("overview.json", "Alerts"),
    ],
    "pipeline": [
        ("pipeline.json", "Latency"),
        ("pipeline.json", "Percentiles"),
        ("pipeline.json", "Deadlines of 120 s"),
        ("pipeline.json", "Since a poller was answered"),
    ],
    "api": [
        ("api.json", "Requests by route"),
        ("api.json", "Durations"),
        ("api.json", "Percentiles"),
        ("cache.json", "Reads by result"),
    ],
    "objectives": [
        ("overview.json", "Burn rate, last hour and last 5 minutes"),
        ("overview.json", "Bad events, last 5 minutes"),
    ],
}
UNITS: Final = {
    "s": "seconds",
    "cpm": "a minute",
    "reqps": "a second",
    "percentunit": "share",
    "none": "",
    "short": "",
}
# Okabe and Ito's colours, which the colour-blind can tell apart.
COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#7F7F7F")
LIMITS: Final = {"yellow": "#B8A200", "orange": "#C76B00", "red": "#C00000"}
# At the width of a phone the picture is shown at less than half its size.
WIDTH_INCHES: Final = 5.0
PANEL_INCHES: Final = 2.5
POINTS: Final = 240
MOST_SERIES: Final = 6
STYLE: Final[dict[Any, Any]] = {
    "font.size": 9,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "savefig.dpi": 200,
}
# Its methods have untyped keyword arguments, which a strict checker refuses.
Axes = Any


@dataclass(frozen=True)
class Shade:
    """A time span to mark in a picture, in seconds since 1970, and its label."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Series:
    """A line: its legend, its labels, and its values by minutes since the start."""

    name: str
    labels: Mapping[str, str]
    minutes: list[float]
    values: list[float]

    @property
    def peak(self) -> float:
        """Return the highest value, or 0 if there are no values."""
        return max((value for value in self.values if not math.isnan(value)), default=0)


@dataclass(frozen=True)
class Source:
    """Reads a time span from a Prometheus.

    Args:
        url: URL of Prometheus.
        start: seconds since 1970.
        end: seconds since 1970.
        rate_interval: what stands for ``$__rate_interval``: four scrapes.
    """

    url: str
    start: float
    end: float
    rate_interval: str

    def series(self, board: Mapping[str, Any], panel: Mapping[str, Any]) -> list[Series]:
        """Return the lines of a panel."""
        intervals = {"$__rate_interval": self.rate_interval, "$__range": "1h"}
        return [
            self._read(found, target["legendFormat"])
            for target in panel["targets"]
            for found in self._query(substituted(target["expr"], variables_of(board), intervals))
        ]

    @property
    def _step(self) -> float:
        return max(1, round((self.end - self.start) / POINTS))

    def _query(self, expression: str) -> list[dict[str, Any]]:
        answer = httpx.post(
            f"{self.url}/api/v1/query_range",
            data={"query": expression, "start": self.start, "end": self.end, "step": self._step},
            timeout=30,
        )
        if answer.status_code != 200:
            raise QueryFailed(answer.text)
        return answer.json()["data"]["result"]

    def _read(self, found: Mapping[str, Any], legend: str) -> Series:
        """Return a result as a line with gaps where Prometheus has no value."""
        labels: dict[str, str] = found["metric"]
        name = re.sub(r"{{(\w+)}}", lambda label: labels.get(label[1], ""), legend).strip()
        values = {round(at - self.start): float(value) for at, value in found["values"]}
        times = range(0, round(self.end - self.start) + 1, int(self._step))
        line = [values.get(at, math.nan) for at in times]
        return Series(name, labels, [at / 60 for at in times], line)


def draw(source: Source, name: str, shade: Shade | None, folder: Path) -> Path:
    """Draw a picture of PICTURES and return its file.

    Args:
        source: source of the data.
        name: key in PICTURES.
        shade: a time to mark.
        folder: of the file.
    """
    boards = dashboards()
    chosen = PICTURES[name]
    drawing: tuple[Any, Any] = plt.subplots(
        *(len(chosen), 1),
        figsize=(WIDTH_INCHES, PANEL_INCHES * len(chosen)),
        layout="constrained",
        squeeze=False,
    )
    figure, grid = drawing
    for (file, title), axes in zip(chosen, grid[:, 0], strict=True):
        board = boards[file]
        panel = _panel(board, title)
        _draw_panel(axes, panel, source.series(board, panel))
        axes.set_xlim(0, (source.end - source.start) / 60)
        if shade is not None:
            _draw_shade(axes, shade, source.start, with_text=axes is grid[0, 0])
    figure.supxlabel("minutes", fontsize="medium")
    path = folder / f"observability-{name}.png"
    figure.savefig(path)
    plt.close(figure)
    return path


def _panel(board: Mapping[str, Any], title: str) -> dict[str, Any]:
    panels: list[dict[str, Any]] = board["panels"]
    return next(each for each in panels if each["title"] == title and each["type"] != "row")


def _draw_panel(axes: Axes, panel: Mapping[str, Any], series: list[Series]) -> None:
    axes.set_title(panel["title"])
    defaults: dict[str, Any] = panel["fieldConfig"]["defaults"]
    if panel["type"] == "heatmap":
        _draw_heat(axes, series)
    else:
        axes.set_ylabel(UNITS[defaults["unit"]])
        _draw_lines(axes, series, defaults)


def _draw_lines(axes: Axes, series: list[Series], defaults: Mapping[str, Any]) -> None:
    seen = sorted(series, key=lambda line: -line.peak)[:MOST_SERIES]
    shown = [line for line in series if line in seen]
    stacked = defaults["custom"].get("stacking", {}).get("mode") == "normal"
    colours = [COLOURS[position % len(COLOURS)] for position in range(len(shown))]
    names = [line.name for line in shown]
    if stacked and shown:
        filled = [[0 if math.isnan(y) else y for y in line.values] for line in shown]
        axes.stackplot(shown[0].minutes, *filled, labels=names, colors=colours, alpha=0.8)
    else:
        for line, colour in zip(shown, colours, strict=True):
            axes.plot(line.minutes, line.values, label=line.name, color=colour)
    axes.set_ylim(bottom=0)
    _draw_limits(axes, defaults)
    if shown:
        longest = max(map(len, names))
        columns = 1 if longest > 22 else 2 if longest > 10 else 4
        axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.14), ncols=columns, borderpad=0)
    else:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", color="gray")


def _draw_limits(axes: Axes, defaults: Mapping[str, Any]) -> None:
    if "thresholdsStyle" not in defaults["custom"]:
        return
    top = axes.get_ylim()[1]
    for step in defaults["thresholds"]["steps"]:
        value = step["value"]
        if value is not None and value <= top * 1.5:
            axes.axhline(value, color=LIMITS[step["color"]], linestyle="--", linewidth=1)
            axes.set_ylim(top=max(top, value * 1.1))


def _draw_heat(axes: Axes, series: list[Series]) -> None:
    """Draw the number of events in each bucket; Prometheus' buckets are cumulative."""
    rows = sorted(series, key=lambda line: float(line.labels["le"]))
    counts = [[0.0 if math.isnan(y) else y for y in line.values] for line in rows]
    alone = [counts[0]] if counts else []
    for below, row in pairwise(counts):
        alone.append([max(0.0, high - low) for low, high in zip(below, row, strict=True)])
    used = [position for position, row in enumerate(alone) if max(row) > 0]
    if not used:
        return
    first, last = max(0, used[0] - 1), min(len(rows) - 1, used[-1] + 1)
    cells = [[count or math.nan for count in row] for row in alone[first : last + 1]]
    heat = axes.pcolormesh(
        rows[0].minutes, range(len(cells)), cells, cmap="YlOrRd", shading="nearest"
    )
    bounds = [line.labels["le"].replace("+Inf", "more") for line in rows[first : last + 1]]
    axes.set_yticks([position + 0.5 for position in range(len(cells))], bounds)
    axes.set_ylabel("up to seconds")
    axes.grid(visible=False)
    axes.figure.colorbar(heat, ax=axes, pad=0.02, label="events")


def _draw_shade(axes: Axes, shade: Shade, start: float, *, with_text: bool) -> None:
    begin, end = (shade.start - start) / 60, (shade.end - start) / 60
    axes.axvspan(begin, end, color="#D55E00", alpha=0.14, linewidth=0, zorder=0)
    if with_text:
        axes.text(
            *((begin + end) / 2, 0.97, shade.text),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="top",
            fontsize=8.5,
            color="#A04400",
        )


def main(command: Sequence[str] | None = None) -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(prog="pictures", description=__doc__)
    parser.add_argument("--prometheus", required=True, help="URL of Prometheus")
    parser.add_argument("--start", type=float, required=True, help="seconds since 1970")
    parser.add_argument("--end", type=float, required=True, help="seconds since 1970")
    parser.add_argument("--rate-interval", default="1m", help="four scrapes")
    parser.add_argument("--shade", nargs=3, metavar=("FROM", "TO", "TEXT"), help="marks a time")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the pictures")
    options = parser.parse_args(command)
    marked: list[str] | None = options.shade
    shade = Shade(float(marked[0]), float(marked[1]), marked[2]) if marked else None
    source = Source(
        options.prometheus.rstrip("/"), options.start, options.end, options.rate_interval
    )
    mpl.use("Agg")
    mpl.rcParams.update(STYLE)
    for name in PICTURES:
        print(draw(source, name, shade, options.folder).name)


if __name__ == "__main__":
    main()
