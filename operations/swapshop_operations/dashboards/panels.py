"""Panels of SwapShop's dashboards: each has units, legends, and what to do when it looks bad."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import common, prometheus
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import heatmap as heatmaps
from grafana_foundation_sdk.builders import stat as stats
from grafana_foundation_sdk.builders import timeseries as series
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${datasource}")

Steps = Sequence[tuple[float | None, str]]
"""Colours from a value on; that of the first step, None, is for all below the second."""

PLAIN: Final[Steps] = [(None, "text")]
MUST_BE_ZERO: Final[Steps] = [(None, "green"), (1, "red")]
SHOULD_BE_ZERO: Final[Steps] = [(None, "green"), (1, "orange")]


@dataclass(frozen=True)
class Query:
    """A PromQL expression and the legend of its series.

    Args:
        expr: may use ``$__rate_interval`` and the dashboard's variables.
        legend: of each series; ``{{label}}`` stands for a label's value.
        exemplars: show single requests, with their trace ids, as points.
    """

    expr: str
    legend: str
    exemplars: bool = False


def percentiles(
    buckets: str, quantiles: Sequence[float] = (0.5, 0.95, 0.99), *, exemplars: bool = False
) -> list[Query]:
    """Return the quantiles of a histogram.

    Args:
        buckets: the rate of its buckets, by ``le`` only.
        quantiles: from 0 to 1.
        exemplars: as in Query.
    """
    return [
        Query(f"histogram_quantile({quantile}, {buckets})", f"p{quantile * 100:g}", exemplars)
        for quantile in quantiles
    ]


def stat(
    title: str,
    query: Query,
    *,
    unit: str,
    description: str,
    steps: Steps = PLAIN,
    width: int = 4,
    no_value: str = "no data",
) -> models.Panel:
    """Return what each series is now, in large type.

    The query is an instant one: a series that ended shows as `no_value`, and not as what it was
    when it ended.
    """
    return (
        stats.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .no_value(no_value)
        .thresholds(_thresholds(steps))
        .color_scheme(builders.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .graph_mode(options.BigValueGraphMode.NONE)
        .color_mode(options.BigValueColorMode.VALUE)
        .text_mode(options.BigValueTextMode.AUTO)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_target(query, "A").instant())
        .height(4)
        .span(width)
        .build()
    )


def timeseries(
    title: str,
    *queries: Query,
    unit: str,
    description: str,
    steps: Steps | None = None,
    stacked: bool = False,
    maximum: float | None = None,
    width: int = 12,
) -> models.Panel:
    """Return series over time from 0 up, with their latest and highest values in a table.

    Args:
        title: of the panel.
        queries: the series.
        unit: of all of them, as Grafana names it.
        description: what it shows, and what to do when it is bad.
        steps: limits, drawn as dashed lines; None draws none.
        stacked: one upon the other, for parts of a whole.
        maximum: the highest possible value, such as 1 of a share.
        width: of 24 columns.
    """
    legend = (
        common.VizLegendOptions()
        .display_mode(options.LegendDisplayMode.TABLE)
        .placement(options.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
        .calcs(["lastNotNull", "max"])
    )
    tooltip = (
        common.VizTooltipOptions()
        .mode(options.TooltipDisplayMode.MULTI)
        .sort(options.SortOrder.DESCENDING)
    )
    panel = (
        series.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .min(0)
        .color_scheme(builders.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .line_width(2)
        .fill_opacity(30 if stacked else 8)
        .show_points(options.VisibilityMode.NEVER)
        .legend(legend)
        .tooltip(tooltip)
        .height(8)
        .span(width)
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL))
    if maximum is not None:
        panel = panel.max(maximum)
    if steps is not None:
        style = common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(_thresholds(steps)).thresholds_style(style)
    for position, query in enumerate(queries):
        panel = panel.with_target(_target(query, chr(ord("A") + position)).range())
    return panel.build()


def heatmap(
    title: str, query: Query, *, unit: str, description: str, width: int = 12
) -> models.Panel:
    """Return a histogram over time; the query gives its buckets, by ``le``."""
    return (
        heatmaps.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .calculate(calculate=False)
        .color(heatmaps.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges"))
        .y_axis(heatmaps.YAxisConfig().unit(unit))
        .scale_distribution(common.ScaleDistributionConfig().type(options.ScaleDistribution.LINEAR))
        .show_legend()
        .show_color_scale(show_color_scale=True)
        .with_target(_target(query, "A").range().format(PromQueryFormat.HEATMAP))
        .height(8)
        .span(width)
        .build()
    )


def _target(query: Query, ref_id: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .datasource(DATASOURCE)
        .ref_id(ref_id)
        .expr(query.expr)
        .legend_format(query.legend)
        .exemplar(exemplar=query.exemplars)
        .format(PromQueryFormat.TIME_SERIES)
    )


def _thresholds(steps: Steps) -> builders.ThresholdsConfig:
    return (
        builders.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=color) for value, color in steps])
    )
